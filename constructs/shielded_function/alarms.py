"""Options of the alarm on a function's violations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from constructs import Construct

Granularity = Literal["function", "fleet"]


class AlarmAction(Protocol):
    """`aws_cloudwatch.IAlarmAction`, as the classes of `aws_cloudwatch_actions` have it.

    They name the parameters in their own ways, so a type checker does not take them for an `IAlarmAction`.
    """

    def bind(self, scope: Construct, alarm: cloudwatch.IAlarm, /) -> cloudwatch.AlarmActionConfig:
        """What the alarm is to call."""
        ...


@dataclass(frozen=True)
class ShieldAlarms:
    """How shielded functions raise alarms.

    It fires when a minute's violations reach the threshold, and goes back to OK when none follow. A function that
    never violates its policy publishes no metric, and a metric that is not published costs nothing.

        ShieldAlarms(actions=[cloudwatch_actions.SnsAction(topic)], threshold=5)

    Attributes:
        enabled: False makes no alarm; the metric is there all the same.
        threshold: violations in one minute, at least 1.
        actions: what to do when it fires.
        ok_actions: what to do when it is over.
        granularity: "function" is one alarm a function. "fleet" is one for all the functions of an app in an account
            and region, in the stack of the first of them: one resource less a function, and their log groups tell
            which it was.
    """

    enabled: bool = True
    threshold: int = 1
    actions: Sequence[AlarmAction] = ()
    ok_actions: Sequence[AlarmAction] = ()
    granularity: Granularity = "function"

    def __post_init__(self) -> None:
        if isinstance(self.threshold, bool) or not isinstance(self.threshold, int) or self.threshold < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"ShieldAlarms.threshold: {self.threshold!r} is not a whole number of at least 1")
        for name in ("actions", "ok_actions"):
            actions: Any = getattr(self, name)
            if not isinstance(actions, Sequence) or isinstance(actions, str):
                raise ValueError(f"ShieldAlarms.{name}: {actions!r} is not a list; write [action]")
        if self.granularity not in get_args(Granularity):
            choices = " or ".join(repr(choice) for choice in get_args(Granularity))
            raise ValueError(f"ShieldAlarms.granularity: {self.granularity!r} is not {choices}")

    def make(
        self, scope: Construct, construct_id: str, metric: cloudwatch.Metric, description: str
    ) -> cloudwatch.Alarm:
        """The alarm on a metric of violations."""
        alarm = cloudwatch.Alarm(
            scope,
            construct_id,
            metric=metric,
            alarm_description=description,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            threshold=self.threshold,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        actions: Any = self.actions
        ok_actions: Any = self.ok_actions
        if actions:
            alarm.add_alarm_action(*actions)
        if ok_actions:
            alarm.add_ok_action(*ok_actions)
        return alarm


@cache
def one_minute() -> cdk.Duration:
    """The period of an alarm."""
    return cdk.Duration.minutes(1)
