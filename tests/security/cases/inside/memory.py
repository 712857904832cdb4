"""The engine and its own safety: its text and pages, memory that can be written and run.

Unshielded there is no engine: its place is taken by the pages of a library of our own.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable
from typing import Any

from common import LIBC, MACHINE, Helpers, attempt, checked, in_child, libc, opened, raw, unchanged

SELF = "self_protection"
RUNS = "executable_memory"
READ, WRITE, EXECUTE = 1, 2, 4
FIXED_ANONYMOUS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10
CODE = b"\xb8\x2a\x00\x00\x00\xc3" if MACHINE == "x86_64" else b"\x40\x05\x80\x52\xc0\x03\x5f\xd6"  # return 42
HELP = Helpers("help")
# Whatever the modes, calls run through it: a later call may make the policy stricter.
DESTROYS = dict.fromkeys(("alert", "allow"), "it would really take the engine away")


def address_of(name: str) -> int:
    return ctypes.cast(getattr(LIBC, name), ctypes.c_void_p).value or 0


def text_page(name: str = "mkdir") -> int:
    """The page of libc's text that holds a function whose system call is patched."""
    return address_of(name) & ~4095


def pages_of(name: str) -> list[tuple[int, int, str]]:
    ranges = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            if name in line:
                low, high = (int(part, 16) for part in line.split()[0].split("-"))
                ranges.append((low, high, line.split()[1]))
    return ranges


def engine_pages() -> list[tuple[int, int, str]]:
    assert HELP.run_code  # loaded by now, in case it has to stand in for the engine
    return pages_of("libshield.so") or pages_of("libhelp.so")


def engine_text() -> tuple[int, int]:
    return next((low, high) for low, high, rights in engine_pages() if "x" in rights)


def sealed_data() -> tuple[int, int]:
    """Data of the engine's that cannot be written."""
    return next((low, high) for low, high, rights in engine_pages() if rights.startswith("r--"))


def map_memory(address: int | None, size: int, rights: int, flags: int, descriptor: int = -1) -> int:
    where = ctypes.c_void_p(address)
    result = LIBC.mmap(where, ctypes.c_size_t(size), rights, flags, descriptor, ctypes.c_long(0))
    if result == ctypes.c_void_p(-1).value:
        checked(-1)
    return result


def protect(address: int, size: int, rights: int) -> int:
    return libc("mprotect", ctypes.c_void_p(address), ctypes.c_size_t(size), rights)


# ---- text and pages (33)


def guarded(**facts: Any) -> Callable[[Any], Any]:
    """In a forked copy: what is done to the memory goes with it."""

    def declare(function: Callable[[], Any]) -> Callable[[], Any]:
        def case() -> Any:
            return in_child(function)

        case.__name__ = function.__name__
        attempt(SELF, **facts)(case)
        return function

    return declare


def protected(function: Callable[[], Any]) -> None:
    guarded()(function)


@protected
def text_made_writable() -> str:
    protect(text_page(), 4096, READ | WRITE | EXECUTE)
    return "writable"


@protected
def text_made_writable_across_two_pages() -> str:
    protect(text_page() - 4096, 8192, READ | WRITE | EXECUTE)
    return "writable"


@protected
def text_made_writable_with_a_key() -> str:
    raw("pkey_mprotect", ctypes.c_void_p(text_page()), 4096, READ | WRITE | EXECUTE, -1)
    return "writable"


@protected
def text_made_writable_in_a_larger_range() -> str:
    low, high, _ = next(p for p in pages_of("/libc.so") if "x" in p[2])
    protect(low, high - low, READ | WRITE | EXECUTE)
    return "writable"


def write_memory(path: str) -> str:
    """Writes over text that nothing uses: what write(2) to /proc/<pid>/mem can do whatever the pages' rights."""
    address = address_of("wordfree")
    with opened(path, os.O_RDWR) as memory:
        os.pwrite(memory, CODE, address)
    assert ctypes.string_at(address, len(CODE)) == CODE
    return "written"


MEM = {
    "self": "/proc/self/mem",
    "pid": "/proc/{pid}/mem",
    "thread": "/proc/thread-self/mem",
    "task": "/proc/self/task/{pid}/mem",
    "root": "/proc/self/root/proc/self/mem",
    "dots": "/proc/sys/../self/./mem",
    "up": "/proc/self/task/../mem",
    "slashes": "//proc//self///mem",
    "relative": "mem",
}


def by_mem(name: str, template: str) -> None:
    def case() -> str:
        if name == "relative":
            os.chdir("/proc/self")
        return write_memory(template.format(pid=os.getpid()))

    case.__name__ = f"text_written_by_mem_{name}"
    protected(case)


for _name, _template in MEM.items():
    by_mem(_name, _template)


@protected
def text_written_by_mem_write_only() -> str:
    with opened("/proc/self/mem", os.O_WRONLY) as memory:
        os.pwrite(memory, CODE, address_of("wordfree"))
    return "written"


@protected
def text_written_by_mem_of_the_parent() -> str:
    with opened(f"/proc/{os.getppid()}/mem", os.O_WRONLY) as memory:
        os.pwrite(memory, ctypes.string_at(address_of("wordfree"), 1), address_of("wordfree"))
    return "written"


def advised(name: str, advice: int, unless: str = "") -> None:
    def case() -> str:
        libc("madvise", ctypes.c_void_p(text_page()), ctypes.c_size_t(4096), advice)
        return "advised"

    case.__name__ = f"text_advised_{name}"
    guarded(unless=unless)(case)


advised("dont_need", mmap.MADV_DONTNEED)
advised("dont_need_locked", 24, "MADV_DONTNEED_LOCKED is Linux 5.18's")


@protected
def text_mapped_over() -> str:
    map_memory(text_page("wordfree"), 4096, READ, FIXED_ANONYMOUS)
    return "mapped"


@protected
def text_mapped_over_from_its_file() -> str:
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "/libc.so" in line)
    with opened(path) as f:
        map_memory(text_page("wordfree"), 4096, READ, mmap.MAP_PRIVATE | 0x10, f)
    return "mapped"


@protected
def text_unmapped_in_part() -> str:
    libc("munmap", ctypes.c_void_p(text_page("wordfree")), ctypes.c_size_t(4096))
    return "unmapped"


@protected
def text_moved_over() -> str:
    page = map_memory(None, 4096, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    raw("mremap", ctypes.c_void_p(page), 4096, 4096, 3, ctypes.c_void_p(text_page("wordfree")))
    return "moved"


@protected
def text_moved_away() -> str:
    raw("mremap", ctypes.c_void_p(text_page("wordfree")), 4096, 8192, 1)
    return "moved"


@guarded(unless="mseal is Linux 6.10's", box="unfiltered")
def text_sealed() -> str:
    """Sealed by somebody else, the text could not be patched or unmapped any more."""
    raw("mseal", ctypes.c_void_p(text_page()), 4096, 0)
    return "sealed"


@protected
def engine_data_made_writable() -> str:
    low, high = sealed_data()
    protect(low, high - low, READ | WRITE)
    return "writable"


@protected
def engine_text_made_writable() -> str:
    low, high = engine_text()
    protect(low, high - low, READ | WRITE | EXECUTE)
    return "writable"


@guarded(not_in=DESTROYS)
def engine_unmapped() -> str:
    low, high = engine_text()
    libc("munmap", ctypes.c_void_p(low), ctypes.c_size_t(high - low))
    return "unmapped"


@guarded(not_in=DESTROYS)
def engine_mapped_over() -> str:
    low, high = engine_text()
    map_memory(low, high - low, READ, FIXED_ANONYMOUS)
    return "mapped"


@guarded(not_in=DESTROYS)
def engine_moved_over() -> str:
    page = map_memory(None, 4096, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    raw("mremap", ctypes.c_void_p(page), 4096, 4096, 3, ctypes.c_void_p(engine_text()[0]))
    return "moved"


@guarded()
def segment_attached_over() -> str:
    segment = raw("shmget", 0, 4096, 0o1700)
    page = map_memory(None, 4096, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    raw("shmat", segment, ctypes.c_void_p(page), 0o40000)
    return "attached"


# ---- memory that can be written and run (34)


def runs(function: Callable[[], Any]) -> None:
    attempt(RUNS)(function)


def run_at(address: int) -> int:
    return HELP.run_code(ctypes.c_void_p(address))


@runs
def memory_anonymous() -> int:
    page = map_memory(None, 4096, READ | WRITE | EXECUTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ctypes.memmove(page, CODE, len(CODE))
    return run_at(page)


@runs
def memory_anonymous_by_python() -> bool:
    with mmap.mmap(-1, 4096, prot=READ | WRITE | EXECUTE) as page:
        return page.write(CODE) > 0


@runs
def memory_made_executable() -> int:
    page = map_memory(None, 4096, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ctypes.memmove(page, CODE, len(CODE))
    protect(page, 4096, READ | EXECUTE)
    return run_at(page)


@runs
def memory_made_executable_with_a_key() -> int:
    page = map_memory(None, 4096, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ctypes.memmove(page, CODE, len(CODE))
    raw("pkey_mprotect", ctypes.c_void_p(page), 4096, READ | EXECUTE, -1)
    return run_at(page)


@runs
def memory_executable_only() -> str:
    map_memory(None, 4096, EXECUTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return "mapped"


@runs
def memory_shared() -> int:
    page = map_memory(None, 4096, READ | WRITE | EXECUTE, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    ctypes.memmove(page, CODE, len(CODE))
    return run_at(page)


@runs
def memory_that_grows_down() -> str:
    map_memory(None, 4096, READ | WRITE | EXECUTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100)
    return "mapped"


def memory_file() -> int:
    descriptor = os.memfd_create("code")
    os.write(descriptor, CODE.ljust(4096, b"\0"))
    return descriptor


@runs
def memory_file_mapped() -> int:
    descriptor = memory_file()
    try:
        return run_at(map_memory(None, 4096, READ | EXECUTE, mmap.MAP_PRIVATE, descriptor))
    finally:
        os.close(descriptor)


@runs
def memory_file_shared() -> int:
    descriptor = memory_file()
    try:
        return run_at(map_memory(None, 4096, READ | EXECUTE, mmap.MAP_SHARED, descriptor))
    finally:
        os.close(descriptor)


@runs
def memory_file_mapped_twice() -> int:
    """One view to write, one to run."""
    descriptor = memory_file()
    try:
        writable = map_memory(None, 4096, READ | WRITE, mmap.MAP_SHARED, descriptor)
        executable = map_memory(None, 4096, READ | EXECUTE, mmap.MAP_SHARED, descriptor)
        ctypes.memmove(writable, CODE, len(CODE))
        return run_at(executable)
    finally:
        os.close(descriptor)


@runs
def memory_file_made_executable() -> int:
    descriptor = memory_file()
    try:
        page = map_memory(None, 4096, READ, mmap.MAP_PRIVATE, descriptor)
        protect(page, 4096, READ | EXECUTE)
        return run_at(page)
    finally:
        os.close(descriptor)


@runs
def memory_of_a_file_in_tmp() -> int:
    with opened("/tmp/there", os.O_RDWR) as f:
        os.write(f, CODE.ljust(4096, b"\0"))
        return run_at(map_memory(None, 4096, READ | EXECUTE, mmap.MAP_PRIVATE, f))


@runs
def memory_of_a_deleted_file() -> int:
    with opened("/tmp/there", os.O_RDWR) as f:
        os.write(f, CODE.ljust(4096, b"\0"))
        os.unlink("/tmp/there")
        os.close(os.open("/tmp/there", os.O_CREAT | os.O_WRONLY))
        return run_at(map_memory(None, 4096, READ | EXECUTE, mmap.MAP_PRIVATE, f))


@runs
def memory_segment() -> int:
    segment = raw("shmget", 0, 4096, 0o1700)
    address = raw("shmat", segment, None, 0o100000)
    ctypes.memmove(address, CODE, len(CODE))
    return run_at(address)


@runs
def memory_segment_made_executable() -> int:
    segment = raw("shmget", 0, 4096, 0o1700)
    address = raw("shmat", segment, None, 0)
    ctypes.memmove(address, CODE, len(CODE))
    protect(address, 4096, READ | EXECUTE)
    return run_at(address)


@runs
def memory_by_personality() -> str:
    """READ_IMPLIES_EXEC: from then on all that can be read can be run. In a forked copy."""

    def change() -> str:
        raw("personality", 0x400000)
        page = map_memory(None, 4096, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        ctypes.memmove(page, CODE, len(CODE))
        return str(run_at(page))

    return in_child(change)


@runs
def memory_on_the_heap() -> int:
    LIBC.memalign.restype = ctypes.c_void_p
    page = LIBC.memalign(ctypes.c_size_t(4096), ctypes.c_size_t(4096))
    ctypes.memmove(page, CODE, len(CODE))
    protect(page, 4096, READ | WRITE | EXECUTE)
    try:
        return run_at(page)
    finally:
        protect(page, 4096, READ | WRITE)
        LIBC.free(ctypes.c_void_p(page))


@runs
def memory_moved_and_made_executable() -> int:
    page = map_memory(None, 4096, READ | WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ctypes.memmove(page, CODE, len(CODE))
    moved = raw("mremap", ctypes.c_void_p(page), 4096, 8192, 1)
    protect(moved, 8192, READ | EXECUTE)
    return run_at(moved)


@attempt(RUNS, alerts=(1, 40))
def memory_library_with_an_executable_stack() -> int:
    """The loader makes the stacks executable for such a library, those of all threads."""
    try:
        return ctypes.CDLL("/var/task/libexecstack.so").forty_two()
    except OSError as error:
        raise PermissionError(13, str(error)) from None


@runs
def memory_library_in_a_memory_file() -> int:
    descriptor = os.memfd_create("library")
    with open("/var/task/liblibrary.so", "rb") as f:
        os.write(descriptor, f.read())
    try:
        return ctypes.CDLL(f"/proc/self/fd/{descriptor}").forty_two()
    except OSError as error:
        raise PermissionError(13, str(error)) from None
    finally:
        os.close(descriptor)


@attempt(RUNS, scene="code")
def memory_library_in_tmp() -> int:
    try:
        return ctypes.CDLL("/tmp/library.so").forty_two()
    except OSError as error:
        raise PermissionError(13, str(error)) from None


@unchanged(RUNS)
def memory_libraries_of_the_function() -> int:
    return ctypes.CDLL("/var/task/liblibrary.so").forty_two()


@unchanged(RUNS)
def memory_ordinary_mappings() -> list[int]:
    with mmap.mmap(-1, 8192) as a, opened("/etc/passwd") as f, mmap.mmap(f, 0, prot=READ) as b:
        a.madvise(mmap.MADV_DONTNEED)
        return [len(a), b[0]]
