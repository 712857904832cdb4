"""What each runtime's program does, in Python: one attempt a policy, before and after it is ready.

Prints one "<attempt> <what came of it>" a line: "done", or the language's own name for the refusal.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Callable


def attempt(name: str, function: Callable[[], object]) -> None:
    try:
        function()
    except OSError as error:
        print(name, f"{type(error).__name__} {error.errno}", flush=True)
    else:
        print(name, "done", flush=True)


def connect() -> None:
    socket.create_connection(("203.0.113.9", 80), timeout=30).close()


def ask_for_work() -> None:
    with socket.create_connection(("127.0.0.1", 9001)) as connection:
        connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.recv(1)


def load() -> None:
    ctypes.CDLL("/var/task/loaded.so")


if sys.argv[1:] == ["hello"]:
    print("hello")
else:
    attempt("read_handler_early", lambda: open(__file__).close())
    attempt("read_write_tmp", lambda: open("/tmp/there").close())
    attempt("outbound_connectivity", connect)
    attempt("create_child_process", lambda: subprocess.run(["/bin/true"], check=True))
    attempt("load", load)
    ask_for_work()
    attempt("read_handler", lambda: open(__file__).close())
    attempt("other_file", lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)))
