"""docs/security/incidents.md is what a drill says, and README has its numbers."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from integration.docs.incidents import PAGE, facts, page
from integration.docs.pages import ROOT
from shielded_function_emulator.incidents import incidents
from shielded_function_emulator.languages import find

pytestmark = pytest.mark.promise("cli.drill")
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_has_each_incident() -> None:
    rows = [line for line in TEXT.splitlines() if re.match(r"\| \[", line)]
    assert [row[: len(facts(each))] for row, each in zip(rows, incidents().values(), strict=True)] == [
        facts(each) for each in incidents().values()
    ]


def test_the_sum_is_that_of_the_rows_and_readme_has_it() -> None:
    rows = re.findall(r"^\| \[.*?\]\(.*?\), \w+, \d{4} \|.*\| ([a-z ]+) \|$", TEXT, re.MULTILINE)
    count = Counter(rows)
    summary = (
        f"Of {len(rows)} incidents, {len(rows) - count['not run']} are replayed: the shield stops {count['stopped']}, "
        f"stops {count['partly']} in part, and lets {count['passed']} pass."
    )
    assert summary in TEXT
    assert summary in (ROOT / "README.md").read_text(encoding="utf-8").replace("\n", " ")


@pytest.mark.long
def test_the_page_is_current() -> None:
    if missing := find("nodejs22.x").missing():
        pytest.skip(missing)
    assert page() == TEXT, "run `python -m integration.docs.incidents` in tests/"
