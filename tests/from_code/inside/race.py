"""A policy is made stricter again and again while another thread writes "allow" to where its copy must lie.

`race.py SIZES` says whether /tmp could be read meanwhile. SIZES: of the engine's request and of what it seals.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import sys
import threading
import time

SECONDS = 2.0
SIX_MODES = b"\2" * 6

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.pread.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
libc.shield_configure.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong]


def place_of_copies(sizes: list[int]) -> int:
    """Where the kernel will put the second of two mappings of these sizes."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    places = [libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0) for size in sizes]
    for place, size in zip(places, sizes, strict=True):
        libc.munmap(place, size)
    return places[1]


def main() -> None:
    sys.setswitchinterval(1e-5)
    source = os.memfd_create("modes")
    os.write(source, SIX_MODES)
    line, reason = b"SHIELD_READ_WRITE_TMP=block\n", ctypes.create_string_buffer(512)
    place = place_of_copies([int(size) for size in sys.argv[1:]])
    hits, ended = [0], threading.Event()

    def write() -> None:
        while not ended.is_set():
            hits[0] += libc.pread(source, place, len(SIX_MODES), 0) == len(SIX_MODES)

    writer = threading.Thread(target=write)
    writer.start()
    read, until, turn = False, time.monotonic() + SECONDS, 0
    while time.monotonic() < until and not read:
        libc.shield_configure(line, len(line), reason, 512)
        turn += 1
        if turn % 32 == 0:
            with contextlib.suppress(PermissionError), open("/tmp/there") as file:
                read = bool(file.read())
    ended.set()
    writer.join()
    print("read" if read else "held", hits[0])


main()
