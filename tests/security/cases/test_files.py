"""Files: what must happen to each attempt, to its effect and to the log (inside/tmp*.py, inside/handler.py)."""

from __future__ import annotations

import pytest

from security.cases.checking import check, each_of, of_section, result, results
from security.cases.suite import Result

__all__ = ["result", "results"]

pytestmark = pytest.mark.promise("tmp.judged")

TMP = of_section("tmp", "tmp_spellings", "tmp_calls")
ALLOWED, HANDLER = of_section("tmp_allowed"), of_section("handler")


@each_of(TMP)
def test_read_write_tmp(result: Result) -> None:
    check(result)


@pytest.mark.promise("tmp.allowed-paths")
@each_of(ALLOWED)
def test_what_is_listed_in_tmp(result: Result) -> None:
    check(result)


@pytest.mark.promise("handler.spellings")
@each_of(HANDLER)
def test_read_handler(result: Result) -> None:
    check(result)
