"""Metrics by the minute, and the datapoints that alarms make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shielded_function_monitoring.alarm import AlarmRule, AlarmState, state_of
from shielded_function_monitoring.simulated.metrics import MetricKey, Metrics, Series, datapoints

RULE = AlarmRule(threshold=1, treat_missing_data="notBreaching")


def series(*values: tuple[float, float]) -> Series:
    made = Series()
    for time, value in values:
        made.add(value, time)
    return made


def state(rule: AlarmRule, values: Sequence[tuple[float, float]], at: float) -> AlarmState:
    return state_of(rule, datapoints(rule, [series(*values)], at))


@pytest.mark.parametrize(
    ("times", "at", "expected"),
    [
        ([], 600.0, "OK"),
        ([600.0], 600.0, "ALARM"),
        ([659.9], 659.9, "ALARM"),
        ([600.0], 660.0, "ALARM"),  # the newest real datapoint of the range still counts
        ([600.0], 779.9, "ALARM"),
        ([600.0], 780.0, "OK"),  # out of the range of three periods
        ([700.0], 600.0, "OK"),  # not yet
    ],
)
def test_the_rule_of_the_constructs(times: list[float], at: float, expected: str) -> None:
    assert state(RULE, [(time, 1) for time in times], at) == expected


def test_values_are_summed_by_period() -> None:
    values = [(60.0, 1.0), (119.9, 2.0), (120.0, 1.0), (300.0, 1.0), (1.0, 1.0)]
    assert datapoints(RULE, [series(*values)], at=179.0) == [1.0, 3.0, 1.0]
    assert state(AlarmRule(threshold=3, treat_missing_data="notBreaching"), values, at=119.0) == "ALARM"
    assert state(AlarmRule(threshold=3, treat_missing_data="notBreaching"), values, at=179.0) == "OK"


@pytest.mark.parametrize(
    ("statistic", "value"), [("Sum", 6.0), ("SampleCount", 3), ("Average", 2.0), ("Minimum", 1.0), ("Maximum", 3.0)]
)
def test_statistics(statistic: Any, value: float) -> None:
    rule = AlarmRule(threshold=1, statistic=statistic)
    assert datapoints(rule, [series((0, 1), (1, 2), (2, 3))], at=3)[-1] == value
    assert datapoints(rule, [series((0, 1)), series((1, 2), (2, 3))], at=3)[-1] == value


def test_a_metric_with_fewer_dimensions_is_another_one() -> None:
    metrics = Metrics()
    whole = MetricKey.of("N", "M", {"A": "1", "B": "2"})
    metrics.put(whole, 1, 0)
    assert whole == MetricKey.of("N", "M", {"B": "2", "A": "1"})
    assert [metrics.sum(MetricKey.of("N", "M", d)) for d in ({"A": "1"}, {}, {"A": "1", "B": "3"})] == [0, 0, 0]
    assert metrics.sum(whole) == 1


def test_what_is_old_is_forgotten() -> None:
    metrics = Metrics()
    old, new = (MetricKey.of("N", "M", {"A": name}) for name in ("old", "new"))
    metrics.put(old, 1, 10)
    metrics.put(new, 1, 10)
    metrics.put(new, 1, 130)
    metrics.forget(before=120)
    assert (list(metrics), metrics.sum(new)) == ([new], 1)
