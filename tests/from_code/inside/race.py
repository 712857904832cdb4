"""A policy is made stricter again and again while other threads get at the place where its copy must lie.

`race.py WAY OFFSET SIZE` says whether /tmp could be read then, and how often somebody was refused: by `write` the copy
in which "allow" was found, by `protect` the call that was to let it be written to, also when it has become what is
sealed. SIZE: of what the engine seals; OFFSET: of the modes therein.
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
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.pread.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
libc.shield_configure.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong]


def place_of_copies(size: int) -> int:
    """Where what is sealed is copied to: the engine's from the start, in front of the copy of a page more."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    places = [tuple(int(end, 16) for end in words[0].split("-")) for words in lines if words[1:] == ["rw-p", *NO_FILE]]
    found = {high - PAGE - size for low, high in places if size < high - low < 2 * size and is_kept(high - PAGE)}
    (place,) = found
    return place


def is_kept(page: int) -> bool:
    return libc.mprotect(page, PAGE, READ_WRITE) != 0


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
    def __init__(self, offset: int, size: int) -> None:
        self.offset, self.size = offset, size
        self.source = os.memfd_create("modes")
        os.write(self.source, SIX_MODES)
        self.place, self.refused, self.ended = place_of_copies(size), 0, threading.Event()

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
        seal = place_of_seal(self.size)
        for left in range(TIMES, 0, -1):
            assert not configure(f"SHIELD_ALLOW_TMP={','.join(f'/tmp/x{i}' for i in range(left))}\n")
            self.put_modes(seal)
            if can_read_tmp():
                return True
        return False

    def protect_there(self) -> None:
        self.refused += libc.mprotect(self.place, self.size, READ_WRITE) != 0


def main() -> None:
    sys.setswitchinterval(1e-5)
    way, offset, size = sys.argv[1:]
    race = Race(int(offset), int(size))
    run, disturb = {"write": (race.write, race.write_there), "protect": (race.protect, race.protect_there)}[way]

    def keep_disturbing() -> None:
        while not race.ended.is_set():
            disturb()

    others = [threading.Thread(target=keep_disturbing) for _ in range(2)]
    for other in others:
        other.start()
    read = run()
    race.ended.set()
    for other in others:
        other.join()
    print("read" if read else "held", race.refused)


main()
