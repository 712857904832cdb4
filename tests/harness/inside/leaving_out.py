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

from ways import NEXT, WAYS, each, refusal, way

TIMES, THREADS = 20, 4
RUNTIME_API, LISTENER = socket.socketpair()  # no thread answers: the request line alone matters


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


SEND: dict[str, Callable[[], object]] = {
    "send": lambda: RUNTIME_API.sendall(NEXT),
    "write": lambda: os.write(RUNTIME_API.fileno(), NEXT),
    "writev": lambda: os.writev(RUNTIME_API.fileno(), [NEXT[:50], NEXT[50:]]),
    "sendmsg": lambda: RUNTIME_API.sendmsg([NEXT]),
}


def die() -> None:
    os.kill(os.getpid(), 9)


@way
def another_line() -> None:
    """Of another policy."""
    refusal(lambda: socket.create_connection(("203.0.113.7", 443), 0.1).close())
    die()


@way
def same_again() -> None:
    violate(1)
    die()


@way
def next_event() -> None:
    SEND[sys.argv[2]]()
    die()


@way
def next_event_with_threads() -> None:
    threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
    next_event()


@way
def any_call() -> None:
    time.sleep(1.1)
    os.close(os.open("/etc/passwd", os.O_RDONLY))
    die()


@way
def end_of_a_thread() -> None:
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(5)


each(
    way,
    end=lambda: sys.exit(0),
    end_at_once=lambda: os._exit(0),
    another_program=lambda: os.execv("/usr/bin/true", ["true"]),
)


def main() -> None:
    what, kind = sys.argv[1:]
    SEND["send"]()  # ready: from now on, such requests are looked at only where something was left out
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
            die()
        violate(TIMES)
        wait_to_go_on()
        os._exit(0)
    violate(TIMES)
    if what == "full":  # nobody reads
        os.write(1, b"full\n")
        os._exit(0)
    wait_to_go_on()
    WAYS[what]()


if __name__ == "__main__":
    main()
