"""Libraries as assemblers and linkers rarely make them: their calls are judged, or they do not load."""

from __future__ import annotations

import errno
import json
import shutil
import signal
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pytest

from harness.compiling import SOURCES, compile_c
from harness.elf_files import code_begins_at, forget_sections, grow_code
from harness.running import POLICIES, PYTHON, SHIELD, alerts, policy, prepare_tmp
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox

pytestmark = pytest.mark.skipif(architecture() != "x86_64", reason="x86-64 assembly; instructions are words on aarch64")
BLOCKED = policy(**dict.fromkeys(POLICIES, "block"), executable_memory="block")
# Of layouts.S: how each is compiled, by what becomes of it.
JUDGED = {
    "padded": "-DPADDED",
    "relocated": "-Wl,-z,notext",
    "written_by_relocation": "-Wl,-z,notext -DWRITTEN",
    "padded_and_narrow": "-DPADDED -DNARROW",
    "three_bytes_left": "-DLEFT=7",
    "four_bytes_left": "-DLEFT=8",
    "bytes_left": "-DLEFT=20",
    "rarely_with_room": "-DRARELY -DROOM",
    "switch_with_room": "-DBY_TABLE -DROOM",
}
REFUSED = {
    "table_in_front": "-DTABLE_IN_FRONT",
    "rarely": "-DRARELY",
    "rarely_by_a_switch": "-DRARELY -DSWITCHES",
    "rarely_at_length": "-DRARELY -DLONG=5000",
    "switch": "-DBY_TABLE",
    "switch_without_bounds": "-DBY_TABLE -Dcfi_startproc=text -Dcfi_endproc=text",
    "switch_with_a_rare_hole": "-DBY_TABLE -DHOLE=rare",
    "switch_with_a_rare_first_case": "-DBY_TABLE -DFIRST=rare",
    "switch_with_a_rare_case": "-DBY_TABLE -DHOLE=rare -DCOMES_BACK",
    "table_ends": "-DTABLE_ENDS",
    "switch_after_many": "-DBY_TABLE -DMANY=64",
    "switch_after_more": "-DBY_TABLE -DMANY=128",
    "rarer": "-DRARELY -DRARER",
    "branches": "-DBRANCHES",
    "calls_its_midst": "-DCALLS_MIDST",
    "switch_by_memory": "-DBY_TABLE -DTHROUGH_MEMORY",
    "switch_by_thunk": "-DBY_TABLE -DTHROUGH_THUNK",
    "switch_by_jump": "-DBY_TABLE -DTHROUGH_JUMP",
    "switch_by_return": "-DBY_TABLE -DIN_LINE",
    "switch_far_away": "-DBY_TABLE -DFAR",
}
NOT_SEEN = {
    "computed_goto": "-DBY_TABLE -DADDRESSES",
    "two_entries": "-DTWO_ENTRIES",
    "short_entries": "-DBY_TABLE -DSHORT",
    "calls_rarely": "-DCALLS_RARELY",
    "switch_by_pushed_address": "-DBY_TABLE -DPUSHED",
    "rarely_and_far": "-DRARELY_AND_FAR",
}
OTHERS = {"between_tables": "-DTABLE_IN_FRONT -DTABLE_BEHIND", "relocated_and_resolves": "-Wl,-z,notext -DRESOLVES"}
MISREAD_BUT_JUDGED = {f.lower(): f"-D{f}" for f in ("DIVIDES", "MULTIPLIES", "WIDE_CONSTANT", "LOOP", "SIGNAL_FRAME")}
PREFIXES = ("0x48", "0x66", "0x2e", "0x64", "0xf2", "0x67", "0x66,0x48", "0x48,0x66")
MISREAD_AND_REFUSED = {f"prefix_{prefix}": f"-DPREFIX={prefix}" for prefix in PREFIXES} | {
    "branch_of_two_lengths": "-DBRANCH_OF_TWO_LENGTHS",
    "returns": "-DRETURNS",
}


def fill_task(task: Path) -> None:
    layouts = {**JUDGED, **REFUSED, **NOT_SEEN, **OTHERS, **MISREAD_BUT_JUDGED, **MISREAD_AND_REFUSED}
    for name, flags in layouts.items():
        sources = [SOURCES / f"{each}.S" for each in ("layouts", *(["written"] if "WRITTEN" in flags else []))]
        compile_c(sources, task / f"{name}.so", "-shared", "-nostdlib", *flags.split(), target="x86_64-linux-gnu")
    for name, change in (("grown", grow_code), ("sections_gone", forget_sections)):
        shutil.copy(task / "bytes_left.so", task / f"{name}.so")
        change(task / f"{name}.so")


CALLS = """
import ctypes, json, sys
def call(library):
    try: return min(ctypes.CDLL(f"/var/task/{library}.so").entry(), 0)
    except OSError: return "refused"
print(json.dumps({library: call(library) for library in sys.argv[1:]}))
"""


def call(box: Sandbox, libraries: Iterable[str], wrapper: Sequence[str] = (SHIELD,), **variables: str) -> Completed:
    """All of them in one process, which prints what each call came to."""
    prepare_tmp(box)
    return box.run_command([*wrapper, PYTHON, "-c", CALLS, *libraries], environment=BLOCKED | variables)


def assert_come_to(box: Sandbox, libraries: Collection[str], result: int | str) -> Completed:
    """Each opens the file where there is no shield."""
    plain = call(box, libraries, ())
    assert json.loads(plain.stdout) == dict.fromkeys(libraries, 0), plain.stderr[-2000:]
    done = call(box, libraries)
    assert json.loads(done.stdout) == dict.fromkeys(libraries, result), done.stderr[-2000:]
    return done


@pytest.mark.promise("memory.late-libraries", "memory.relocated")
def test_its_call_is_judged(box: Sandbox) -> None:
    assert_come_to(box, [*JUDGED, *MISREAD_BUT_JUDGED, "sections_gone"], -errno.EACCES)


@pytest.mark.promise("memory.relocated")
def test_a_preloaded_one_is_searched_as_it_was_relocated(box: Sandbox) -> None:
    for library in ("relocated", "written_by_relocation"):
        done = call(box, [library], LD_PRELOAD=f"/var/task/{library}.so")
        assert json.loads(done.stdout) == {library: -errno.EACCES}, done.stderr[-2000:]


WRITERS = """
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
file = os.open("/var/task/relocated.so", os.O_RDONLY)
page, size = (ctypes.c_size_t(n) for n in (4096, 8192))
text = ctypes.c_void_p(libc.mmap(None, size, 5, mmap.MAP_PRIVATE, file, ctypes.c_long({begin})))
anonymous, fixed = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 0x10
other = ctypes.c_void_p(libc.mmap(None, page, 3, anonymous, -1, 0))
def runs():
    return [line.split()[1][2] for line in open("/proc/self/maps") if "/relocated.so" in line]
def refused(name, *arguments):
    ctypes.set_errno(0)
    getattr(libc, name)(*arguments)
    return ctypes.get_errno()
print(runs())
print([
    refused("mprotect", text, page, 3), refused("mprotect", text, page, 7), refused("mprotect", text, size, 5),
    refused("syscall", 329, text, page, ctypes.c_long(5), ctypes.c_long(-1)),  # pkey_mprotect
    refused("mmap", text, page, 3, anonymous | fixed, -1, 0),
    refused("mremap", other, page, page, 3, text), refused("madvise", text, page, 4),
])
print(libc.mprotect(text, page, 5), runs())
"""


@pytest.mark.promise("memory.relocated")
def test_its_loader_alone_writes_to_a_text_that_is_to_run(box: Sandbox) -> None:
    """Mapped as ld.so does, it cannot be run yet, nor changed by others; then it is searched, and runs."""
    code = WRITERS.format(begin=code_begins_at(box.path("/var/task/relocated.so")) & -4096)
    done = box.run_command([SHIELD, PYTHON, "-c", code], environment=BLOCKED)
    assert done.stdout == f"['-']\n{[errno.EACCES] * 7}\n0 ['x', '-']\n", done.stderr[-2000:]
    counted = [(line["policy"], line["count"]) for line in alerts(done)]
    assert ({policy for policy, _ in counted}, sum(count for _, count in counted)) == ({"self_protection"}, 7)


def test_code_that_runs_while_it_is_relocated_ends_the_process(box: Sandbox) -> None:
    """It is in the limits."""
    assert call(box, ["relocated_and_resolves"], ()).returncode == 0
    assert call(box, ["relocated_and_resolves"]).returncode == -signal.SIGSEGV


@pytest.mark.promise("memory.late-libraries")
def test_it_does_not_load(box: Sandbox) -> None:
    libraries = [*REFUSED, *MISREAD_AND_REFUSED, "grown"]
    done = assert_come_to(box, libraries, "refused")
    assert sum(line["count"] for line in alerts(done) if line["policy"] == "self_protection") == len(libraries)


def test_what_comes_in_in_other_ways_is_not_seen(box: Sandbox) -> None:
    """It is in the threat model; what stands in crypto libraries between tables of constants looks the same."""
    assert_come_to(box, [*NOT_SEEN, "between_tables"], 0)
