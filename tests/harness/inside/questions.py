"""Questions to the name server and its answers, for the programs that ask in odd ways; and the ways' register."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import cast

RESOLVER = ("169.254.78.1", 53)
SERVER = "203.0.113.9"
ALLOWED, DENIED = "allowed.example", "denied.example"
CLOSING = "closing.wild.example"  # the server hangs up behind its answer
NO_SUCH_NAME = 1002
WAYS: dict[str, Callable[[], None]] = {}


def way(function: Callable[[], None]) -> Callable[[], None]:
    WAYS[function.__name__] = function
    return function


# What a way is for: to ask for an allowed name, or for a denied one.
allowed = denied = way


def each(declare: Callable[[Callable[[], None]], object], /, **functions: Callable[[], object]) -> None:
    """Declares expressions as ways, by these names."""
    for name, function in functions.items():
        function.__name__ = name
        declare(cast("Callable[[], None]", function))


def query(name: str, kind: int = 1, number: int = 0x1234) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\x00" + struct.pack("!HH", kind, 1)


def framed(*queries: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(q)) + q for q in queries)


def over_tcp() -> socket.socket:
    return socket.create_connection(RESOLVER, timeout=5)


def exactly(read: Callable[[int], bytes], size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = read(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def answer(read: Callable[[int], bytes]) -> bytes:
    """One answer from a stream, its length read first, as libraries do."""
    (size,) = struct.unpack("!H", exactly(read, 2))
    return exactly(read, size)


def address_in(message: bytes) -> str:
    if message[3] & 15:
        raise OSError(NO_SUCH_NAME, "no such name")
    return socket.inet_ntoa(message[-4:])


def use(address: str) -> None:
    socket.create_connection((address, 80), timeout=5).close()


def by_udp(*queries: bytes) -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    for message in queries:
        s.sendto(message, RESOLVER)
    return s


def to_resolver() -> socket.socket:
    """A UDP socket that is connected to the name server."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(RESOLVER)
    return s
