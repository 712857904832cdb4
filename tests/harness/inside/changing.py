"""What changes while files are opened: all numbers that a copy of the process has, or what another thread writes to."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Callable

from ways import LIBC, meanwhile, refusal

SECONDS = float(os.environ.get("RACE_SECONDS", "1"))
Told = dict[str, int | str | None]


def close_and_lay_over(kept: int) -> None:
    """Closes what it may from 3 on, but `kept`, the highest that is open, and lays stdin over all numbers above it."""
    os.closerange(3, kept)
    for number in range(kept + 1, 1100):
        refusal(lambda number=number: os.dup2(0, number))


def told_by_a_copy(tell: Callable[[], Told]) -> Told:
    """What a copy of the process tells that closes all that it may and lays something else over all numbers."""
    read, write = os.pipe()
    if os.fork() == 0:
        close_and_lay_over(write)
        os.write(write, json.dumps(tell()).encode())
        os._exit(0)
    os.wait()
    return json.loads(os.read(read, 4096))


def open_while_the_path_changes(harmless: bytes, other: bytes, inode: int) -> tuple[int, int]:
    """In memory that another thread writes to."""
    size = max(len(harmless), len(other)) + 1
    path = ctypes.create_string_buffer(harmless, size)

    def change() -> None:
        path.raw = other.ljust(size, b"\0")
        path.raw = harmless.ljust(size, b"\0")

    return open_while(change, lambda: LIBC.open(path, os.O_RDONLY), inode)


def open_while(change: Callable[[], object], attempt: Callable[[], int], inode: int) -> tuple[int, int]:
    """Opens for some seconds while another thread changes what is used; how often it was that inode, and any file."""
    until, those, all_files = time.monotonic() + SECONDS, 0, 0
    with meanwhile(change):
        while time.monotonic() < until:
            descriptor = attempt()
            if descriptor >= 0:
                those += os.fstat(descriptor).st_ino == inode
                all_files += 1
                os.close(descriptor)
    return those, all_files


def main(*known: Callable[[], Told | None]) -> None:
    """Does what is named on the command line; with `threads` behind it, in a program of several."""
    if "threads" in sys.argv:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    print(json.dumps({function.__name__: function for function in known}[sys.argv[1]]()), flush=True)
    os._exit(0)
