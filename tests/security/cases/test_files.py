"""Files: what must happen to each attempt, to its effect and to the log (inside/tmp*.py, inside/handler.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from security.cases.checking import Results, check, of_section, rows

pytestmark = pytest.mark.promise("tmp.judged")

TMP = of_section("tmp", "tmp_spellings", "tmp_calls")
ALLOWED, HANDLER = of_section("tmp_allowed"), of_section("handler")


@pytest.fixture(scope="module")
def results(layer: Path) -> Results:
    return Results(layer, TMP + ALLOWED + HANDLER)


@pytest.mark.parametrize(("name", "attach", "modes"), rows(TMP))
def test_read_write_tmp(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("tmp.allowed-paths")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(ALLOWED))
def test_what_is_listed_in_tmp(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("handler.spellings")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(HANDLER))
def test_read_handler(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))
