"""v8_layout.h: the versions that are known, and the sizes of bytecodes."""

from __future__ import annotations

import pytest

from unit.core.native import Native

NODE_20, NODE_22, NODE_24 = 0x0B03, 0x0C04, 0x0D06


@pytest.mark.parametrize("version", [NODE_20, NODE_22, NODE_24])
def test_a_version_that_is_known(native: Native, version: int) -> None:
    assert native.lib.v8_layout_of(version).version == version


@pytest.mark.parametrize("version", [0, NODE_20 - 1, NODE_22 + 1, NODE_24 + 1, 0x0E00, 2**32 - 1])
def test_any_other_has_no_row(native: Native, version: int) -> None:
    """Whatever it keeps elsewhere would be read wrongly."""
    assert native.lib.v8_layout_of(version) == native.ffi.NULL


@pytest.mark.parametrize(("version", "count"), [(NODE_22, 203), (NODE_24, 208)])
def test_the_sizes_of_bytecodes(native: Native, version: int, count: int) -> None:
    """Prefixes and breakpoints come first, then Ldar with one register; wider operands take more, and never less."""
    sizes = [[native.lib.v8_bytecode_size(version, code, scale) for code in range(256)] for scale in (1, 2, 4)]
    assert sizes[0][:12] == [1, 1, 1, 1, 1, 2, 3, 4, 5, 5, 6, 2]
    assert [row[11] for row in sizes] == [2, 3, 5]
    for one, two, four in zip(*(row[:count] for row in sizes), strict=True):
        assert 1 <= one <= two <= four <= 21
        assert four - two == 2 * (two - one)
    assert all(set(row[count:]) == {0} for row in sizes)


def test_a_version_without_a_table_has_no_sizes(native: Native) -> None:
    assert {native.lib.v8_bytecode_size(NODE_20, code, 1) for code in range(256)} == {0}
