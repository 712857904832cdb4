"""Options of the alarm on a function's violations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct


class AlarmAction(Protocol):
    """`aws_cloudwatch.IAlarmAction`, as the classes of `aws_cloudwatch_actions` have it.

    They name the parameters in their own ways, so a type checker does not take them for an `IAlarmAction`.
    """

    def bind(self, scope: Construct, alarm: cloudwatch.IAlarm, /) -> cloudwatch.AlarmActionConfig:
        """What the alarm is to call."""
        ...


@dataclass(frozen=True)
class ShieldAlarms:
    """How a shielded function raises its alarm: one for all its policies.

    It fires when a minute's violations reach the threshold, and goes back to OK when none follow. A function that
    never violates its policy publishes no metric, and a metric that is not published costs nothing.

        ShieldAlarms(actions=[cloudwatch_actions.SnsAction(topic)], threshold=5)

    Attributes:
        enabled: False makes no alarm; the metric is there all the same.
        threshold: violations in one minute, at least 1.
        actions: what to do when it fires.
        ok_actions: what to do when it is over.
    """

    enabled: bool = True
    threshold: int = 1
    actions: Sequence[AlarmAction] = ()
    ok_actions: Sequence[AlarmAction] = ()

    def __post_init__(self) -> None:
        if isinstance(self.threshold, bool) or not isinstance(self.threshold, int) or self.threshold < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"ShieldAlarms.threshold: {self.threshold!r} is not a whole number of at least 1")
