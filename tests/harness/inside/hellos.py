"""Runs inside the sandbox: what the ways to say a server name have in common (server_names.py, lost_peers.py)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from ways import refusal, tried, way

HOST, PORT = "allowed.example", 443
RESETS = 5432  # where the server resets each connection once something came
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
CHANGE = b"\x14\x03\x03\x00\x01\x01"  # of the cipher spec (RFC 8446, 5)
GSS_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x30"

# What a way is for: to say a foreign name, which is refused; to do what passes.
foreign = passing = way


def foreign_name() -> str:
    """Of the way that is tried."""
    return f"by.{tried[-1]}.evil.example" if tried else "evil.example"


def unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def hello(name: str | None = "") -> bytes:
    """A ClientHello as OpenSSL sends it: for the foreign name if none is given, and without a name for None."""
    outgoing = ssl.MemoryBIO()
    server_hostname = foreign_name() if name == "" else name
    client = unchecked().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_hostname)
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


def server_name(*names: str) -> bytes:
    entries = b"".join(b"\x00" + struct.pack("!H", len(name)) + name.encode() for name in names)
    return extension(0, struct.pack("!H", len(entries)) + entries)


def connected(host: str = HOST, port: int = PORT) -> socket.socket:
    return socket.create_connection((host, port), timeout=5)


def send_all(*pieces: bytes) -> None:
    """On one connection, one write after the other."""
    s = connected()
    for piece in pieces:
        s.send(piece)


def cut(data: bytes, *at: int) -> list[bytes]:
    return [data[begin:end] for begin, end in pairwise((0, *at, len(data)))]


def address(port: int = PORT) -> tuple[str, int]:
    return socket.getaddrinfo(HOST, port, socket.AF_INET, socket.SOCK_STREAM)[0][4][:2]  # type: ignore[return-value]


def joined(s: socket.socket) -> socket.socket:
    s.connect(address())
    return s


def after(step: Callable[[socket.socket], object]) -> None:
    """A step on the connection that may fail comes first."""
    s = connected()
    refusal(partial(step, s))
    s.send(hello())
