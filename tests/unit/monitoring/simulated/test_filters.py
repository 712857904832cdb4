"""What a metric filter publishes for a line: values and dimensions of the line, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.chains import PATTERN
from shielded_function_monitoring.pattern import Selector, parse, read_line
from shielded_function_monitoring.simulated.metric_filters import MetricFilter
from shielded_function_monitoring.simulated.metrics import MetricKey

DIMENSIONS = (("FunctionName", Selector("$.function")), ("Policy", Selector("$.policy")))
COUNT = Selector("$.count")
FILTER = MetricFilter("Filter", "group", parse(PATTERN), "N", "Violations", value=COUNT, dimensions=DIMENSIONS)
LINE = {"function_shield": True, "function": "checkout", "policy": "read_handler", "count": 3}


def published(line: dict[str, Any] | str, filter: MetricFilter = FILTER) -> tuple[MetricKey, float] | None:
    read = read_line(line if isinstance(line, str) else json.dumps(line))
    assert read is not None
    return filter.publishes(read)


def test_value_and_dimensions_come_from_the_line() -> None:
    key = MetricKey.of("N", "Violations", {"FunctionName": "checkout", "Policy": "read_handler"})
    assert published(LINE) == (key, 3.0)
    assert published(LINE, MetricFilter("F", "g", parse(PATTERN), "N", "M")) == (MetricKey("N", "M"), 1.0)


def test_a_number_without_end_is_no_value() -> None:
    """Somebody's forged line; as a metric's value it would be infinite, and the alarm's sum with it."""
    assert published(json.dumps(LINE).replace("3", "1e999")) is None


@pytest.mark.parametrize(
    "change",
    [
        {"function": ...},  # a line without the field of a dimension publishes nothing
        {"function": None},
        {"function": {"name": "checkout"}},
        {"function": ["checkout"]},
        {"function": ""},
        {"count": ...},
        {"count": "3"},
        {"count": None},
        {"count": True},
        {"count": 2**361},  # beyond what a metric takes
        {"policy": ...},
        {"function_shield": "true"},
    ],
)
def test_nothing_is_published(change: dict[str, Any]) -> None:
    assert published({key: value for key, value in {**LINE, **change}.items() if value is not ...}) is None


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (1.5, "1.5"), (True, "true"), (False, "false"), ("x", "x")])
def test_a_dimension_is_text(value: Any, text: str) -> None:
    found = published({**LINE, "function": value})
    assert found is not None
    assert dict(found[0].dimensions)["FunctionName"] == text
