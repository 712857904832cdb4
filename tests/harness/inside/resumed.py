"""Runs inside the sandbox: what a client sends after a ClientHello, by how the server answered it.

Prints how many of its connections were refused.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

from hellos import CHANGE, FOREIGN, HOST, LIBC, connected, server_name, with_extensions

ANSWERS, RETRIES = 7443, 7444  # tests/integration/engine/test_resumed_sessions.py
SIZES = (32, 36, 40, 48, 64, 80)  # of what a Finished is in, by cipher suite


def record(payload: bytes) -> bytes:
    return b"\x16\x03\x03" + len(payload).to_bytes(2, "big") + payload


def greeted(port: int) -> socket.socket:
    s = connected(HOST, port)
    s.sendall(with_extensions(server_name(HOST)))
    return s


def take_answer(s: socket.socket) -> None:
    """As OpenSSL does: a record's header, and then the record."""
    for how in (s.recv, lambda n: os.read(s.fileno(), n)):
        if len(header := how(5)) < 5:
            raise ConnectionResetError
        how(int.from_bytes(header[3:], "big"))


def finished() -> Iterator[bytes]:
    """All that one may begin with; and such as look like a ClientHello that is cut, or whole."""
    whole = with_extensions(server_name(FOREIGN))[5:]
    for size in SIZES:
        yield from (bytes([first]) + os.urandom(size - 1) for first in range(256))
        yield whole[:size]
    yield whole


def sessions_that_are_resumed() -> int:
    refused = 0
    for payload in finished():
        with greeted(ANSWERS) as s:
            try:
                take_answer(s)
                s.sendall(CHANGE + record(payload))
                s.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            except OSError:
                refused += 1
    return refused


def _cut() -> Iterator[list[bytes]]:
    """The second hello, with a foreign name: whole, in two records, in two writes."""
    whole = with_extensions(server_name(FOREIGN))[5:]
    yield [CHANGE + record(whole)]
    yield [CHANGE, record(whole)]
    for at in (1, 3, 4, 32, 36, 40, 48, 64, 80):
        yield [CHANGE + record(whole[:at]) + record(whole[at:])]
        yield [CHANGE + record(whole[:at]), record(whole[at:])]
        yield [(CHANGE + record(whole))[: at + 11], record(whole)[at + 5 :]]


def _by_the_whole(s: socket.socket) -> None:
    s.recv(4096)


def _at_an_offset(s: socket.socket) -> None:
    """What the server sends back of what it was sent, as if that were its answer."""
    s.recv(44)
    s.recv(4096)


def _at_an_offset_by_option(s: socket.socket) -> None:
    s.setsockopt(socket.SOL_SOCKET, 42, 44)  # SO_PEEK_OFF, since Linux 6.9
    s.recv(4096)


def _before_it_is_taken(s: socket.socket) -> None:
    s.recv(10, socket.MSG_PEEK)


READS = (take_answer, _by_the_whole, _at_an_offset, _at_an_offset_by_option, _before_it_is_taken)


def second_hellos() -> int:
    refused = 0
    for pieces in _cut():
        for take in READS:
            with greeted(RETRIES) as s:
                try:
                    take(s)
                    for piece in pieces:
                        s.sendall(piece)
                except OSError:  # refused; or there is no such option for TCP
                    refused += 1
    return refused


def in_blocking_and_other_reads() -> int:
    """What a read gives is what it would give: an end, nothing yet, too little time."""
    with greeted(ANSWERS) as s:
        s.settimeout(None)
        assert s.recv(0) == b""
        assert os.read(s.fileno(), 0) == b""
        assert os.readv(s.fileno(), [bytearray(0), bytearray(0)]) == 0
        assert len(os.read(s.fileno(), 5)) == 5
    with connected(HOST, 443) as s:  # which never answers
        s.sendall(with_extensions(server_name(HOST)))
        s.setblocking(False)
        for read in (s.recv, lambda n: os.read(s.fileno(), n)):
            try:
                read(5)
            except BlockingIOError:
                continue
            return 1
        s.setblocking(True)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, (0).to_bytes(8, "little") + (50_000).to_bytes(8, "little"))
        room = bytes(10)
        return int(LIBC.recv(s.fileno(), room, 5, 0) != -1)


if __name__ == "__main__":
    print(globals()[sys.argv[1]]())
