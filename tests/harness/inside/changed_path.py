"""Runs inside the sandbox: a path that another one changes while the gate judges it. Prints how often that got what it
must not get, and how often it tried.

`text FILE`: a copy of this process, which may list /proc/self/fd and open nothing, does that by a path in shared memory
that becomes FILE meanwhile. `name FOLDER OUTSIDE`: a socket is bound by a name in FOLDER/inner, which changes place
with a link to OUTSIDE; stops when OUTSIDE/socket is there.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import sys
import time

from changing import SECONDS
from ways import LIBC, meanwhile, refusal

PATIENCE = 45  # seconds: it stops once it got through
AT_FDCWD, EXCHANGE = -100, 2
RENAMEAT2 = {"x86_64": 316, "aarch64": 276}[os.uname().machine]
GOT, COUNTS = 77, 512


def by_text(file: str) -> tuple[int, int]:
    paths = [path.ljust(64, b"\0") for path in (b"/proc/self/fd", file.encode())]
    shared = mmap.mmap(-1, mmap.PAGESIZE)
    shared[:64] = paths[0]
    place = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(shared)))
    if not (child := os.fork()):
        is_refused, tries, end = refusal(lambda: os.open(file, os.O_RDONLY)) is not None, 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            opened = LIBC.open(place, os.O_RDONLY)
            tries += is_refused
            struct.pack_into("Q", shared, COUNTS, tries)
            if opened >= 0:
                if refusal(lambda opened=opened: os.pread(opened, 7, 0)) is None:
                    os._exit(GOT)
                os.close(opened)
        os._exit(0)
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        for turn in range(1000):
            shared[:64] = paths[turn % 2]
    return int(os.waitstatus_to_exitcode(ended[1]) == GOT), struct.unpack_from("Q", shared, COUNTS)[0]


def by_name(folder: str, outside: str) -> tuple[int, int]:
    inner, link = f"{folder}/inner", f"{folder}/link"
    os.mkdir(inner)
    os.symlink(outside, link)

    def exchange() -> None:
        LIBC.syscall(RENAMEAT2, AT_FDCWD, inner.encode(), AT_FDCWD, link.encode(), EXCHANGE)

    tries, end = 0, time.monotonic() + PATIENCE
    with meanwhile(exchange):
        while time.monotonic() < end and not os.path.lexists(f"{outside}/socket"):
            with socket.socket(socket.AF_UNIX) as bound:
                refusal(lambda bound=bound: bound.bind(f"{inner}/socket"))
            refusal(lambda: os.unlink(f"{inner}/socket"))
            tries += 1
    return int(os.path.lexists(f"{outside}/socket")), tries


if __name__ == "__main__":
    print(*{"text": by_text, "name": by_name}[sys.argv[1]](*sys.argv[2:]), flush=True)
    os._exit(0)
