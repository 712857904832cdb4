"""Runs inside the sandbox: ways to say a server name on a socket that had another peer, or could have got one."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hellos import GSS_REQUEST, HOST, RESETS, SSL_REQUEST, address, after, connected, foreign, hello
from questions import RESOLVER
from ways import copy_does, disconnect, each, raise_from, refusal, way


def connect_elsewhere(s: socket.socket) -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    s.connect_ex(server.getsockname())
    return server


def reset(server: socket.socket) -> None:
    """The peer ends the connection, so that it looks as if there had been none."""
    accepted, _ = server.accept()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    accepted.close()


def greet_anew(s: socket.socket, other: int) -> None:
    disconnect(s.fileno())
    s.connect(address())
    os.write(other, hello())


def by_a_number_written_to(then: Callable[[socket.socket, socket.socket], object]) -> None:
    """Its marks go on loopback; then it is disconnected, and connected again."""
    s = socket.socket()
    other = os.dup(s.fileno())
    with connect_elsewhere(s) as server:
        os.write(other, b"y")
        then(s, server)
        greet_anew(s, other)


each(
    foreign,
    connected_elsewhere_first=lambda: by_a_number_written_to(lambda s, _: s.send(b"x")),
    connected_elsewhere_and_reset=lambda: by_a_number_written_to(lambda _, server: reset(server)),
    connected_to_the_resolver_as_well=lambda: after(lambda s: s.connect(RESOLVER)),
    after_it_could_not_listen=lambda: after(lambda s: s.listen()),
    after_a_second_connect=lambda: after(connect_elsewhere),
)


@foreign
def connected_elsewhere_and_reset_in_the_background() -> None:
    """The kernel disconnects by itself, when the second connect tells how the first one ended."""
    s = socket.socket()
    other = os.dup(s.fileno())
    s.setblocking(False)
    with connect_elsewhere(s) as server:
        select.select([], [s], [], 5)
        os.write(other, b"y")
        reset(server)
        time.sleep(0.1)
        s.connect_ex(server.getsockname())
        s.setblocking(True)
        s.connect(address())
        os.write(other, hello())


def _greet_until_reset(s: socket.socket) -> None:
    """The server resets the connection behind a hello with an allowed name."""
    s.setblocking(False)
    s.connect_ex(address(RESETS))
    select.select([], [s], [], 5)
    s.send(hello(HOST))
    ended = select.poll()
    ended.register(s, select.POLLHUP)
    ended.poll(5000)


def _connect_anew(s: socket.socket) -> None:
    s.connect_ex(address())  # tells how it ended
    error = s.connect_ex(address())
    if error != errno.EINPROGRESS:
        raise OSError(error, os.strerror(error))
    select.select([], [s], [], 5)


@foreign
def connected_anew_after_a_hello() -> None:
    """On the next connection the question whether there is TLS comes first."""
    s = socket.socket()
    _greet_until_reset(s)
    _connect_anew(s)
    s.send(SSL_REQUEST)
    s.send(hello())


@foreign
def greeted_by_another_number() -> None:
    """The connection is made anew by a number that nothing was written on; by it something is sent, so that the
    question after the hello of before looks as if the handshake went on."""
    s = socket.socket()
    other = s.dup()
    _greet_until_reset(s)
    _connect_anew(other)
    other.send(GSS_REQUEST)
    s.send(SSL_REQUEST)
    s.send(hello())


@foreign
def connected_elsewhere_by_a_forked_copy() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    s, where, data, ready, go = socket.socket(), address(), hello(), os.pipe(), os.pipe()

    def connect_and_write() -> None:
        s.connect(server.getsockname())
        s.send(b"x")
        disconnect(s.fileno())
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os.write(s.fileno(), data)

    end = copy_does(connect_and_write)
    os.read(ready[0], 1)
    connecting = refusal(lambda: s.connect(where))
    os.write(go[1], b"x")
    writing = refusal(end)
    raise_from(connecting or writing or 0)


@foreign
def accepted_first() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    number = connected().detach()
    other = os.dup(accepted.fileno())
    os.dup2(other, number)  # which keeps its mark
    with socket.socket(fileno=number) as s:
        greet_anew(s, other)


@way
def allowed_name_on_a_connection_taken_back() -> None:
    """Nothing was written on the first one."""
    s = socket.socket()
    with connect_elsewhere(s):
        disconnect(s.fileno())
        s.connect(address())
        s.send(hello(HOST))


def full() -> tuple[int, int]:
    """A pair of which nothing more fits into the second."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            theirs.send(bytes(4096))
    theirs.setblocking(True)
    return ours.detach(), theirs.detach()


def wait_until_it_waits(thread: threading.Thread) -> None:
    """By two looks: what it waits for first may be Python's own lock."""
    status = Path(f"/proc/self/task/{thread.native_id}/stat")
    for _ in range(100):
        time.sleep(0.02)
        if status.read_text().rpartition(")")[2].split()[0] == "S":
            time.sleep(0.02)
            return


@way
def a_write_that_waits_meanwhile() -> None:
    """A thread waits in a write to a full socket. Its number is made a connection to an allowed host, whose first bytes
    are yet to be looked at, and a signal has the kernel begin the write anew, with what it finds there now (signal(7),
    SA_RESTART)."""
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR1, False)
    (reads, number), data, results = full(), hello(), list[int | None]()
    writer = threading.Thread(target=lambda: results.append(refusal(lambda: os.write(number, data))), daemon=True)
    writer.start()
    wait_until_it_waits(writer)
    os.dup2(connected().detach(), number)
    assert writer.ident is not None
    signal.pthread_kill(writer.ident, signal.SIGUSR1)
    writer.join(5)
    os.close(reads)
    raise_from((results[0] or 0) if results else errno.ETIMEDOUT)
