"""Alarms on a metric, on a Metrics Insights query, and on other alarms; their changes, and the calls of actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, NamedTuple

from ..cfn.template import Place
from .metrics import Metrics
from .rules import CompositeRule
from .states import AlarmRule, AlarmState, datapoints, state_of
from .watched_metrics import HOURS, MAX_SERIES, MetricsQuery

Contributor = tuple[tuple[str, str], ...]
"""One time series of a query: the dimensions that it is grouped by, with their values."""

# The kinds of action that AWS does not call for each contributor of a query's alarm, as it does topics and functions.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Acting_Alarm_Changes.html
_ONLY_BY_ALARM: Final = frozenset({"autoscaling", "ssm-incidents", "aiops"})
_TRIGGER: Final = (
    *("MetricName", "Namespace", "Statistic", "Metrics", "Period", "EvaluationPeriods"),
    *("DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData"),
)


class Evaluation(NamedTuple):
    """An alarm's state at a moment, why, and the states of a query's contributors."""

    state: AlarmState
    reason: str
    contributors: Mapping[Contributor, AlarmState] = {}


@dataclass(frozen=True)
class Alarm:
    """An alarm.

    Attributes:
        name: its name.
        arn: its ARN.
        place: where it is in the template.
        actions: the ARNs that it calls when it goes into a state; none while actions are switched off.
        properties: as the template has them, resolved.
        source: the metric or the query, with the rule on its datapoints; or the rule of a composite alarm.
    """

    name: str
    arn: str
    place: Place
    actions: Mapping[AlarmState, tuple[str, ...]]
    properties: Mapping[str, Any]
    source: tuple[MetricsQuery, AlarmRule] | CompositeRule

    @property
    def query(self) -> MetricsQuery | None:
        """Its metric or query; None for a composite alarm."""
        return None if isinstance(self.source, CompositeRule) else self.source[0]

    @property
    def children(self) -> tuple[str, ...]:
        """The names or ARNs of the alarms that a composite alarm is on."""
        return self.source.alarms if isinstance(self.source, CompositeRule) else ()

    def evaluate(
        self, metrics: Metrics, states: Mapping[str, AlarmState], at: float, previous: AlarmState
    ) -> Evaluation:
        """Its state at `at` (seconds since the epoch): a query's alarm is in ALARM while any contributor is.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Acting_Alarm_Changes.html: a contributor is in
        ALARM or OK and never has too little data. A composite alarm always has data.

        Args:
            metrics: the published data.
            states: of the alarms that it is on, by name and by ARN.
            at: the moment.
            previous: its state before.
        """
        if isinstance(self.source, CompositeRule):
            state, met = ("ALARM", "met") if self.source.holds(states) else ("OK", "not met")
            alarming = ", ".join(name for name in self.children if states[name] == "ALARM") or "none"
            return Evaluation(state, f"its rule is {met}; in ALARM: {alarming}")
        query, rule = self.source
        groups = query.groups(metrics, since=at - HOURS * 3600)
        if not query.group_by or not groups:
            points = datapoints(rule, groups.get((), ()), at)
            state = state_of(rule, points, previous)
            return Evaluation(state, "unchanged" if state == previous else _reason(rule, points, state))
        first = [(values, datapoints(rule, series, at)) for values, series in groups.items()]
        first.sort(key=lambda one: sum(point or 0 for point in one[1]), reverse=True)
        contributors: dict[Contributor, AlarmState] = {
            tuple(zip(query.group_by, values, strict=True)): "ALARM" if state_of(rule, points) == "ALARM" else "OK"
            for values, points in first[:MAX_SERIES]
        }
        count = sum(state == "ALARM" for state in contributors.values())
        reason = f"{count} out of {len(contributors)} time series evaluated to ALARM"
        return Evaluation("ALARM" if count else "OK", reason, contributors)


def _reason(rule: AlarmRule, points: Sequence[float | None], state: AlarmState) -> str:
    known = [point for point in points if point is not None]
    if not known:
        return f"no datapoints were received, which counts as {rule.treat_missing_data}"
    shown = ", ".join(f"{point:g}" for point in known[-rule.evaluation_periods :])
    crossed = "crossed" if state == "ALARM" else "not crossed"
    return f"Threshold {crossed}: {rule.statistic} [{shown}], {rule.comparison} {rule.threshold:g}"


@dataclass(frozen=True)
class Notification:
    """One call of an action.

    Attributes:
        action: its ARN: a topic, a function.
        subject: of the mail that a topic sends.
        message: the message to the action, as CloudWatch writes it for SNS.
    """

    action: str
    subject: str
    message: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Transition:
    """A change of an alarm's state, or of the state of one contributor of a query's alarm.

    Attributes:
        alarm: which.
        previous: the state before.
        state: the state since.
        reason: why.
        at: when, in seconds since the epoch.
        contributor: the time series whose state changed; empty for the alarm itself.
    """

    alarm: Alarm
    previous: AlarmState
    state: AlarmState
    reason: str
    at: float
    contributor: Contributor = ()

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """The calls of the alarm's actions."""
        message = self._message()
        subject = f'{self.state}: "{self.alarm.name}" in {message["Region"]}'
        return tuple(
            Notification(action, subject, message)
            for action in self.alarm.actions.get(self.state, ())
            if not self.contributor or _ONLY_BY_ALARM.isdisjoint(action.split(":")[2:3])
        )

    def _message(self) -> dict[str, Any]:
        """As SNS is given it: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html

        For a contributor, AWS names it; `AlarmContributorAttributes` is our word for where.
        """
        _, _, _, region, account, *_ = self.alarm.arn.split(":")
        when = datetime.fromtimestamp(self.at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
        properties = self.alarm.properties
        message: dict[str, Any] = {
            "AlarmName": self.alarm.name,
            "AlarmDescription": properties.get("AlarmDescription"),
            "AWSAccountId": account,
            "NewStateValue": self.state,
            "NewStateReason": self.reason,
            "StateChangeTime": when,
            "Region": region,
            "AlarmArn": self.alarm.arn,
            "OldStateValue": self.previous,
        }
        if "AlarmRule" in properties:
            return {**message, "AlarmRule": properties["AlarmRule"]}
        trigger = {name: properties[name] for name in _TRIGGER if name in properties}
        if "Dimensions" in properties:
            trigger["Dimensions"] = [
                {"name": each["Name"], "value": each["Value"]} for each in properties["Dimensions"]
            ]
        contributor = {"AlarmContributorAttributes": dict(self.contributor)} if self.contributor else {}
        return {**message, **contributor, "Trigger": trigger}
