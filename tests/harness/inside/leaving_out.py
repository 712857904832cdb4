"""Runs inside the sandbox: violations while the log takes no line, and what comes after.

`leaving_out.py <what comes after> <how>`: says "full" when they are over, and goes on when it is told to.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import threading
import time
from collections.abc import Callable

from behaviour import refusal

TIMES, THREADS = 20, 4
LINE = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
RUNTIME_API, LISTENER = socket.socketpair()  # no thread answers: the request line alone matters
AFTER: dict[str, Callable[[str], None]] = {}


def after(function: Callable[[str], None]) -> Callable[[str], None]:
    AFTER[function.__name__] = function
    return function


def violate(times: int) -> None:
    for _ in range(times):
        refusal(lambda: os.close(os.open("/tmp/there", os.O_RDONLY)))


def fill_log() -> None:
    fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_NONBLOCK)
    for size in (65536, 4096, 1):
        try:
            while True:
                os.write(2, b"\n" * size)
        except BlockingIOError:
            pass


def wait_to_go_on() -> None:
    os.write(1, b"full\n")
    os.read(0, 1)


def send(kind: str, s: socket.socket) -> None:
    if kind == "write":
        os.write(s.fileno(), LINE)
    elif kind == "writev":
        os.writev(s.fileno(), [LINE[:50], LINE[50:]])
    elif kind == "sendmsg":
        s.sendmsg([LINE])
    else:
        s.sendall(LINE)


@after
def another_line(_: str) -> None:
    """Of another policy."""
    refusal(lambda: socket.create_connection(("203.0.113.7", 443), 0.1).close())
    os.kill(os.getpid(), 9)


@after
def same_again(_: str) -> None:
    violate(1)
    os.kill(os.getpid(), 9)


@after
def next_event(kind: str) -> None:
    send(kind, RUNTIME_API)
    os.kill(os.getpid(), 9)


@after
def next_event_with_threads(kind: str) -> None:
    threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
    next_event(kind)


@after
def any_call(_: str) -> None:
    time.sleep(1.1)
    os.close(os.open("/etc/passwd", os.O_RDONLY))
    os.kill(os.getpid(), 9)


@after
def end(_: str) -> None:
    sys.exit(0)


@after
def end_at_once(_: str) -> None:
    os._exit(0)


@after
def another_program(_: str) -> None:
    os.execv("/usr/bin/true", ["true"])


@after
def end_of_a_thread(_: str) -> None:
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(5)


def main() -> None:
    what, kind = sys.argv[1:]
    send("send", RUNTIME_API)  # ready: from now on, such requests are looked at only where something was left out
    fill_log()
    if what == "slowly":  # somebody reads, but not as fast as this writes
        threads = [threading.Thread(target=violate, args=(int(kind),)) for _ in range(THREADS)]
        os.write(1, b"full\n")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(0)
    if what == "fork":
        if os.fork():
            os.wait()
            os.kill(os.getpid(), 9)
        violate(TIMES)
        wait_to_go_on()
        os._exit(0)
    violate(TIMES)
    if what == "full":  # nobody reads
        os.write(1, b"full\n")
        os._exit(0)
    wait_to_go_on()
    AFTER[what](kind)


if __name__ == "__main__":
    main()
