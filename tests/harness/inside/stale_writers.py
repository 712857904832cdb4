"""Runs inside the sandbox: writes whose descriptor becomes another one on the way.

A thread waits in a write to a full socket. Its number is made a connection to an allowed host, whose first bytes are
yet to be looked at, and a signal has the kernel begin the write anew, with what it finds there now (signal(7),
SA_RESTART). The last line of output is the errno that it ended with, or null, as JSON.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

from hellos import connected, hello
from ways import refusal


def _full() -> tuple[int, int]:
    """A pair of which nothing more fits into the second."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            theirs.send(bytes(4096))
    theirs.setblocking(True)
    return ours.detach(), theirs.detach()


def _wait_until_it_waits(thread: threading.Thread) -> None:
    """By two looks: what it waits for first may be Python's own lock."""
    status = Path(f"/proc/self/task/{thread.native_id}/stat")
    for _ in range(100):
        time.sleep(0.02)
        if status.read_text().rpartition(")")[2].split()[0] == "S":
            time.sleep(0.02)
            return


def run() -> int | None:
    reads, number = _full()
    data = hello()
    results: list[int | None] = []

    writer = threading.Thread(target=lambda: results.append(refusal(lambda: os.write(number, data))), daemon=True)
    writer.start()
    _wait_until_it_waits(writer)
    if error := refusal(lambda: os.dup2(connected().detach(), number)):
        return error
    assert writer.ident is not None
    signal.pthread_kill(writer.ident, signal.SIGUSR1)
    writer.join(5)
    os.close(reads)
    return results[0] if results else errno.ETIMEDOUT


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR1, False)
    print(json.dumps(run()))
