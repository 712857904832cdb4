"""Files: what must happen to each attempt, to its effect and to the log (inside/{tmp,tmp_calls,handler}.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.checking import Results, check, of_section, rows, run_all

TMP, HANDLER = of_section("tmp", "tmp_calls"), of_section("handler")


@pytest.fixture(scope="module")
def results(layer: Path) -> Results:
    return run_all(layer, TMP + HANDLER)


@pytest.mark.parametrize(("name", "attach"), rows(TMP))
def test_read_write_tmp(results: Results, name: str, attach: str) -> None:
    check(results[name, attach])


@pytest.mark.parametrize(("name", "attach"), rows(HANDLER))
def test_read_handler(results: Results, name: str, attach: str) -> None:
    check(results[name, attach])
