"""Runs inside the sandbox: a close takes long, and others go on meanwhile. The word is a way."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator

from hellos import address, hello
from questions import ALLOWED, address_in, by_udp, query, use

TIMES = 20
PATIENCE_SECONDS = 45
FOR_LONG, AT_ONCE = struct.pack("ii", 1, 1000), struct.pack("ii", 1, 0)
WAYS: dict[str, Callable[[], None]] = {}


def way(function: Callable[[], None]) -> Callable[[], None]:
    WAYS[function.__name__] = function
    return function


def ask() -> int:
    with by_udp(query(ALLOWED)) as s:
        use(address_in(s.recv(500)))
        return s.fileno()


def greet() -> int:
    with socket.create_connection(address()) as s:
        s.sendall(hello(ALLOWED))
        return s.fileno()


def hand_over(number: int) -> int:
    """The copy."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(theirs, [b"x"], [number])
        return socket.recv_fds(ours, 1, 1)[1][0]


def hand_over_a_file() -> int:
    with open(__file__, "rb") as file:
        os.close(hand_over(file.fileno()))
        return file.fileno()


USES = (ask, greet, hand_over_a_file)


@contextlib.contextmanager
def meanwhile(close: Callable[[], None], *, is_over: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=close, daemon=True)
    thread.start()
    yield
    assert thread.is_alive(), "it was waited for"
    is_over()
    thread.join()


def wait_until_free(number: int) -> None:
    with contextlib.suppress(OSError):
        while os.fstat(number):
            pass


def stuck_connection() -> tuple[socket.socket, socket.socket]:
    """Its close lasts until its peer, which reads nothing, is gone."""
    s = socket.socket()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        s.connect(listener.getsockname())
        peer, _ = listener.accept()
    s.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while s.send(bytes(65536)):
            pass
    s.setblocking(True)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, FOR_LONG)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    return s, peer


@way
def a_connection_lingers() -> None:
    """The kernel gives the number back first, and the next one has it."""
    for _ in range(TIMES):
        for use_it in USES:
            s, peer = stuck_connection()
            number = s.fileno()
            with meanwhile(s.close, is_over=peer.close):
                wait_until_free(number)
                assert use_it() == number


@way
def a_connection_is_replaced() -> None:
    with open(__file__, "rb") as file:
        for _ in range(TIMES):
            s, peer = stuck_connection()
            number = s.fileno()

            def replace(number: int = number) -> None:
                os.dup2(file.fileno(), number)

            with meanwhile(replace, is_over=peer.close):
                while not os.path.sameopenfile(number, file.fileno()):
                    pass
                os.close(hand_over(number))
            s.close()


if __name__ == "__main__":
    # Who is stuck says where, before the sandbox's limit ends it. By a signal: a thread that waits for it would be one
    # thread more for the gate.
    faulthandler.register(signal.SIGALRM, all_threads=True)
    signal.alarm(PATIENCE_SECONDS)
    WAYS[sys.argv[1]]()
