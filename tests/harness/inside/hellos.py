"""Runs inside the sandbox: what the ways to say a server name have in common (server_names.py, lost_peers.py)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import ssl
import struct
from collections.abc import Callable
from typing import cast

LIBC = ctypes.CDLL(None, use_errno=True)
HOST, PORT = "allowed.example", 443
RESETS = 5432  # where the server resets each connection once something came
FOREIGN = "evil.example"
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
CHANGE = b"\x14\x03\x03\x00\x01\x01"  # of the cipher spec (RFC 8446, 5)
GSS_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x30"
WAYS: dict[str, Callable[[], None]] = {}


def way(function: Callable[[], None]) -> Callable[[], None]:
    WAYS[function.__name__] = function
    return function


# What a way is for: to say a foreign name, which is refused; to do what passes.
foreign = passing = way


def each(declare: Callable[[Callable[[], None]], object], /, **functions: Callable[[], object]) -> None:
    """Declares expressions as ways, by these names."""
    for name, function in functions.items():
        function.__name__ = name
        declare(cast("Callable[[], None]", function))


def checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def hello(name: str | None = FOREIGN) -> bytes:
    """A ClientHello as OpenSSL sends it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def with_extensions(extensions: bytes) -> bytes:
    """A ClientHello of our own with these extensions."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!HH", kind, len(data)) + data


def server_name(name: str) -> bytes:
    entry = b"\x00" + struct.pack("!H", len(name)) + name.encode()
    return extension(0, struct.pack("!H", len(entry)) + entry)


def connected(host: str = HOST, port: int = PORT) -> socket.socket:
    return socket.create_connection((host, port), timeout=5)


def send_all(*pieces: bytes) -> None:
    """On one connection, one write after the other."""
    s = connected()
    for piece in pieces:
        s.send(piece)


def cut(data: bytes, at: int) -> tuple[bytes, bytes]:
    return data[:at], data[at:]


def address(port: int = PORT) -> tuple[str, int]:
    return socket.getaddrinfo(HOST, port, socket.AF_INET, socket.SOCK_STREAM)[0][4][:2]  # type: ignore[return-value]


def taken_over(s: socket.socket) -> int:
    """Another number of it, as a process gets it that it is handed over to."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [s.fileno()])
        return socket.recv_fds(theirs, 1, 1)[1][0]
