"""Questions to the name server and its answers, for the programs that ask in odd ways."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from ways import way

RESOLVER = ("169.254.78.1", 53)
SERVER = "203.0.113.9"
ALLOWED, DENIED = "allowed.example", "denied.example"
CLOSING = "closing.wild.example"  # the server hangs up behind its answer

# What a way is for: to ask for an allowed name, or for a denied one.
allowed = denied = way


def query(name: str, kind: int = 1, number: int = 0x1234) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode("latin-1") for part in name.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\x00" + struct.pack("!HH", kind, 1)


def framed(*queries: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(q)) + q for q in queries)


def over_tcp(*queries: bytes) -> socket.socket:
    s = socket.create_connection(RESOLVER, timeout=5)
    if queries:
        s.sendall(framed(*queries))
    return s


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
        raise OSError(socket.EAI_NONAME, "no such name")
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
