"""Runs inside the sandbox: a close takes long, and others go on meanwhile. The word is a way; it prints its result."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hellos import address, hello
from questions import ALLOWED, address_in, by_udp, query, use

TIMES = 20
PATIENCE_SECONDS = 45
LATE = Path("/mnt/late/file")
FOR_LONG, AT_ONCE = struct.pack("ii", 1, 1000), struct.pack("ii", 1, 0)
WAYS: dict[str, Callable[[], object]] = {}


def way(function: Callable[[], object]) -> Callable[[], object]:
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


@way
def a_file_is_written_late() -> int:
    """What could not be written is told by close(2). The errno."""
    told: list[int] = []
    file = os.open(LATE, os.O_RDONLY)
    going = threading.Event()

    def close() -> None:
        going.set()
        try:
            os.close(file)
        except OSError as e:
            told.append(e.errno or 0)

    with meanwhile(close, is_over=lambda: None):
        going.wait()
        for _ in range(TIMES):
            for use_it in USES:
                use_it()
    assert not os.path.exists(f"/proc/self/fd/{file}")
    return told[0] if told else 0


@way
def a_file_is_replaced() -> None:
    """Copies of it are closed when that is over: each close writes, and the first is to be that of the thread."""
    copies: list[int] = []
    with open(__file__, "rb") as other:
        file = os.open(LATE, os.O_RDONLY)
        going = threading.Event()

        def replace() -> None:
            going.set()
            os.dup2(other.fileno(), file)

        with meanwhile(replace, is_over=lambda: None):
            going.wait()
            for _ in range(TIMES):
                copies.append(hand_over(file))
                time.sleep(0.05)
        for copy in copies:
            os.close(copy)
        assert os.path.sameopenfile(file, other.fileno())


if __name__ == "__main__":
    # Who is stuck says where, before the sandbox's limit ends it. By a signal: a thread that waits for it would be one
    # thread more for the gate.
    faulthandler.register(signal.SIGALRM, all_threads=True)
    signal.alarm(PATIENCE_SECONDS)
    print(WAYS[sys.argv[1]]() or 0)
