"""python_objects.h, python_layout.h: lines and texts of CPython's objects, compared with what the interpreter says."""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from types import CodeType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unit.core.native import Native

pytestmark = pytest.mark.promise("alert.caller-python")

WORDS = 93
PAGE = 4096


def line_of(native: Native, table: bytes, first_line: int, unit: int, piece: int = 1 << 16) -> int:
    """What the table says of a unit, given in pieces."""
    search = native.ffi.new("struct line_search *")
    native.lib.line_search_begin(search, first_line, unit)
    for start in range(0, len(table), piece):
        part = table[start : start + piece]
        if native.lib.line_search_feed(search, native.ffi.cast("uint8_t *", native.room.place(part)), len(part)):
            break
    return native.lib.line_search_end(search)


def every_code(code: CodeType) -> list[Any]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [code, *(each for one in inner for each in every_code(one))]


SOURCES = [inspect.getsource(module) for module in (ast, json, textwrap)]
LONG = "\n" * 70_000 + "def far():\n" + "".join(f"    x{i} = [\n\n{i}\n, y]\n" for i in range(200)) + "\n\nfar(\n\n1)\n"
NO_LINES = "def f():\n    try:\n        yield 1\n    except E as e:\n        return [\n            e for e in g]\n"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 keeps lines in another way, and is not read")
@pytest.mark.parametrize("source", [*SOURCES, LONG, NO_LINES], ids=["ast", "json", "textwrap", "long", "no_lines"])
def test_lines_are_those_that_the_interpreter_says(native: Native, source: str) -> None:
    seen = 0
    for code in every_code(compile(source, "x.py", "exec")):
        positions = [start or 0 for start, *_ in code.co_positions()]
        for unit in range(0, len(positions), max(1, len(positions) // 25)):
            said = line_of(native, code.co_linetable, code.co_firstlineno, unit, piece=1 + unit % 7)
            assert said == positions[unit], (code.co_qualname, unit)
            seen += 1
    assert seen > 20


def test_what_the_table_does_not_reach_has_no_line(native: Native) -> None:
    one_line_further = bytes([0x80 | 11 << 3, 0, 0])
    assert [line_of(native, one_line_further, 1, unit) for unit in (0, 1, 10_000)] == [2, 0, 0]
    assert line_of(native, b"", 7, 0) == 0


@given(table=st.binary(max_size=200), unit=st.integers(0, 2**32 - 1), piece=st.integers(1, 200))
def test_any_table_is_read_to_its_end(native: Native, table: bytes, unit: int, piece: int) -> None:
    """And in whatever pieces it comes, it says the same."""
    assert line_of(native, table, 1, unit) == line_of(native, table, 1, unit, piece)


def written(native: Native, text: str, cap: int = PAGE) -> bytes:
    """A str as CPython keeps it: in the narrowest of three widths."""
    highest = max(map(ord, text), default=0)
    width, encoding = (1, "latin-1") if highest < 256 else (2, "utf-16-le") if highest < 65536 else (4, "utf-32-le")
    raw = text.encode(encoding, "surrogatepass")
    writer = native.writer(cap)
    place = native.ffi.cast("uint8_t *", native.message.place(raw))
    native.lib.put_str(writer, place, len(text), width)
    return native.written(writer)


@given(text=st.text(max_size=100))
@example("app.py")
@example("päckage/ÿ")
@example("名前.py")
@example("\U0001f600.py")
def test_a_text_is_that_in_utf_8(native: Native, text: str) -> None:
    assert written(native, text) == text.encode("utf-8", "surrogatepass")


@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=60), cap=st.integers(0, 60))
def test_a_text_is_cut_at_a_whole_character(native: Native, text: str, cap: int) -> None:
    whole = text.encode()
    cut = written(native, text, cap)
    assert whole.startswith(cut)
    assert text.startswith(cut.decode())
    assert cut == whole or len(cut) > cap - 4


def test_what_is_no_character(native: Native) -> None:
    writer = native.writer()
    raw = native.ffi.cast("uint8_t *", native.message.place(b"\xff\xff\xff\xff\0\0\x11\0"))
    native.lib.put_str(writer, raw, 2, 4)
    assert native.written(writer).decode() == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        *((0b1_1_001_01, (1, True)), (0b1_1_001_00, (1, True)), (0b0_1_001_01, (1, False))),
        *((0b0_1_010_00, (2, False)), (0b11_0_1_100_10, (4, False))),
        (0b0_0_001_00, None),  # not behind its head
        *((state, None) for state in (0b0_1_000_00, 0b0_1_011_00, 0b0_1_111_00, 0)),
    ],
)
def test_how_a_text_is_kept(native: Native, state: int, expected: tuple[int, bool] | None) -> None:
    shape = native.ffi.new("struct str_shape *")
    good = native.lib.str_shape_from(state, shape)
    assert ((shape.width, shape.is_ascii) if good else None) == expected


def offsets(native: Native, words: list[int]) -> list[int] | None:
    layout = native.ffi.new("struct python_layout *")
    return list(layout.offset) if native.lib.python_layout_from(words, layout) else None


def said(version: int, **changed: Any) -> list[int]:
    """A `_Py_DebugOffsets` whose words say different offsets."""
    words = [8 * number for number in range(WORDS)]
    words[:3] = [int.from_bytes(b"xdebugpy", "little"), version << 16 | 0x03F0, 0]
    for place, value in changed.items():
        words[int(place[1:])] = value
    return words


@pytest.mark.parametrize("version", [0x30B, 0x30C, 0x30A, 0x30D, 0x310, 0, 2**32 - 1])
def test_versions_whose_offsets_are_known(native: Native, version: int) -> None:
    layout = native.ffi.new("struct python_layout *")
    assert native.lib.python_layout_of(version, layout) is (version in (0x30B, 0x30C))
    assert (layout.offset[native.lib.STR_OTHER_START] > layout.offset[native.lib.STR_ASCII_START] > 0) is (
        version in (0x30B, 0x30C)
    )


@pytest.mark.parametrize("version", [0x30D, 0x30E, 0x30F])
def test_a_runtime_that_says_its_offsets(native: Native, version: int) -> None:
    found = offsets(native, said(version))
    assert found
    fields = native.ffi.typeof("enum python_field").elements
    by_name = {name: found[number] for number, name in fields.items() if name != "PYTHON_FIELD_COUNT"}
    assert by_name.pop("C_FRAME_FRAME") == native.lib.NO_OFFSET
    assert by_name.pop("CODE_FLAGS") == by_name["CODE_FIRST_LINE"] - 20
    assert by_name.pop("STR_OTHER_START") == by_name["STR_ASCII_START"] + 16
    assert len(set(by_name.values())) == len(by_name), "each field has a word of its own"
    assert all(value % 8 == 0 and value >= 5 * 8 for value in by_name.values())


@pytest.mark.parametrize(
    "words",
    [
        *(said(0x30C), said(0x310), said(0x30D, _0=0)),
        *(said(0x30D, _2=1), said(0x30E, _2=1)),  # without a GIL
        *(said(0x30D, _5=2**14 + 1), said(0x30E, _80=2**64 - 1), said(0x30F, _92=2**64 - 1)),
    ],
)
def test_a_runtime_that_is_not_understood(native: Native, words: list[int]) -> None:
    assert offsets(native, words) is None
