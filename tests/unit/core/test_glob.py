"""glob_match: the patterns of allow_tmp."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unit.core.native import Native

pytestmark = pytest.mark.promise("tmp.allowed-paths")

_TOKENS = re.compile(r"(?<=/)\*\*/|/\*\*$|\*\*|\*|\?|.", re.DOTALL)
_REGEX = {"**/": "(?:[^/]*/)*", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(pattern: str, path: str) -> bool:
    """The same rules by way of a regular expression."""
    regex = "".join(_REGEX.get(token) or re.escape(token) for token in _TOKENS.findall(pattern))
    return re.fullmatch(regex, path, re.DOTALL) is not None


def glob(native: Native, pattern: str, path: str) -> bool:
    return native.lib.glob_match(native.text(pattern), native.text(path))


@given(
    pattern=st.lists(st.sampled_from(["a", "b", "/", "*", "**", "?", "**/", "/**", "/**/"]), max_size=10).map("".join),
    path=st.text("ab/", max_size=12),
)
@example(pattern="/**/a*b/**/c", path="/ab/x/aab/b/c")
@example(pattern="**a*b", path="a/a/ab")
@example(pattern="/**", path="")
@example(pattern="/tmp/**", path="/tmpx/a")
@example(pattern="/tmp/*.log", path="/tmp/.log")
@example(pattern="/tmp/[ab]", path="/tmp/a")
@example(pattern="/tmp/hsperfdata_*/**", path="/tmp/hsperfdata_x/1")
def test_globs_are_what_they_are_said_to_be(native: Native, pattern: str, path: str) -> None:
    while "***" in pattern:  # refused by the policy
        pattern = pattern.replace("***", "**")
    assert glob(native, pattern, path) == matches(pattern, path)


def test_no_pattern_takes_long(native: Native) -> None:
    """Patterns that take a backtracking matcher ages."""
    start = time.process_time()
    for pattern in ("/tmp/" + "*a" * 100 + "b", "/tmp" + "/**/a" * 50 + "/b", "/tmp/" + "**a" * 100 + "b"):
        assert not glob(native, pattern, "/tmp/" + "a" * 2000)
        assert not glob(native, pattern, "/tmp" + "/a" * 1000)
    assert time.process_time() - start < 2
