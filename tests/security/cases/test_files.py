"""Files: what must happen to each attempt, to its effect and to the log (inside/tmp*.py, inside/handler.py)."""

from __future__ import annotations

import pytest

from security.cases.checking import Results, check, each_of, of_section, results_of

pytestmark = pytest.mark.promise("tmp.judged")

TMP = of_section("tmp", "tmp_spellings", "tmp_calls")
ALLOWED, HANDLER = of_section("tmp_allowed"), of_section("handler")
results = results_of(TMP + ALLOWED + HANDLER)


@each_of(TMP)
def test_read_write_tmp(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("tmp.allowed-paths")
@each_of(ALLOWED)
def test_what_is_listed_in_tmp(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("handler.spellings")
@each_of(HANDLER)
def test_read_handler(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))
