"""The engine's folders, from the ground up: each includes only from those before it, and declares what is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from shielded_function_runtime.build.native import ENGINE_ROOMS, NATIVE

pytestmark = pytest.mark.promise("package.tree")

ENGINE = NATIVE / "engine"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
NOT_CODE = re.compile(r"""/\*.*?\*/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)+'""", re.DOTALL)
DEFINED_FUNCTION = re.compile(r"^(?!static|typedef|extern|#|\s)[a-z][\w\s*]*?\b(\w+)\([^;{}]*\)\s*\{", re.MULTILINE)
DEFINED_VARIABLE = re.compile(
    r"^(?!static|typedef|extern|#|\s)[a-z][\w\s*]*?\b(\w+)(?:\[[^\]]*\])?(?:\s*__attribute__\(\(.*\)\))?(?:\s*=[^;(]*)?;",
    re.MULTILINE,
)
KERNEL_CALL = re.compile(r"\bKERNEL\((\w+)((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
# How many arguments each call takes (syscalls(2)).
ARGUMENTS = (
    "geteuid getpid gettid",
    "close exit_group uname",
    "arch_prctl clock_gettime fchmod fstat fstatfs getcwd kill munmap nanosleep shutdown statfs",
    "bind close_range connect execve faccessat fchmodat fcntl flistxattr getcpu getdents64 getpeername getresgid "
    "getresuid getsockname ioctl llistxattr lseek madvise membarrier mincore mkdirat mprotect read recvmsg sendmsg "
    "socket unlinkat write",
    "fgetxattr newfstatat openat openat2 pread64 prlimit64 readlinkat rt_sigaction rt_sigprocmask sendmmsg wait4",
    "clone execveat getsockopt mremap ppoll renameat2 setsockopt statx",
    "mmap recvfrom sendto",
)
DEFINED_LABEL = re.compile(r"^\s*\.globl\s+(\w+)", re.MULTILINE)


@cache
def code() -> Mapping[Path, str]:
    """The engine's files, without comments and texts."""
    files = sorted(path for path in ENGINE.rglob("*") if path.suffix in (".c", ".h", ".S"))
    return {path: NOT_CODE.sub(" ", path.read_text(encoding="utf-8")) for path in files}


def room(path: Path) -> int:
    return ENGINE_ROOMS.index(path.relative_to(ENGINE).parts[0])


def included(path: Path) -> list[Path]:
    """What a file includes of this project's own."""
    return [(path.parent / name).resolve() for name in INCLUDE.findall(path.read_text(encoding="utf-8"))]


def assert_no_circle(uses: Mapping[Any, set[Any]], least: int) -> None:
    """CycleError names what is in one."""
    assert len(list(TopologicalSorter(uses).static_order())) > least


def test_each_room_includes_only_from_those_below_it() -> None:
    assert {room(path) for path in code()} == set(range(len(ENGINE_ROOMS)))
    inside = [(path, other) for path in code() for other in included(path) if ENGINE in other.parents]
    assert [(path, other) for path, other in inside if room(other) > room(path)] == []


def test_nothing_includes_the_engine_but_itself() -> None:
    """Except for the trials of system calls, which the wrapper makes before the engine is loaded."""
    outside = [path for path in NATIVE.rglob("*.[ch]") if ENGINE not in path.parents]
    assert len(outside) > 50
    inside = {other for path in outside for other in included(path) if ENGINE in other.parents}
    used = ("trials/needed_calls.h", "trials/trial.h", "base/linux_abi.h", "base/raw_syscall.h")
    assert inside == {ENGINE / name for name in used}


@pytest.mark.parametrize("folder", ["core", "wrapper"])
def test_no_units_of_a_part_include_each_other_in_a_circle(folder: str) -> None:
    """A unit is a `.c` and its header. The engine has its rooms."""
    uses: dict[str, set[str]] = {}
    for path in (NATIVE / folder).glob("*.[ch]"):
        others = {other.stem for other in included(path) if other.parent == NATIVE / folder}
        uses.setdefault(path.stem, set()).update(others - {path.stem})
    assert_no_circle(uses, 10)


def test_headers_include_each_other_in_no_circle() -> None:
    assert_no_circle({path: set(included(path)) for path in code()}, 100)


def unit(path: Path) -> str:
    """The file, by one name for both architectures."""
    return re.sub(r"(x86_64|aarch64)/", "", path.relative_to(ENGINE).as_posix())


@cache
def call_graph() -> dict[str, set[str]]:
    """Which files use a function or a variable of which others, the gate's assembly among them."""
    texts = {path: text for path, text in code().items() if path.suffix != ".h"}
    homes: dict[str, set[str]] = {}
    for path, text in texts.items():
        for pattern in (DEFINED_LABEL,) if path.suffix == ".S" else (DEFINED_FUNCTION, DEFINED_VARIABLE):
            for name in pattern.findall(text):
                homes.setdefault(name, set()).add(unit(path))
    assert len(homes) > 200, "the patterns find what is defined"
    graph: dict[str, set[str]] = {}
    for path, text in texts.items():
        used = graph.setdefault(unit(path), set())
        for name in set(re.findall(r"\b[a-z]\w+\b", text)):
            used |= homes.get(name, set())
        used.discard(unit(path))
    return graph


def test_each_room_calls_only_those_below_it() -> None:
    rooms = {name: number for number, name in enumerate(ENGINE_ROOMS)}
    graph = call_graph()
    assert {"gate/dispatch.c", "fds/fd_marks.c", "state/process_state.c"} <= graph["gate/gate.S"]
    assert [name for name in graph if "gate/gate.S" in graph[name]] == ["boot/process_facts.c"]
    assert [(a, b) for a in graph for b in graph[a] if rooms[a.split("/")[0]] < rooms[b.split("/")[0]]] == []


@pytest.mark.parametrize(
    ("part", "writer"),
    [("process_facts", "process_facts"), ("policy", "environment_policy"), ("file_facts", "file_facts")],
)
def test_each_part_of_what_is_sealed_is_written_by_one_file(part: str, writer: str) -> None:
    """Others have it as const. What code asks for (`wanted`) is a policy too, and not sealed."""
    pointer = re.compile(rf"(?<!const )\bstruct {part} \*(?!wanted\b)")
    assert {unit(path) for path, text in code().items() if pointer.search(text)} == {
        *(f"boot/{writer}.c", f"boot/{writer}.h")
    }


def test_who_hands_the_parts_out_writes_none() -> None:
    name, written = r"\b(?:sealed_block|next)\b", r"[\w.\[\]>-]*\s*(?:[|&^+*/-]?=(?!=)|\+\+|--)"
    assert {unit(path) for path, text in code().items() if "sealed_block" in text} == {
        *("boot/arm.c", "boot/configure.c", "state/sealed_state.c", "state/sealed_state.h")
    }
    assert not [found for text in code().values() for found in re.findall(rf"{name}(?:\.|->){written}", text)]


def test_each_kernel_call_has_all_its_arguments() -> None:
    """One that is left out would be whatever a register holds (raw_syscall.h)."""
    texts = [*code().values(), *(NOT_CODE.sub("0", path.read_text()) for path in (NATIVE / "wrapper").glob("*.c"))]
    found = [call for text in texts for call in KERNEL_CALL.findall(text) if call[0] != "name"]
    assert len(found) > 250
    assert sum(text.count("KERNEL(") for text in texts) == len(found) + 1, "all but the definition are read"
    taken = {name: count for count, names in enumerate(ARGUMENTS) for name in names.split()}
    nested = re.compile(r"\([^()]*\)")
    for name, arguments in found:
        while nested.search(arguments):
            arguments = nested.sub("", arguments)
        assert arguments.count(",") == taken[name], name


def test_files_call_each_other_in_no_circle() -> None:
    assert_no_circle(call_graph(), 50)


def test_each_function_is_used_outside_its_file_or_static() -> None:
    judges = re.findall(r"X\((judge_\w+)\)", code()[ENGINE / "state/syscall_policy.h"])
    entries = {"shield_configure", "gate_judge", *judges}
    words = {path: set(re.findall(r"\w+", text)) for path, text in code().items()}
    for path, text in code().items():
        for name in DEFINED_FUNCTION.findall(text) if path.suffix == ".c" else []:
            others = [other for other in words if unit(other) != unit(path) and other != path.with_suffix(".h")]
            in_macro = re.search(rf"#define [^\n]*\b{name}\b", code().get(path.with_suffix(".h"), ""))
            assert in_macro or name in entries or any(name in words[other] for other in others), f"{path.name}: {name}"
