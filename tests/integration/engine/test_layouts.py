"""Libraries as assemblers and linkers rarely make them: their calls are judged, or they do not load."""

from __future__ import annotations

import errno
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.compiling import SOURCES, compile_c
from harness.elf_files import code_begins_at, forget_sections, grow_code
from harness.running import POLICIES, PYTHON, SHIELD, alerts, policy, prepare_tmp, whole_sandbox
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox

pytestmark = pytest.mark.skipif(architecture() != "x86_64", reason="x86-64 assembly; instructions are words on aarch64")
BLOCKED = policy(**dict.fromkeys(POLICIES, "block"), executable_memory="block")
# Of layouts.S, and of misread.S: how each is compiled, by what becomes of it.
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
OTHERS = {
    "between_tables": "-DTABLE_IN_FRONT -DTABLE_BEHIND",
    "relocated_and_resolves": "-Wl,-z,notext -DRESOLVES",
}
MISREAD_BUT_JUDGED = {
    "divides": "-DDIVIDES",
    "multiplies": "-DMULTIPLIES",
    "wide_constant": "-DWIDE_CONSTANT",
    "loop": "-DLOOP",
    "signal_frame": "-DSIGNAL_FRAME",
}
MISREAD_AND_REFUSED = {
    "prefix_0x48": "-DPREFIX=0x48",
    "prefix_0x66": "-DPREFIX=0x66",
    "prefix_0x2e": "-DPREFIX=0x2e",
    "prefix_0x64": "-DPREFIX=0x64",
    "prefix_0xf2": "-DPREFIX=0xf2",
    "prefix_0x67": "-DPREFIX=0x67",
    "prefixes": "-DPREFIX=0x66,0x48",
    "prefixes_in_disorder": "-DPREFIX=0x48,0x66",
    "branch_of_two_lengths": "-DBRANCH_OF_TWO_LENGTHS",
    "returns": "-DRETURNS",
}


@pytest.fixture(scope="module")
def box(layer: Path, task: Path) -> Iterator[Sandbox]:
    layouts = {**JUDGED, **REFUSED, **NOT_SEEN, **OTHERS}
    for source, libraries in {"layouts": layouts, "misread": MISREAD_BUT_JUDGED | MISREAD_AND_REFUSED}.items():
        for name, flags in libraries.items():
            sources = [SOURCES / f"{each}.S" for each in (source, *(["written"] if "WRITTEN" in flags else []))]
            compile_c(sources, task / f"{name}.so", "-shared", "-nostdlib", *flags.split(), target="x86_64-linux-gnu")
    for name, change in (("grown", grow_code), ("sections_gone", forget_sections)):
        shutil.copy(task / "bytes_left.so", task / f"{name}.so")
        change(task / f"{name}.so")
    with whole_sandbox(task, layer) as sandbox:
        yield sandbox


def call(box: Sandbox, library: str, shielded: bool, variables: dict[str, str] | None = None) -> Completed:
    prepare_tmp(box)
    code = f"import ctypes; print(min(ctypes.CDLL('/var/task/{library}.so').entry(), 0))"
    command = [*([SHIELD] if shielded else []), PYTHON, "-c", code]
    return box.run_command(command, environment=BLOCKED | (variables or {}))


@pytest.mark.promise("memory.late-libraries", "memory.relocated")
@pytest.mark.parametrize("library", [*JUDGED, *MISREAD_BUT_JUDGED, "sections_gone"])
def test_its_call_is_judged(box: Sandbox, library: str) -> None:
    assert call(box, library, shielded=False).stdout == "0\n"
    done = call(box, library, shielded=True)
    assert done.stdout == f"{-errno.EACCES}\n", done.stderr[-2000:]


@pytest.mark.promise("memory.relocated")
@pytest.mark.parametrize("library", ["relocated", "written_by_relocation"])
def test_a_preloaded_one_is_searched_as_it_was_relocated(box: Sandbox, library: str) -> None:
    done = call(box, library, True, {"LD_PRELOAD": f"/var/task/{library}.so"})
    assert done.stdout == f"{-errno.EACCES}\n", done.stderr[-2000:]


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
    assert call(box, "relocated_and_resolves", shielded=False).stdout == "0\n"
    assert call(box, "relocated_and_resolves", shielded=True).returncode == -signal.SIGSEGV


@pytest.mark.promise("memory.late-libraries")
@pytest.mark.parametrize("library", [*REFUSED, *MISREAD_AND_REFUSED, "grown"])
def test_it_does_not_load(box: Sandbox, library: str) -> None:
    assert call(box, library, shielded=False).stdout == "0\n"
    done = call(box, library, shielded=True)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr[-2000:]
    assert "self_protection" in [line.get("policy") for line in done.shield_lines], done.stderr[-2000:]


@pytest.mark.parametrize("library", NOT_SEEN)
def test_what_comes_in_in_other_ways_is_not_seen(box: Sandbox, library: str) -> None:
    """It is in the threat model."""
    for shielded in (False, True):
        done = call(box, library, shielded)
        assert done.stdout == "0\n", done.stderr[-2000:]


def test_a_call_between_tables_is_taken_for_one_of_them(box: Sandbox) -> None:
    """It is in the threat model: what stands in crypto libraries between tables of constants looks the same."""
    for shielded in (False, True):
        done = call(box, "between_tables", shielded)
        assert done.stdout == "0\n", done.stderr[-2000:]
