"""Libraries whose headers say something else of where their code is than what is there."""

from __future__ import annotations

import errno
import signal
from pathlib import Path

import pytest

from harness.compiling import SOURCES, compile_c
from harness.elf_files import code_begins_at, end_code_early, offset_of, run_all_first
from harness.running import PYTHON, SHIELD, policy, prepare_tmp
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox, shield_lines

pytestmark = pytest.mark.promise("memory.constructors")

REFUSED, PAGE = errno.EACCES, 4096
BLOCKED = policy(read_write_tmp="block", executable_memory="block")
FIRST_BYTE = {"x86_64": 0x90, "aarch64": 0x1F}[architecture()]
# How the code below maps a part of the library that says that its code ends early: read-only and to be run, private.
MAPPING = """
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
def mapped(begin, end):
    file = os.open("/var/task/ends_early.so", os.O_RDONLY)
    return libc.mmap(None, ctypes.c_size_t(end - begin), 5, 2, file, ctypes.c_long(begin))
def function(address):
    return ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p)(address)
def grown(page):
    return libc.mremap(ctypes.c_void_p(page), ctypes.c_size_t(4096), ctypes.c_size_t(12288), 1)
"""


def fill_task(task: Path) -> None:
    shared, target = ("-shared", "-fPIC"), f"{architecture()}-linux-gnu"
    sources = [SOURCES / "large.c", SOURCES / "inline.c"]  # the call lies pages behind where the code begins
    end_code_early(compile_c(sources, task / "ends_early.so", *shared, target=target))
    flags = (*shared, "-nostdlib", "-DWRITABLE")
    run_all_first(compile_c([SOURCES / "data_beside_code.c"], task / "all_at_once.so", *flags, target=target))


def places(box: Sandbox) -> tuple[int, int]:
    """Where in the file the page lies with which the code begins, and the function that makes a system call."""
    library = box.path("/var/task/ends_early.so")
    return code_begins_at(library) & -PAGE, offset_of(library, "inline_open")


def run(box: Sandbox, code: str, settings: dict[str, str] = BLOCKED) -> Completed:
    prepare_tmp(box)
    return box.run_command([SHIELD, PYTHON, "-c", MAPPING + code], environment=settings)


@pytest.mark.promise("shield.text-stays")
def test_patched_code_stays_whatever_a_files_headers_say(box: Sandbox) -> None:
    """What is patched stays whatever a file says of where its code is."""
    begin, call = places(box)
    begin += PAGE  # of which the file says nothing
    code = f"""
call = mapped({begin}, {call | (PAGE - 1)} + 1) + {call} - {begin}
page = call & -4096
advised = libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(4096), 4)
print([function(call)(b"/tmp/there"), advised, grown(page) == ctypes.c_void_p(-1).value])
"""
    done = run(box, code, policy(read_write_tmp="block"))
    assert done.stdout == f"[{-REFUSED}, -1, True]\n", done.stderr[-2000:]


def test_what_no_segment_says_is_code_is_executable_memory(box: Sandbox) -> None:
    begin, call = places(box)
    begin += PAGE  # of which the file says nothing
    code = f"print(mapped({begin}, {call | (PAGE - 1)} + 1) == ctypes.c_void_p(-1).value)"
    done = run(box, code)
    assert done.stdout == "True\n", done.stderr[-2000:]
    (line,) = [line for line in shield_lines(done.stderr.splitlines()) if "policy" in line]
    assert (line["policy"], line["details"]["path"]) == ("executable_memory", "/var/task/ends_early.so")


@pytest.mark.promise("shield.text-stays")
def test_what_lies_behind_the_code_does_not_run(box: Sandbox) -> None:
    begin, call = places(box)
    mapping = f"call = mapped({begin}, {call | (PAGE - 1)} + 1) + {call} - {begin}\n"
    done = run(box, mapping + "print('mapped', flush=True); print(function(call)(b'/tmp/there'), flush=True)")
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, "mapped\n"), done.stderr[-2000:]
    measure = """
def runs():
    lines = [line.split() for line in open("/proc/self/maps") if "ends_early" in line]
    ends = [line[0].split("-") for line in lines if "x" in line[1]]
    return sum(int(high, 16) - int(low, 16) for low, high in ends)
before = runs()
print(before, grown(call & -4096) != ctypes.c_void_p(-1).value, runs())
"""
    done = run(box, mapping + measure)
    assert done.stdout == f"{PAGE} True {PAGE}\n", done.stderr[-2000:]


def test_a_library_whose_code_and_data_are_mapped_at_once_first(box: Sandbox) -> None:
    """As linkers laid them out: the first segment can be run, so the loader maps the whole file like that, and lays the
    others over it."""
    code = "import ctypes; print(ctypes.CDLL('/var/task/all_at_once.so').entry(0))"
    for wrapper in ([], [SHIELD]):
        done = box.run_command([*wrapper, PYTHON, "-c", code], environment=BLOCKED)
        assert done.stdout == f"{FIRST_BYTE}\n", done.stderr[-2000:]
