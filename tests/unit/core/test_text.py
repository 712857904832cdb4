"""text.h and memory.c: pieces of text, the bounded writer, JSON strings."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cffi import FFI
from hypothesis import example, given
from hypothesis import strategies as st

from harness.compiling import compile_c
from unit.core.native import CORE, FLAGS, TRAP, Native

pytestmark = pytest.mark.promise("policy.parsers")


@pytest.mark.parametrize(
    ("value", "most", "number"),
    [
        *(("0", 9, 0), ("65535", 65535, 65535), ("00080", 65535, 80), ("4294967295", 2**32 - 1, 2**32 - 1)),
        *(("65536", 65535, None), ("4294967296", 2**32 - 1, None), ("9" * 26, 2**32 - 1, None)),
        *((value, 9, None) for value in ("", "-1", "+1", " 1", "1x", "0x1")),
    ],
)
def test_number(native: Native, value: str, most: int, number: int | None) -> None:
    to = native.ffi.new("uint32_t *")
    assert native.lib.text_number(native.text(value), most, to) == (number is not None)
    assert number is None or to[0] == number


@given(one=st.text("aA[{é", max_size=3), other=st.text("aA[{É", max_size=3))
@example(one="[", other="{")  # 0x20 apart, and no letters
@example(one="abcd", other="cd")
def test_comparisons(native: Native, one: str, other: str) -> None:
    a, b, lib = native.text(one), native.text(other), native.lib
    lower = [bytes(each, "utf-8").lower() for each in (one, other)]  # of ASCII alone
    assert (lib.text_equal(a, b), lib.text_equal_nocase(a, b)) == (one == other, lower[0] == lower[1])
    assert (lib.text_starts(a, b), lib.text_ends(a, b)) == (one.startswith(other), one.endswith(other))


def test_text_of_takes_null(native: Native) -> None:
    assert native.lib.text_of(native.ffi.NULL).len == 0
    assert native.lib.text_of(native.ffi.new("char[]", b"abc")).len == 3


@given(parts=st.lists(st.binary(max_size=12)), cap=st.integers(0, 40))
def test_a_writer_never_overruns(native: Native, parts: list[bytes], cap: int) -> None:
    writer = native.writer(cap)
    for part in parts:
        native.lib.put(writer, native.text(part))
    whole = b"".join(parts)
    assert native.written(writer) == whole[:cap]
    assert bool(writer.full) == (len(whole) > cap)


@given(number=st.integers(0, 2**64 - 1))
def test_put_number(native: Native, number: int) -> None:
    writer = native.writer(20)
    native.lib.put_number(writer, number)
    assert native.written(writer).decode() == str(number)


def put_json(native: Native, value: bytes, limit: int = 2**32 - 1, cap: int = 4096) -> tuple[bytes, bool]:
    writer = native.writer(cap)
    whole = native.lib.put_json(writer, native.text(value), limit)
    return native.written(writer), bool(whole)


@given(value=st.binary(max_size=200))
def test_json_of_any_bytes_is_valid_ascii_safe_text(native: Native, value: bytes) -> None:
    raw, whole = put_json(native, value)
    assert whole
    assert not any(byte < 0x20 or byte == 0x7F for byte in raw)
    # A fault replaces a byte at a time where Python may replace several at once.
    said = json.loads(f'"{raw.decode()}"')
    assert said.replace("\ufffd", "") == value.decode(errors="replace").replace("\ufffd", "")


@pytest.mark.parametrize(
    "value",
    [
        *(b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80"),  # overlong
        *(b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),  # a surrogate, and beyond Unicode
        *(b"\xff", b"\xc3", b"\xe2\x82"),  # never, and cut
    ],
)
def test_json_replaces_what_is_not_utf8(native: Native, value: bytes) -> None:
    raw, _ = put_json(native, b"a" + value + b"b")
    assert raw.decode() == "a" + "\ufffd" * len(value) + "b"


@given(value=st.text(max_size=60) | st.binary(max_size=60), limit=st.integers(0, 80), cap=st.integers(0, 80))
def test_json_stops_at_a_whole_character(native: Native, value: str | bytes, limit: int, cap: int) -> None:
    encoded = value.encode() if isinstance(value, str) else value
    everything, _ = put_json(native, encoded)
    raw, whole = put_json(native, encoded, limit, cap)
    assert len(raw) <= min(limit, cap)
    assert whole == (len(everything) <= min(limit, cap))
    assert everything.startswith(raw)
    json.loads(f'"{raw.decode()}"')
    # No more is left out than one character takes.
    assert whole or len(raw) > min(limit, cap) - 6


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """memory.c under other names, so that it is not the libc's functions that are tested."""
    declared = """void *core_memcpy(void *, const void *, size_t); void *core_memmove(void *, const void *, size_t);
        void *core_memset(void *, int, size_t); int core_memcmp(const void *, const void *, size_t);"""
    # For Windows they are not hidden.
    renamed = ["-D_WIN32", *(f"-D{name}=core_{name}" for name in re.findall(r"core_(\w+)", declared))]
    library = tmp_path_factory.mktemp("memory") / "libmemory.so"
    compile_c([CORE / "memory.c"], library, *FLAGS, *TRAP, *renamed, "-ffreestanding", "-fPIC", "-shared")
    ffi: Any = FFI()
    ffi.cdef(declared)
    return ffi, ffi.dlopen(str(library))


@given(content=st.binary(min_size=1, max_size=64), data=st.data())
def test_memmove_takes_overlaps(memory: tuple[Any, Any], content: bytes, data: st.DataObject) -> None:
    ffi, lib = memory
    start = data.draw(st.integers(0, len(content)))
    to = data.draw(st.integers(0, len(content)))
    size = data.draw(st.integers(0, len(content) - max(start, to)))
    buffer = ffi.new("uint8_t[]", content)
    expected = bytearray(content)
    expected[to : to + size] = content[start : start + size]
    assert lib.core_memmove(buffer + to, buffer + start, size) == buffer + to
    assert bytes(ffi.buffer(buffer, len(content))) == bytes(expected)


@given(content=st.binary(max_size=64), byte=st.integers(-300, 300), size=st.integers(0, 64))
def test_memcpy_and_memset(memory: tuple[Any, Any], content: bytes, byte: int, size: int) -> None:
    ffi, lib = memory
    size = min(size, len(content))
    to = ffi.new("uint8_t[]", b"?" * 80)
    lib.core_memcpy(to + 3, content, size)
    assert bytes(ffi.buffer(to, 80)) == b"???" + content[:size] + b"?" * (77 - size)
    lib.core_memset(to + 3, byte, size)
    assert bytes(ffi.buffer(to, 80)) == b"???" + bytes([byte & 0xFF]) * size + b"?" * (77 - size)


@given(one=st.binary(max_size=20), other=st.binary(max_size=20))
def test_memcmp(memory: tuple[Any, Any], one: bytes, other: bytes) -> None:
    _, lib = memory
    size = min(len(one), len(other))
    order = lib.core_memcmp(one, other, size)
    a, b = one[:size], other[:size]
    assert (order > 0) - (order < 0) == (a > b) - (a < b)
