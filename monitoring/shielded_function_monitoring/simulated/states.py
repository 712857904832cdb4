"""An alarm's state over given datapoints, by the documented rules.

    >>> rule = AlarmRule(threshold=1, period=60, treat_missing_data="notBreaching")
    >>> state_of(rule, [None, None, None])
    'OK'
    >>> state_of(rule, [None, None, 1.0])
    'ALARM'

Rules: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html). The tests hold both
of its example tables. Alarms on math, on percentiles and on anomaly bands raise an error.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from ..errors import ShieldError

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
MissingData = Literal["missing", "ignore", "breaching", "notBreaching"]
Statistic = Literal["Sum", "SampleCount", "Average", "Minimum", "Maximum"]

EXTRA_PERIODS: Final = 2
"""How many periods more than the evaluation periods CloudWatch looks back when data is missing. The guide gives
no formula, only tables in which 3 evaluation periods look back over 5."""

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


class AlarmError(ShieldError):
    """An alarm whose state cannot be worked out here; the message names the property."""


@dataclass(frozen=True)
class AlarmRule:
    """When an alarm fires.

    Attributes:
        threshold: the number that a datapoint is compared with.
        period: seconds of one datapoint: 10, 20, 30 or a multiple of 60.
        evaluation_periods: how many of the newest datapoints are compared.
        datapoints_to_alarm: how many of them must breach; all, when not given.
        comparison: how a datapoint breaches: `GreaterThanOrEqualToThreshold` and its like.
        statistic: how the samples of a period become a datapoint.
        treat_missing_data: the meaning of a period without samples.
    """

    threshold: float
    period: int = 60
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    comparison: str = "GreaterThanOrEqualToThreshold"
    statistic: Statistic = "Sum"
    treat_missing_data: MissingData = "missing"

    def __post_init__(self) -> None:
        if self.period not in (10, 20, 30) and (self.period <= 0 or self.period % 60):
            raise AlarmError(f"Period: {self.period} is not 10, 20, 30 or a multiple of 60")
        if self.evaluation_periods < 1:
            raise AlarmError(f"EvaluationPeriods: {self.evaluation_periods} is less than 1")
        if not 1 <= self.needed <= self.evaluation_periods:
            raise AlarmError(f"DatapointsToAlarm: {self.needed} is not between 1 and EvaluationPeriods")
        for name, value, allowed in (
            ("ComparisonOperator", self.comparison, tuple(_COMPARE)),
            ("Statistic", self.statistic, get_args(Statistic)),
            ("TreatMissingData", self.treat_missing_data, get_args(MissingData)),
        ):
            if value not in allowed:
                raise AlarmError(f"{name}: {value!r} is not one of {', '.join(allowed)}")

    @property
    def needed(self) -> int:
        """How many datapoints must breach."""
        return self.evaluation_periods if self.datapoints_to_alarm is None else self.datapoints_to_alarm

    @property
    def range(self) -> int:
        """The number of datapoints in an evaluation range."""
        return self.evaluation_periods + EXTRA_PERIODS

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> AlarmRule:
        """The rule of an `AWS::CloudWatch::Alarm`, with the period and the statistic of its query where it has one.

        Raises:
            AlarmError: a property is of a kind that is not evaluated here.
            ValueError: it is no number.
            KeyError: it is missing.
        """
        needed = properties.get("DatapointsToAlarm")
        return cls(
            threshold=float(properties["Threshold"]),
            period=int(properties["Period"]),
            evaluation_periods=int(properties["EvaluationPeriods"]),
            datapoints_to_alarm=None if needed is None else int(needed),
            comparison=str(properties.get("ComparisonOperator")),
            statistic=cast("Statistic", properties.get("Statistic")),
            treat_missing_data=cast("MissingData", properties.get("TreatMissingData", "missing")),
        )


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
    if breaching + assumed >= rule.needed:
        return "ALARM"
    if not missing or rule.treat_missing_data in ("breaching", "notBreaching") or breaching < len(evaluated):
        return "OK"
    # "Avoiding premature transitions": only breaching points, too few of them, but the oldest is old enough.
    old_enough = bool(evaluated) and evaluated[-1][0] + 1 >= rule.needed
    if rule.treat_missing_data == "ignore":
        return previous
    return "ALARM" if old_enough else "INSUFFICIENT_DATA"
