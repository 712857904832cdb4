"""The JSON Schema in the docs is the module's, and every example of the page on lines follows both."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shielded_function_monitoring import parse_line
from shielded_function_monitoring.alert import ALARMING_EVENTS, DETAILS, EVENTS, ORIGIN, POLICIES
from shielded_function_monitoring.pattern import all_of, exists, is_true
from shielded_function_monitoring.schema import json_schema

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PAGE = (REFERENCE / "alert-lines.md").read_text()
EXAMPLES = [block.strip() for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
COUNTED = all_of(is_true("$.function_shield"), exists("$.policy"))
SCHEMA = Draft202012Validator(json_schema())


def test_the_schema_in_the_docs_is_current() -> None:
    """`python -m shielded_function_monitoring.schema > docs/reference/alert-line.schema.json`"""
    assert json.loads((REFERENCE / "alert-line.schema.json").read_text()) == json_schema()
    Draft202012Validator.check_schema(json_schema())


def test_every_field_has_a_row_and_every_event_an_example() -> None:
    lines = [json.loads(example) for example in EXAMPLES]
    assert {line["event"] for line in lines if "event" in line} == set(EVENTS)
    assert sum("event" not in line for line in lines) >= 2
    told = set(re.findall(r"^\| `([\w.]+)`", PAGE, re.MULTILINE))
    fields = json_schema()["oneOf"][0]["properties"]
    caller = fields["caller"]["properties"]
    lists = {f"details.{name}" for name in DETAILS} | {f"caller.{name}" for name in caller}
    assert {*fields, *ORIGIN, "event", *lists} - {"details", "caller"} <= told
    assert {*POLICIES, "start", *EVENTS} <= set(re.findall(r"`(\w+)`", PAGE))


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_counts_as_a_violation_has_a_policy_and_a_count(example: str) -> None:
    line: dict[str, Any] = json.loads(example)
    SCHEMA.validate(line)
    counts = "event" not in line or line["event"] in ALARMING_EVENTS
    assert ("policy" in line and "count" in line) == counts
    assert COUNTED.matches(example) == counts
    value = parse_line(example)
    assert value is not None
    assert value.count == (line["count"] if counts else 0)


REFUSED: dict[str, list[Any]] = {
    "v": [0, None],
    "count": [0],
    "folded": [1],
    "policy": ["start"],
    "mode": ["allow"],
    "pid": [-1],
    "level": ["X"],
    "details": [{"port": "443"}, {"unknown": 1}],
    "timestamp": ["2026-11-24T13:37:00Z"],
}


def test_what_the_schema_refuses() -> None:
    line: dict[str, Any] = json.loads(EXAMPLES[0])
    assert SCHEMA.is_valid(line)
    valid = [
        (name, value) for name, values in REFUSED.items() for value in values if SCHEMA.is_valid(line | {name: value})
    ]
    assert valid == []
