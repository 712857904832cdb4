"""An alarm's state over given datapoints, by the documented rules.

    >>> rule = AlarmRule(threshold=1, period=60, treat_missing_data="notBreaching")
    >>> state_of(rule, [None, None, None])
    'OK'
    >>> state_of(rule, [None, None, 1.0])
    'ALARM'

Rules: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html). The tests hold both
of its example tables. Alarms on percentiles raise an error.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final, Literal, cast, get_args

from .metrics import MINUTE, Series, SimulationError

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
MissingData = Literal["missing", "ignore", "breaching", "notBreaching"]

EXTRA_PERIODS: Final = 2
"""How many periods more than the evaluation periods CloudWatch looks back when data is missing. The guide gives
no formula, only tables in which 3 evaluation periods look back over 5."""

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
_STATISTICS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "Sum": math.fsum,
    "SampleCount": len,
    "Average": fmean,
    "Minimum": min,
    "Maximum": max,
}


@dataclass(frozen=True)
class AlarmRule:
    """When an alarm fires.

    Attributes:
        threshold: the number that a datapoint is compared with.
        period: seconds of one datapoint: 10, 20, 30 or a multiple of 60.
        evaluation_periods: how many of the newest datapoints are compared.
        datapoints_to_alarm: how many of them must breach.
        comparison: how a datapoint breaches: `GreaterThanOrEqualToThreshold` and its like.
        statistic: how the samples of a period become a datapoint.
        treat_missing_data: the meaning of a period without samples.
    """

    threshold: float
    period: int = 60
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    comparison: str = "GreaterThanOrEqualToThreshold"
    statistic: str = "Sum"
    treat_missing_data: MissingData = "missing"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("ComparisonOperator", self.comparison, _COMPARE),
            ("Statistic", self.statistic, _STATISTICS),
            ("TreatMissingData", self.treat_missing_data, get_args(MissingData)),
        ):
            if value not in allowed:
                raise SimulationError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
        if self.period < 1:
            raise SimulationError(f"Period: {self.period} is not a number of seconds from 1 on")

    @property
    def range(self) -> int:
        """The number of datapoints in an evaluation range."""
        return self.evaluation_periods + EXTRA_PERIODS

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> AlarmRule:
        """The rule of an `AWS::CloudWatch::Alarm`, with the period and the statistic of its query where it has one.

        Raises:
            SimulationError: a property is of a kind that is not evaluated here.
            ValueError: it is no number.
            KeyError: it is missing.
        """
        return cls(
            threshold=float(properties["Threshold"]),
            period=int(properties["Period"]),
            evaluation_periods=int(properties["EvaluationPeriods"]),
            datapoints_to_alarm=int(properties.get("DatapointsToAlarm", properties["EvaluationPeriods"])),
            comparison=str(properties.get("ComparisonOperator")),
            statistic=str(properties.get("Statistic")),
            treat_missing_data=cast("MissingData", properties.get("TreatMissingData", "missing")),
        )


def datapoints(rule: AlarmRule, series: Sequence[Series], at: float) -> list[float | None]:
    """The datapoints of a rule's evaluation range over some series taken together, oldest first.

    Args:
        rule: the alarm's rule.
        series: of one metric, or of several that a query takes together.
        at: when the alarm is evaluated, in seconds since the epoch; the period that holds it is the newest.

    Returns None where nothing was published.
    """
    newest = math.floor(at / rule.period)
    slots, kept = range(newest - rule.range + 1, newest + 1), [one for one in series if one]
    compute = _STATISTICS[rule.statistic]
    points: list[float | None] = []
    for slot in slots if kept else ():
        # The minutes that begin in the period.
        minutes = range(-(-slot * rule.period // MINUTE), -(-(slot + 1) * rule.period // MINUTE))
        found = [value for one in kept for minute in minutes for value in one.get(minute, ())]
        points.append(compute(found) if found else None)
    return points or [None] * rule.range


def state_of(rule: AlarmRule, points: Sequence[float | None], previous: AlarmState = "INSUFFICIENT_DATA") -> AlarmState:
    """The state over the datapoints of an evaluation range, oldest first.

    Args:
        rule: the alarm's rule.
        points: at least as many as the evaluation periods; None is a missing one.
        previous: the state that `ignore` keeps.
    """
    breaches = _COMPARE[rule.comparison]
    newest = points[-1]
    if newest is not None and rule.evaluation_periods == 1:  # nearly every alarm: no other datapoint counts
        return "ALARM" if breaches(newest, rule.threshold) else "OK"
    ages = [(age, breaches(point, rule.threshold)) for age, point in enumerate(reversed(points)) if point is not None]
    evaluated = ages[: rule.evaluation_periods]
    breaching = sum(breach for _, breach in evaluated)
    missing = rule.evaluation_periods - len(evaluated)
    assumed = missing if rule.treat_missing_data == "breaching" else 0
    if breaching + assumed >= rule.datapoints_to_alarm:
        return "ALARM"
    if not missing or rule.treat_missing_data in ("breaching", "notBreaching") or breaching < len(evaluated):
        return "OK"
    # "Avoiding premature transitions": only breaching points, too few of them, but the oldest is old enough.
    old_enough = bool(evaluated) and evaluated[-1][0] + 1 >= rule.datapoints_to_alarm
    if rule.treat_missing_data == "ignore":
        return previous
    return "ALARM" if old_enough else "INSUFFICIENT_DATA"
