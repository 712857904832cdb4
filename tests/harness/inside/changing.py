"""What changes while files are opened: all numbers that a copy of the process has, or what another thread writes to."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

from behaviour import refusal

SECONDS = 3


def close_and_lay_over(kept: int) -> None:
    """Closes what it may from 3 on, but `kept`, the highest that is open, and lays stdin over all numbers above it."""
    os.closerange(3, kept)
    for number in range(kept + 1, 1100):
        refusal(lambda number=number: os.dup2(0, number))


def open_while(change: Callable[[], object], attempt: Callable[[], int], inode: int) -> tuple[int, int]:
    """Opens for some seconds while another thread changes what is used; how often it was that inode, and any file."""
    ends = threading.Event()

    def go_on() -> None:
        while not ends.is_set():
            change()

    sys.setswitchinterval(1e-5)
    threading.Thread(target=go_on, daemon=True).start()
    until, those, all_files = time.monotonic() + SECONDS, 0, 0
    while time.monotonic() < until:
        descriptor = attempt()
        if descriptor >= 0:
            those += os.fstat(descriptor).st_ino == inode
            all_files += 1
            os.close(descriptor)
    ends.set()
    return those, all_files
