"""The engine and its own safety: its text and pages, memory that can be written and run.

Unshielded there is no engine: its place is taken by the pages of a library of our own.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable

from common import MACHINE, Function, attempt, unchanged
from tools import (
    HELP,
    LIBC,
    bytes_of,
    checked,
    in_child,
    inside,
    libc,
    memory_file,
    opened,
    pointer,
    raw,
    refusing,
    using,
)
from ways import each

SELF = "self_protection"
RUNS = "executable_memory"
READ, WRITE, EXECUTE = 1, 2, 4
FIXED_ANONYMOUS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10
CODE = b"\xb8\x2a\x00\x00\x00\xc3" if MACHINE == "x86_64" else b"\x40\x05\x80\x52\xc0\x03\x5f\xd6"  # return 42
PAGE = CODE.ljust(4096, b"\0")
LIBRARY = "/var/task/liblibrary.so"
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
    assert HELP().vfork_exec  # loaded by now, in case it has to stand in for the engine
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


def anonymous(rights: int, flags: int = mmap.MAP_PRIVATE) -> int:
    return map_memory(None, 4096, rights, flags | mmap.MAP_ANONYMOUS)


def protect(address: int, size: int, rights: int) -> int:
    return libc("mprotect", ctypes.c_void_p(address), ctypes.c_size_t(size), rights)


# ---- text and pages (33)


def guarded(declare: Callable[[Function], object], /, **functions: Function) -> None:
    """In a forked copy: what is done to the memory goes with it."""

    def done(function: Function) -> str:
        in_child(function)
        return "done"

    each(declare, **{name: lambda f=f: done(f) for name, f in functions.items()})


def unmap(low: int, high: int) -> int:
    return libc("munmap", ctypes.c_void_p(low), ctypes.c_size_t(high - low))


def protect_pages(pages: tuple[int, int], rights: int) -> int:
    return protect(pages[0], pages[1] - pages[0], rights)


def move_over(address: int) -> int:
    return raw("mremap", ctypes.c_void_p(anonymous(READ | WRITE)), 4096, 4096, 3, ctypes.c_void_p(address))


def attach_segment_over(address: int) -> int:
    return raw("shmat", raw("shmget", 0, 4096, 0o1700), ctypes.c_void_p(address), 0o40000)


def advise(advice: int) -> int:
    return libc("madvise", ctypes.c_void_p(text_page()), ctypes.c_size_t(4096), advice)


def libc_text() -> tuple[int, int]:
    return next((low, high) for low, high, rights in pages_of("/libc.so") if "x" in rights)


guarded(
    attempt(SELF),
    text_made_writable=lambda: protect(text_page(), 4096, READ | WRITE | EXECUTE),
    text_made_writable_across_two_pages=lambda: protect(text_page() - 4096, 8192, READ | WRITE | EXECUTE),
    text_made_writable_with_a_key=lambda: protect_with_a_key(text_page(), READ | WRITE | EXECUTE),
    text_made_writable_in_a_larger_range=lambda: protect_pages(libc_text(), READ | WRITE | EXECUTE),
    text_advised_dont_need=lambda: advise(mmap.MADV_DONTNEED),
    text_mapped_over=lambda: map_memory(text_page("wordfree"), 4096, READ, FIXED_ANONYMOUS),
    text_unmapped_in_part=lambda: unmap(text_page("wordfree"), text_page("wordfree") + 4096),
    text_moved_over=lambda: move_over(text_page("wordfree")),
    text_moved_away=lambda: raw("mremap", ctypes.c_void_p(text_page("wordfree")), 4096, 8192, 1),
    engine_data_made_writable=lambda: protect_pages(sealed_data(), READ | WRITE),
    engine_text_made_writable=lambda: protect_pages(engine_text(), READ | WRITE | EXECUTE),
    segment_attached_over=lambda: attach_segment_over(anonymous(READ | WRITE)),
    # READ_IMPLIES_EXEC, where such memory is allowed: it would outlive a `configure` that forbids it.
    memory_by_a_personality_that_stays=lambda: raw("personality", 0x400000),
)
guarded(attempt(SELF, unless="MADV_DONTNEED_LOCKED is Linux 5.18's"), text_advised_dont_need_locked=lambda: advise(24))
guarded(
    attempt(SELF, unless="mseal is Linux 6.10's", box="unfiltered"),
    # Sealed by somebody else, the text could not be patched or unmapped any more.
    text_sealed=lambda: raw("mseal", ctypes.c_void_p(text_page()), 4096, 0),
)
guarded(
    attempt(SELF, not_in=DESTROYS),
    engine_unmapped=lambda: unmap(*engine_text()),
    engine_mapped_over=lambda: map_memory(engine_text()[0], 4096, READ, FIXED_ANONYMOUS),
    engine_moved_over=lambda: move_over(engine_text()[0]),
)


def write_memory(path: str, flags: int = os.O_RDWR, code: bytes = CODE) -> None:
    """Writes over text that nothing uses: what write(2) to /proc/<pid>/mem can do whatever the pages' rights."""
    address = address_of("wordfree")
    using(path, lambda memory: os.pwrite(memory, code, address), flags)
    assert ctypes.string_at(address, len(code)) == code


MEM = {
    "self": "/proc/self/mem",
    "pid": "/proc/{pid}/mem",
    "thread": "/proc/thread-self/mem",
    "task": "/proc/self/task/{pid}/mem",
    "root": "/proc/self/root/proc/self/mem",
    "dots": "/proc/sys/../self/./mem",
    "up": "/proc/self/task/../mem",
    "slashes": "//proc//self///mem",
}


for _name, _path in MEM.items():
    guarded(
        attempt(SELF), **{f"text_written_by_mem_{_name}": lambda path=_path: write_memory(path.format(pid=os.getpid()))}
    )


def map_libc_over() -> None:
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "/libc.so" in line)
    with opened(path) as f:
        map_memory(text_page("wordfree"), 4096, READ, mmap.MAP_PRIVATE | 0x10, f)


guarded(
    attempt(SELF),
    text_written_by_mem_relative=lambda: inside("/proc/self", lambda: write_memory("mem")),
    text_written_by_mem_write_only=lambda: write_memory("/proc/self/mem", os.O_WRONLY),
    # What stands there already: the parent goes on.
    text_written_by_mem_of_the_parent=lambda: write_memory(
        f"/proc/{os.getppid()}/mem", os.O_WRONLY, ctypes.string_at(address_of("wordfree"), 1)
    ),
    text_mapped_over_from_its_file=map_libc_over,
)


# ---- memory that can be written and run (34)


def run_at(address: int) -> int:
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()


def filled(address: int) -> int:
    ctypes.memmove(address, CODE, len(CODE))
    return address


def made_executable(address: int, size: int = 4096) -> int:
    protect(address, size, READ | EXECUTE)
    return address


def protect_with_a_key(address: int, rights: int) -> int:
    raw("pkey_mprotect", ctypes.c_void_p(address), 4096, rights, -1)
    return address


def segment(flags: int) -> int:
    return filled(raw("shmat", raw("shmget", 0, 4096, 0o1700), None, flags))


def mapped(descriptor: int, rights: int = READ | EXECUTE, flags: int = mmap.MAP_PRIVATE) -> int:
    return map_memory(None, 4096, rights, flags, descriptor)


def moved(address: int) -> int:
    return raw("mremap", ctypes.c_void_p(address), 4096, 8192, 1)


each(
    attempt(RUNS),
    memory_anonymous=lambda: run_at(filled(anonymous(READ | WRITE | EXECUTE))),
    memory_made_executable=lambda: run_at(made_executable(filled(anonymous(READ | WRITE)))),
    memory_made_executable_with_a_key=lambda: run_at(
        protect_with_a_key(filled(anonymous(READ | WRITE)), READ | EXECUTE)
    ),
    memory_executable_only=lambda: anonymous(EXECUTE) > 0,
    memory_shared=lambda: run_at(filled(anonymous(READ | WRITE | EXECUTE, mmap.MAP_SHARED))),
    memory_that_grows_down=lambda: anonymous(READ | WRITE | EXECUTE, mmap.MAP_PRIVATE | 0x100) > 0,
    memory_segment=lambda: run_at(segment(0o100000)),
    memory_segment_made_executable=lambda: run_at(made_executable(segment(0))),
    memory_moved_and_made_executable=lambda: run_at(made_executable(moved(filled(anonymous(READ | WRITE))), 8192)),
    memory_file_mapped=lambda: with_memory_file(lambda file: run_at(mapped(file))),
    memory_file_shared=lambda: with_memory_file(lambda file: run_at(mapped(file, flags=mmap.MAP_SHARED))),
    memory_file_made_executable=lambda: with_memory_file(lambda file: run_at(made_executable(mapped(file, READ)))),
)


def with_memory_file(use: Callable[[int], int]) -> int:
    """What comes of a file in memory that holds the code."""
    with memory_file(PAGE) as file:
        return use(file)


def map_twice(file: int) -> int:
    """One view to write, one to run."""
    writable, executable = mapped(file, READ | WRITE, mmap.MAP_SHARED), mapped(file, flags=mmap.MAP_SHARED)
    filled(writable)
    return run_at(executable)


def of_a_file_in_tmp(meanwhile: Function = lambda: None) -> int:
    with opened("/tmp/there", os.O_RDWR) as f:
        os.write(f, PAGE)
        meanwhile()
        return run_at(mapped(f))


def replace_file() -> None:
    os.unlink("/tmp/there")
    os.close(os.open("/tmp/there", os.O_CREAT | os.O_WRONLY))


def by_python() -> bool:
    with mmap.mmap(-1, 4096, prot=READ | WRITE | EXECUTE) as page:
        return page.write(CODE) > 0


def by_personality() -> str:
    """READ_IMPLIES_EXEC: from then on all that can be read can be run."""
    raw("personality", 0x400000)
    return str(run_at(filled(anonymous(READ | WRITE))))


def on_the_heap() -> int:
    page = filled(pointer("memalign", ctypes.c_size_t(4096), ctypes.c_size_t(4096)).value or 0)
    protect(page, 4096, READ | WRITE | EXECUTE)
    try:
        return run_at(page)
    finally:
        protect(page, 4096, READ | WRITE)
        LIBC.free(ctypes.c_void_p(page))


def loaded(path: str) -> int:
    return refusing(lambda: ctypes.CDLL(path), OSError).forty_two()


def of_a_memory_file() -> int:
    with memory_file(bytes_of(LIBRARY)) as file:
        return loaded(f"/proc/self/fd/{file}")


each(
    attempt(RUNS),
    memory_anonymous_by_python=by_python,
    memory_file_mapped_twice=lambda: with_memory_file(map_twice),
    memory_of_a_file_in_tmp=of_a_file_in_tmp,
    memory_of_a_deleted_file=lambda: of_a_file_in_tmp(replace_file),
    memory_by_personality=lambda: in_child(by_personality),
    memory_on_the_heap=on_the_heap,
    memory_library_in_a_memory_file=of_a_memory_file,
)
# The loader makes the stacks executable for such a library, those of all threads.
each(
    attempt(RUNS, alerts=(1, 40)),
    memory_library_with_an_executable_stack=lambda: loaded("/var/task/libexecstack.so"),
)
each(attempt(RUNS, scene="code"), memory_library_in_tmp=lambda: loaded("/tmp/library.so"))
each(unchanged(RUNS), memory_libraries_of_the_function=lambda: loaded(LIBRARY))


@unchanged(RUNS)
def memory_ordinary_mappings() -> list[int]:
    with mmap.mmap(-1, 8192) as a, opened("/etc/passwd") as f, mmap.mmap(f, 0, prot=READ) as b:
        a.madvise(mmap.MADV_DONTNEED)
        return [len(a), b[0]]
