"""Runs inside the sandbox, with queries.py: answers that nobody gave, and names that look like another's."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Sequence

from questions import (
    ALLOWED,
    CLOSING,
    DENIED,
    RESOLVER,
    address_in,
    by_udp,
    exactly,
    framed,
    over_tcp,
    query,
    use,
)
from ways import copy_returns, each, refusal, way

FORGED = "198.51.100.7"
PRIME, BASIS, LETTERS = 16777619, 2166136261, b"abcdefghijklmnopqrstuvwxyz0123456789"


def forged(number: int) -> bytes:
    """The answer to the question with this number for the allowed name, with an address that nobody gave."""
    header = struct.pack("!HHHHHH", number, 0x8180, 1, 1, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(FORGED)
    return header + query(ALLOWED)[12:] + record


@way
def forged_answer_in_the_gates_memory() -> None:
    """What was gathered from us must not be learned from, when the kernel throws the real answer away."""
    s = over_tcp(query(ALLOWED, number=0x4242))
    refusal(lambda: s.sendall(framed(forged(0x4242))))
    s.recv(2 + len(forged(0x4242)), socket.MSG_TRUNC)
    use(FORGED)


def forge(unseen: Callable[[socket.socket, int], bytes]) -> None:
    """The number of a question comes back: two bytes of each answer are read as ever, and the others in some other way.
    What was read makes up an answer that nobody gave."""
    s = over_tcp(query(ALLOWED, number=0x4242))
    s.settimeout(None)
    stream = framed(forged(0x4242))
    unseen(s, struct.unpack("!H", unseen(s, 2))[0])
    for (number,) in struct.iter_unpack("!H", stream + bytes(len(stream) % 2)):
        s.sendall(framed(query(ALLOWED, number=number)))
        (size,) = struct.unpack("!H", unseen(s, 2))
        assert s.recv(2) == struct.pack("!H", number)
        unseen(s, size - 2)
    use(FORGED)


def forge_by(read: Callable[[int, int], bytes]) -> None:
    forge(lambda s, size: exactly(lambda n: read(s.fileno(), n), size))


def read_at_an_offset(number: int, size: int) -> bytes:
    """preadv2(2): offset -1 is where the file is, which a socket has as well."""
    part = bytearray(size)
    return bytes(part[: os.preadv(number, [part], -1)])


def read_by_splice(number: int, size: int) -> bytes:
    out, into = os.pipe()
    with open(out, "rb") as pipe, open(into, "wb"):
        return os.read(pipe.fileno(), os.splice(number, into, size))


each(
    way,
    forged_by_reads_at_an_offset=lambda: forge_by(read_at_an_offset),
    forged_by_splice=lambda: forge_by(read_by_splice),
    forged_by_a_copy=lambda: forge(lambda s, size: bytes(copy_returns(lambda: list(exactly(s.recv, size))))),
    forged_by_a_program=lambda: forge(
        lambda s, size: subprocess.check_output(["/usr/bin/head", "-c", str(size)], stdin=s.fileno())
    ),
)


@way
def tcp_connected_anew() -> None:
    """Its bytes would be counted from the beginning again: the kernel ends a connection by itself when it was reset and
    nobody was told yet that it was made."""
    s = socket.socket()
    s.setblocking(False)
    assert s.connect_ex(RESOLVER) == errno.EINPROGRESS
    select.select([], [s], [], 5)
    s.sendall(framed(query(CLOSING)))
    time.sleep(0.2)
    s.recv(500)
    s.sendall(framed(query(ALLOWED)))
    time.sleep(0.2)
    with contextlib.suppress(BrokenPipeError):
        s.connect(RESOLVER)
    s.connect(RESOLVER)


@way
def a_looser_rule_by_a_name_that_looks_like_it() -> None:
    """The question for the name under the narrower entry is found again by the hash of one under the wider."""
    with by_udp(query(twin(ALLOWED, "wild.example"), 1, 0)) as s:
        time.sleep(0.2)
        s.sendto(query(ALLOWED, 1, 0), RESOLVER)
        time.sleep(0.2)
        use(address_in(s.recv(512)))


def twin(name: str, parent: str = DENIED) -> str:
    """Another name of which the hash is the same by which the gate finds its questions again (32 bits, FNV-1a): met in
    the middle of a label of seven letters."""

    def after(state: int, text: bytes) -> int:
        for c in text:
            state = (state ^ c) * PRIME & 0xFFFFFFFF
        return state

    def before(state: int, text: Sequence[int]) -> int:
        for c in reversed(text):
            state = state * inverse & 0xFFFFFFFF ^ c
        return state

    inverse = pow(PRIME, -1, 1 << 32)
    beginnings = {after(BASIS, bytes(text)): bytes(text) for text in itertools.product(LETTERS, repeat=3)}
    end = before(after(BASIS, name.encode()), f".{parent}".encode())
    for text in itertools.product(LETTERS, repeat=4):
        if beginning := beginnings.get(before(end, text)):
            return f"{(beginning + bytes(text)).decode()}.{parent}"
    raise AssertionError(f"{name} has no twin; take another name")


@way
def two_names_that_look_like_one() -> None:
    """An IPv4 and an IPv6 address, as of one name."""
    decoy = f"decoy.{DENIED}"
    by_udp(query(decoy), query(twin(decoy), 28)).recv(512)


@way
def an_answer_that_looks_like_anothers() -> None:
    """It comes in when an allowed question was asked that has the same number and hash."""
    with by_udp(query(twin(ALLOWED), 1, 0), query(ALLOWED, 1, 0)) as s:
        use(address_in(s.recv(512)))
