"""Runs inside the sandbox: asks for work by a call that is named on the command line, the request whole. It prints, as
JSON, with which errno the handler is refused before and after that; null: it can be read.
"""

from __future__ import annotations

import ctypes
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

NO_LIMIT = 77
LINE = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n"


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr (sendmmsg(2))."""

    _fields_ = [
        *[(name, ctypes.c_void_p) for name in ("name", "name_size")],
        ("vectors", ctypes.POINTER(Vector)),
        *[(name, ctypes.c_size_t) for name in ("count", "control", "control_size", "flags", "sent")],
    ]


def send_messages(out: socket.socket) -> None:
    message = Message(vectors=ctypes.pointer(Vector(LINE, len(LINE))), count=1)
    assert ctypes.CDLL(None).sendmmsg(out.fileno(), ctypes.byref(message), 1, 0) == 1


def can_map() -> bool:
    try:
        mmap.mmap(-1, mmap.PAGESIZE).close()
    except OSError:
        return False
    return True


def write_without(limit: int, out: socket.socket) -> None:
    """While the limit leaves nothing. Exits with NO_LIMIT where that of the address space does not count."""
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (0, before[1]))
    if limit == resource.RLIMIT_AS and can_map():
        sys.exit(NO_LIMIT)
    out.send(LINE)
    resource.setrlimit(limit, before)


def write_without_files(out: socket.socket) -> None:
    """Nor does a signal end the program that Python ignores and others do not."""
    # qemu-user, which plays aarch64, delivers it before it can be taken back.
    if os.uname().machine == "x86_64":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    write_without(resource.RLIMIT_FSIZE, out)


WAYS: dict[str, Callable[[socket.socket], object]] = {
    "writev": lambda out: os.writev(out.fileno(), [b"", LINE]),
    "sendmsg": lambda out: out.sendmsg([b"", b"", LINE]),
    "sendmmsg": send_messages,
    "without_memory": partial(write_without, resource.RLIMIT_AS),
    "without_descriptors": partial(write_without, resource.RLIMIT_NOFILE),
    "without_files": write_without_files,
}


def refusal() -> int | None:
    try:
        Path("/var/task/app.py").read_text()
    except OSError as error:
        return error.errno
    return None


if __name__ == "__main__":
    out, there = socket.socketpair()
    before = refusal()
    WAYS[sys.argv[1]](out)
    assert there.recv(1000) == LINE
    print(json.dumps([before, refusal()]))
