"""Runs inside the sandbox: ways to say a server name on a socket that had another peer, or could have got one."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import time

from hellos import GSS_REQUEST, HOST, LIBC, RESETS, SSL_REQUEST, address, checked, connected, foreign, hello, way


@foreign
def connected_elsewhere_first() -> None:
    """Its marks go on loopback; then it is disconnected, and connected again."""
    server = socket.create_server(("127.0.0.1", 0))
    s = socket.socket()
    other = os.dup(s.fileno())
    s.connect(server.getsockname())
    s.send(b"x")
    os.write(other, b"y")
    checked(LIBC.connect(s.fileno(), bytes(16), 16))
    s.connect(address())
    os.write(other, hello())


def _reset(accepted: socket.socket) -> None:
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    accepted.close()


@foreign
def connected_elsewhere_and_reset() -> None:
    """One of its numbers was written to; the peer ends the connection, so that it looks as if there had been none."""
    server = socket.create_server(("127.0.0.1", 0))
    s = socket.socket()
    other = os.dup(s.fileno())
    s.connect(server.getsockname())
    os.write(other, b"y")
    accepted, _ = server.accept()
    _reset(accepted)
    checked(LIBC.connect(s.fileno(), bytes(16), 16))
    s.connect(address())
    os.write(other, hello())


@foreign
def connected_elsewhere_and_reset_in_the_background() -> None:
    """The kernel disconnects by itself, when the second connect tells how the first one ended."""
    server = socket.create_server(("127.0.0.1", 0))
    s = socket.socket()
    other = os.dup(s.fileno())
    s.setblocking(False)
    s.connect_ex(server.getsockname())
    accepted, _ = server.accept()
    select.select([], [s], [], 5)
    os.write(other, b"y")
    _reset(accepted)
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
    s, where, data = socket.socket(), address(), hello()
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        try:
            s.connect(server.getsockname())
            s.send(b"x")
            checked(LIBC.connect(s.fileno(), bytes(16), 16))
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            os.write(s.fileno(), data)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    os.read(ready[0], 1)
    try:
        s.connect(where)
    finally:
        os.write(go[1], b"x")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))


@foreign
def accepted_first() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    number = connected().detach()
    other = os.dup(accepted.fileno())
    os.dup2(other, number)  # which keeps its mark
    checked(LIBC.connect(number, bytes(16), 16))
    with socket.socket(fileno=number) as s:
        s.connect(address())
        os.write(other, hello())


@foreign
def connected_to_the_resolver_as_well() -> None:
    s = connected()
    with contextlib.suppress(OSError):
        s.connect(("169.254.78.1", 53))
    s.send(hello())


@foreign
def after_it_could_not_listen() -> None:
    s = connected()
    with contextlib.suppress(OSError):
        s.listen()
    s.send(hello())


@foreign
def after_a_second_connect() -> None:
    s = connected()
    server = socket.create_server(("127.0.0.1", 0))
    with contextlib.suppress(OSError):
        s.connect(server.getsockname())
    s.send(hello())


@way
def allowed_name_on_a_connection_taken_back() -> None:
    """Nothing was written on the first one."""
    server = socket.create_server(("127.0.0.1", 0))
    s = socket.socket()
    s.connect(server.getsockname())
    checked(LIBC.connect(s.fileno(), bytes(16), 16))
    s.connect(address())
    s.send(hello(HOST))
