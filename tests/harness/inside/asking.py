"""Runs inside the sandbox: asks for work by a call that is named on the command line, the request whole. It prints, as
JSON, with which errno the handler is refused before and after that; null: it can be read.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ways import NEXT, refusal, send_messages

NO_LIMIT = 77


def write_without(limit: int, out: socket.socket) -> None:
    """While the limit leaves nothing. Exits with NO_LIMIT where that of the address space does not count."""
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (0, before[1]))
    if limit == resource.RLIMIT_AS and refusal(lambda: mmap.mmap(-1, mmap.PAGESIZE).close()) is None:
        sys.exit(NO_LIMIT)
    out.send(NEXT)
    resource.setrlimit(limit, before)


def write_without_files(out: socket.socket) -> None:
    """Nor does a signal end the program that Python ignores and others do not."""
    # qemu-user, which plays aarch64, delivers it before it can be taken back.
    if os.uname().machine == "x86_64":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    write_without(resource.RLIMIT_FSIZE, out)


WAYS: dict[str, Callable[[socket.socket], object]] = {
    "writev": lambda out: os.writev(out.fileno(), [b"", NEXT]),
    "sendmsg": lambda out: out.sendmsg([b"", b"", NEXT]),
    "sendmmsg": lambda out: send_messages(out.fileno(), NEXT),
    "without_memory": partial(write_without, resource.RLIMIT_AS),
    "without_descriptors": partial(write_without, resource.RLIMIT_NOFILE),
    "without_files": write_without_files,
}


def refused() -> int | None:
    return refusal(Path("/var/task/app.py").read_text)


if __name__ == "__main__":
    out, there = socket.socketpair()
    before = refused()
    WAYS[sys.argv[1]](out)
    assert there.recv(1000) == NEXT
    print(json.dumps([before, refused()]))
