"""A policy is made stricter again and again while other threads get at the place where its copy must lie.

`race.py WAY OFFSET SIZES` says whether /tmp could be read then, and how often somebody was refused: by `write` the copy
in which "allow" was found, by `protect` the call that was to let it be written to, also when it has become what is
sealed. SIZES: of the engine's request and of what it seals; OFFSET: of the modes therein.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import sys
import threading
import time
from pathlib import Path

SECONDS = 2.0
TIMES = 100
SIX_MODES = b"\2" * 6
PAGE = 4096
READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE
NO_FILE = ["00000000", "00:00", "0"]  # of a line of /proc/self/maps: offset, device, inode

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.pread.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
libc.shield_configure.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong]


def place_of_copies(sizes: list[int]) -> int:
    """Where the kernel will put the second of two mappings of these sizes."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    places = [libc.mmap(None, size, READ_WRITE, flags, -1, 0) for size in sizes]
    for place, size in zip(places, sizes, strict=True):
        libc.munmap(place, size)
    return places[1]


def place_of_seal(size: int) -> int:
    """Where what is sealed lies: read-only memory of the library's that no file stands behind."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    places = [tuple(int(end, 16) for end in words[0].split("-")) for words in lines if words[1:] == ["r--p", *NO_FILE]]
    (found,) = [low for low, high in places if high - low in (size, size + PAGE)]
    return found


def configure(line: str) -> bool:
    """Whether it was refused."""
    reason = ctypes.create_string_buffer(512)
    return bool(libc.shield_configure(line.encode(), len(line), reason, len(reason)))


def can_read_tmp() -> bool:
    with contextlib.suppress(PermissionError), open("/tmp/there") as file:
        return bool(file.read())
    return False


class Race:
    def __init__(self, offset: int, sizes: list[int]) -> None:
        self.offset, self.sizes = offset, sizes
        self.source = os.memfd_create("modes")
        os.write(self.source, SIX_MODES)
        self.place, self.refused, self.ended = 0, 0, threading.Event()

    def put_modes(self, place: int) -> None:
        """By the kernel, which writes nothing where nobody may."""
        libc.pread(self.source, place + self.offset, len(SIX_MODES), 0)

    def write(self) -> bool:
        read, until, turn = False, time.monotonic() + SECONDS, 0
        while time.monotonic() < until and not read:
            self.refused += configure("SHIELD_READ_WRITE_TMP=block\n")
            turn += 1
            read = turn % 32 == 0 and can_read_tmp()
        return read

    def write_there(self) -> None:
        self.put_modes(self.place)

    def protect(self) -> bool:
        seal = place_of_seal(self.sizes[1])
        for left in range(TIMES, 0, -1):
            assert not configure(f"SHIELD_ALLOW_TMP={','.join(f'/tmp/x{i}' for i in range(left))}\n")
            self.put_modes(seal)
            if can_read_tmp():
                return True
        return False

    def protect_there(self) -> None:
        self.refused += libc.mprotect(self.place, self.sizes[1], READ_WRITE) != 0


def main() -> None:
    sys.setswitchinterval(1e-5)
    way, offset, *sizes = sys.argv[1:]
    race = Race(int(offset), [int(size) for size in sizes])
    run, disturb = {"write": (race.write, race.write_there), "protect": (race.protect, race.protect_there)}[way]

    def keep_disturbing() -> None:
        while not race.ended.is_set():
            disturb()

    others = [threading.Thread(target=keep_disturbing) for _ in range(2)]
    for other in others:
        other.start()
    time.sleep(0.05)
    race.place = place_of_copies(race.sizes)  # only now: a thread's own memory could take the place
    read = run()
    race.ended.set()
    for other in others:
        other.join()
    print("read" if read else "held", race.refused)


main()
