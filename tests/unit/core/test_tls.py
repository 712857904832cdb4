"""tls.h: what comes after a ClientHello. Bytes lie at the end of a page: a read beyond them is a crash."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from unit.core.native import Native

CHANGE = b"\x14\x03\x03\x00\x01\x01"
SIZES = (32, 36, 40, 48, 64, 80)  # of the records that carry a Finished, by cipher suite
LONGEST = 256 << 10
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def record(payload: bytes) -> bytes:
    return b"\x16\x03\x03" + struct.pack(">H", len(payload)) + payload


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def client_hello(name: bytes = b"evil.example", session: bytes = b"", version: bytes = b"\x03\x03") -> bytes:
    entry = b"\0" + struct.pack(">H", len(name)) + name
    listed = struct.pack(">H", len(entry)) + entry
    extensions = struct.pack(">HH", 0, len(listed)) + listed
    body = version + bytes(range(32)) + bytes([len(session)]) + session + b"\x00\x02\x13\x01\x01\x00"
    return message(1, body + struct.pack(">H", len(extensions)) + extensions)


def read_next(native: Native, data: bytes) -> tuple[Any, Any]:
    hello = native.ffi.new("struct client_hello *")
    memory = native.ffi.cast("uint8_t *", native.message.place(data))
    return native.lib.tls_read_next(memory, len(data), hello), hello


def is_hello(native: Native, data: bytes) -> bool:
    return bool(read_next(native, data)[0] == native.lib.TLS_HELLO)


@given(head=st.binary(min_size=4, max_size=4), size=st.sampled_from(SIZES), fill=st.binary(min_size=80, max_size=80))
@example(head=b"\x01\xff\xff\xff", size=40, fill=bytes(80))
@example(head=b"\x01\x00\x00\x20", size=40, fill=b"\xff" * 80)
@example(head=b"\x01\x00\x00\x3c", size=64, fill=b"\xff" * 80)
def test_a_finished_is_no_hello(native: Native, head: bytes, size: int, fill: bytes) -> None:
    """Unless its first bytes say that a hello begins there, which further records would end."""
    length = int.from_bytes(head[1:], "big")
    could_be = head[0] == 1 and (size - 4 < length <= LONGEST or 41 <= length <= size - 4)
    assume(not could_be)
    data = CHANGE + record((head + fill)[:size])
    start, hello = read_next(native, data)
    assert start == native.lib.TLS_NOT
    assert len(CHANGE) + 6 <= hello.end <= len(data)


@pytest.mark.parametrize("size", SIZES)
def test_whatever_a_finished_begins_with(native: Native, size: int) -> None:
    for first in range(256):
        payload = bytes([first]) + b"\xa5" * (size - 1)
        assert not is_hello(native, CHANGE + record(payload))
        assert not is_hello(native, record(payload))


@pytest.mark.parametrize("version", [b"\x03\x03", b"\x03\x01", b"\x04\x07"])
@pytest.mark.parametrize("session", [b"", bytes(32), bytes(33)])
def test_a_second_hello_is_one_wherever_it_is_cut(native: Native, session: bytes, version: bytes) -> None:
    whole = client_hello(session=session, version=version)
    assert is_hello(native, record(whole))
    for at in range(1, len(whole)):
        assert is_hello(native, record(whole[:at])), at
        assert is_hello(native, CHANGE + record(whole[:at])), at
        assert is_hello(native, CHANGE + record(whole[:at]) + record(whole[at:])), at
        assert is_hello(native, CHANGE + record(whole)[: 5 + at]), at


@given(name=st.binary(min_size=1, max_size=80), session=st.binary(max_size=40), behind=st.binary(max_size=80))
def test_a_second_hello_with_something_behind_it(native: Native, name: bytes, session: bytes, behind: bytes) -> None:
    """In its record, or behind that: what some server could take for one has no name, which is refused."""
    whole = client_hello(name, session)
    for data in (record(whole + behind), record(whole) + behind):
        start, hello = read_next(native, data)
        assert start == native.lib.TLS_HELLO
        assert not hello.name.len or not behind


def test_a_second_hello_says_its_name(native: Native) -> None:
    _, hello = read_next(native, CHANGE + record(client_hello()))
    assert native.string(hello.name) == "evil.example"


def server_hello(random: bytes, body: bytes = bytes(40)) -> bytes:
    return record(message(2, b"\x03\x03" + random + body))


def is_answered(native: Native, data: bytes) -> bool:
    memory = native.ffi.cast("uint8_t *", native.message.place(data))
    return bool(native.lib.tls_is_answered(memory, len(data)))


@given(random=st.binary(min_size=32, max_size=32), behind=st.binary(max_size=20))
@example(random=RETRY, behind=b"")
@example(random=RETRY[:7] + bytes(25), behind=b"")
def test_what_asks_for_no_second_hello(native: Native, random: bytes, behind: bytes) -> None:
    assert is_answered(native, server_hello(random) + behind) == (random != RETRY)


@given(cut=st.integers(0, 42))
def test_too_little_is_no_answer(native: Native, cut: int) -> None:
    assert not is_answered(native, server_hello(bytes(32))[:cut])


@given(at=st.sampled_from([0, 1, 3, 5, 6]), byte=st.integers(0, 255))
def test_what_else_a_server_says_first_is_no_answer(native: Native, at: int, byte: int) -> None:
    """The length may be another: it is the first record's, and the message's."""
    data = bytearray(server_hello(bytes(32)))
    data[at] = byte
    may_differ = at in (3, 6)
    assert is_answered(native, bytes(data)) == (may_differ or byte == server_hello(bytes(32))[at])


@given(data=st.binary(max_size=100))
def test_nothing_is_read_beyond(native: Native, data: bytes) -> None:
    is_answered(native, data)
    read_next(native, data)
    read_next(native, CHANGE + record(data))
