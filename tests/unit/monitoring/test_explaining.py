"""Why a pattern does not match a line, and text that is safe to show."""

from __future__ import annotations

import ast
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shielded_function.policy import files
from shielded_function_monitoring.explaining import why_not
from shielded_function_monitoring.pattern import parse as parse_pattern
from shielded_function_monitoring.visible import quote, visible

pytestmark = pytest.mark.promise("cli.logs")

VIOLATIONS = '{ ($.function_shield IS TRUE) && ($.policy = "*") && ($.mode = "block" || $.count >= 5) }'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"function_shield": True, "policy": "p", "mode": "block"}, []),
        ({"function_shield": True, "policy": "p", "count": 5}, []),
        ({"function_shield": True, "event": "armed", "mode": "block"},
         ['$.policy = "*" does not hold: there is no $.policy']),
        ({"function_shield": False, "policy": "p", "mode": "block"},
         ["$.function_shield IS TRUE does not hold: it is false"]),
        ({"function_shield": True, "policy": "p", "mode": "alert", "count": 1},
         ['$.mode = "block" does not hold: it is "alert"', "$.count >= 5 does not hold: it is 1"]),
        ({"function_shield": True, "policy": None, "mode": {"a": "\x1b[2J"}, "count": 1.5},
         ['$.policy = "*" does not hold: it is null',
          '$.mode = "block" does not hold: it is {"a": "\\u001b[2J"}', '$.count >= 5 does not hold: it is "1.5"']),
    ],
)  # fmt: skip
def test_the_conditions_to_blame(line: object, said: list[str]) -> None:
    text = json.dumps(line)
    assert [str(each) for each in why_not(VIOLATIONS, text)] == said
    assert parse_pattern(VIOLATIONS).matches(text) == (not said)


def test_several_values_and_long_ones() -> None:
    """And numbers that cannot be written out."""
    (found,) = why_not('{ $.a[*] = "z" }', json.dumps({"a": ["x" * 100, "y", "w", "v"]}))
    assert str(found) == f'$.a[*] = "z" does not hold: it is "{"x" * 59}... and "y" and "w" and 1 more'
    for number in ("1e5000", "1e999999999999", "9" * 5000, "-1e-5000"):
        (failure,) = why_not("{ $.count = 7 }", f'{{"count":{number}}}')
        assert failure.reason.startswith("it is ")
        assert len(failure.reason) < 100


@pytest.mark.parametrize("line", ["START", "7"])
def test_a_line_without_fields_matches_nothing(line: str) -> None:
    (failure,) = why_not(VIOLATIONS, line)
    assert failure.reason.startswith("the line is ")


@given(st.text())
def test_nothing_that_a_terminal_acts_on(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_quoted_text_is_the_text_everywhere(text: str) -> None:
    quoted = quote(text)
    assert quoted.isprintable()
    assert ast.literal_eval(quoted) == text
    assert files.load_toml(f"a = {quoted}") == {"a": text}
    assert yaml.safe_load(f"a: {quoted}")["a"] == text
