"""Alarm states, held to the tables of the CloudWatch user guide."""

from __future__ import annotations

from typing import Any

import pytest

from shielded_function_monitoring.alarm import AlarmError, AlarmRule, AlarmState, MissingData, state_of

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
def test_the_guides_tables(
    needed: int, points: str, states: tuple[str, ...], column: int, previous: AlarmState
) -> None:
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


PROPERTIES = {
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Period": 300,
    "Statistic": "Sum",
    "Threshold": 5,
    "TreatMissingData": "ignore",
}


def test_from_properties() -> None:
    query = {key: PROPERTIES[key] for key in PROPERTIES if key not in ("Period", "Statistic")}
    assert AlarmRule.from_properties(query, "Maximum", 60).statistic == "Maximum"
    assert AlarmRule.from_properties(PROPERTIES) == AlarmRule(
        threshold=5, period=300, evaluation_periods=3, datapoints_to_alarm=2, treat_missing_data="ignore"
    )
    fewest = {key: PROPERTIES[key] for key in PROPERTIES if key not in ("DatapointsToAlarm", "TreatMissingData")}
    rule = AlarmRule.from_properties(fewest)
    assert (rule.needed, rule.treat_missing_data) == (3, "missing")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Threshold": {"Ref": "P"}}, "Threshold: expected a number"),
        ({"Period": 45}, "Period: 45"),
        ({"Period": 0}, "Period: 0"),
        ({"EvaluationPeriods": 0}, "EvaluationPeriods: 0"),
        ({"DatapointsToAlarm": 4}, "DatapointsToAlarm: 4"),
        ({"DatapointsToAlarm": 0}, "DatapointsToAlarm: 0"),
        ({"Statistic": "p99"}, "Statistic: 'p99'"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator: 'GreaterThanUpperThreshold'"),
        ({"TreatMissingData": "OK"}, "TreatMissingData: 'OK'"),
        ({"ExtendedStatistic": "p99"}, "ExtendedStatistic: alarms with it"),
    ],
)
def test_refused_properties(change: dict[str, Any], says: str) -> None:
    with pytest.raises(AlarmError) as error:
        AlarmRule.from_properties({**PROPERTIES, **change})
    assert says in str(error.value)
