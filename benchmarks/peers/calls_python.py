"""Calls that a Python program makes, timed as by `calls.c`: lines "NAME COUNT THREADS" in, nanoseconds out."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable


def _time(call: Callable[[], object], count: int) -> int:
    began = time.perf_counter_ns()
    for _ in range(count):
        call()
    return time.perf_counter_ns() - began


def open_file(count: int) -> int:
    return _time(lambda: open("/etc/passwd", "rb").close(), count)


def connect_udp(count: int) -> int:
    spent = 0
    for _ in range(count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            spent += _time(lambda s=s: s.connect(("127.0.0.1", 9)), 1)
    return spent


CALLS = {"py_open": open_file, "py_connect_udp": connect_udp}

if __name__ == "__main__":
    for line in iter(sys.stdin.readline, ""):
        name, count, _ = line.split()
        print(CALLS[name](int(count)) / int(count), flush=True)
