"""Metrics by the minute, the datapoints that alarms make of them, and their states by the CloudWatch user guide."""

from __future__ import annotations

from typing import Any

import pytest

from shielded_function_monitoring.simulated.metrics import MetricKey, Metrics, Series, SimulationError
from shielded_function_monitoring.simulated.states import AlarmRule, AlarmState, MissingData, datapoints, state_of

pytestmark = pytest.mark.promise("alarm.simulated")

KEPT = "RETAIN"
TREATMENTS: tuple[MissingData, ...] = ("missing", "ignore", "breaching", "notBreaching")
# (datapoints to alarm, points oldest first, state by treatment): 3 evaluation periods, 5 points of range.
GUIDE = [
    (3, "0-X-X", ("OK", "OK", "OK", "OK")),
    (3, "0----", ("OK", "OK", "OK", "OK")),
    (3, "-----", ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK")),
    (3, "0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (3, "--X--", ("ALARM", KEPT, "ALARM", "OK")),
    (2, "0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (2, "00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (2, "0-X--", ("OK", "OK", "ALARM", "OK")),
    (2, "----0", ("OK", "OK", "ALARM", "OK")),
    (2, "---X-", ("ALARM", KEPT, "ALARM", "OK")),
    # From the text and the older edition of the table: too young to alarm.
    (3, "----X", ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK")),
    (3, "---X-", ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK")),
]


@pytest.mark.parametrize(("needed", "points", "states"), GUIDE)
@pytest.mark.parametrize("column", range(4))
@pytest.mark.parametrize("previous", ["OK", "ALARM"])
def test_the_guides_tables(needed: int, points: str, states: Any, column: int, previous: AlarmState) -> None:
    rule = AlarmRule(
        threshold=1, evaluation_periods=3, datapoints_to_alarm=needed, treat_missing_data=TREATMENTS[column]
    )
    values = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in points]
    expected = previous if states[column] == KEPT else states[column]
    assert state_of(rule, values, previous) == expected


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanOrEqualToThreshold", ("OK", "ALARM", "ALARM")),
        ("GreaterThanThreshold", ("OK", "OK", "ALARM")),
        ("LessThanOrEqualToThreshold", ("ALARM", "ALARM", "OK")),
        ("LessThanThreshold", ("ALARM", "OK", "OK")),
    ],
)
def test_comparisons(comparison: Any, states: tuple[str, ...]) -> None:
    rule = AlarmRule(threshold=2, comparison=comparison)
    assert tuple(state_of(rule, [None, None, value]) for value in (1.0, 2.0, 3.0)) == states


PROPERTIES: dict[str, Any] = {
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Period": 300,
    "Statistic": "Sum",
    "Threshold": 5,
    "TreatMissingData": "ignore",
}


def test_from_properties() -> None:
    assert AlarmRule.from_properties(PROPERTIES) == AlarmRule(
        threshold=5, period=300, evaluation_periods=3, datapoints_to_alarm=2, treat_missing_data="ignore"
    )
    fewest = {key: PROPERTIES[key] for key in PROPERTIES if key not in ("DatapointsToAlarm", "TreatMissingData")}
    rule = AlarmRule.from_properties(fewest)
    assert (rule.datapoints_to_alarm, rule.treat_missing_data) == (3, "missing")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Statistic": "p99"}, "Statistic: 'p99'"),
        ({"Period": "0"}, "Period: 0 is not a number of seconds"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator: 'GreaterThanUpperThreshold'"),
        ({"TreatMissingData": "OK"}, "TreatMissingData: 'OK'"),
    ],
)
def test_refused_properties(change: dict[str, Any], says: str) -> None:
    with pytest.raises(SimulationError) as error:
        AlarmRule.from_properties({**PROPERTIES, **change})
    assert says in str(error.value)


RULE = AlarmRule(threshold=1, treat_missing_data="notBreaching")


def series(*values: tuple[float, float]) -> Series:
    made, key = Metrics(), MetricKey("N", "M")
    for time, value in values:
        made.put(key, value, time)
    return made.series(key)


def test_values_are_summed_by_period() -> None:
    values = [(60.0, 1.0), (119.9, 2.0), (120.0, 1.0), (300.0, 1.0), (1.0, 1.0)]
    assert datapoints(RULE, [series(*values)], at=179.0) == [1.0, 3.0, 1.0]
    assert datapoints(RULE, [series(*values)], at=119.0) == [None, 1.0, 3.0]


@pytest.mark.parametrize(
    ("statistic", "value"), [("Sum", 6.0), ("SampleCount", 3), ("Average", 2.0), ("Minimum", 1.0), ("Maximum", 3.0)]
)
def test_statistics(statistic: Any, value: float) -> None:
    rule = AlarmRule(threshold=1, statistic=statistic)
    assert datapoints(rule, [series((0, 1), (1, 2), (2, 3))], at=3)[-1] == value
    assert datapoints(rule, [series((0, 1)), series((1, 2), (2, 3))], at=3)[-1] == value
