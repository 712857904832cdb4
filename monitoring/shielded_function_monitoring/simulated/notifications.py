"""Consequences of an alarm's state change: the change, and the calls of its actions with their messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..alarm import AlarmState
from .alarms import Alarm, CompositeAlarm, Contributor

# The kinds of action that AWS does not call for each contributor of a query's alarm, as it does topics and functions.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Acting_Alarm_Changes.html
_ONLY_BY_ALARM = ("autoscaling", "ssm-incidents", "aiops")


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

    @property
    def text(self) -> str:
        """The message as JSON."""
        return json.dumps(self.message)


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
        notifications: the actions that it calls.
    """

    alarm: Alarm
    previous: AlarmState
    state: AlarmState
    reason: str
    at: float
    contributor: Contributor = ()
    notifications: tuple[Notification, ...] = field(default=(), hash=False)

    def __str__(self) -> str:
        of = f" ({', '.join(value for _, value in self.contributor)})" if self.contributor else ""
        return f"{self.alarm.name}{of}: {self.previous} -> {self.state}: {self.reason}"


def transition(
    alarm: Alarm,
    previous: AlarmState,
    state: AlarmState,
    reason: str,
    at: float,
    contributor: Contributor = (),
) -> Transition:
    """The change, with the calls of the alarm's actions."""
    actions = alarm.actions.of(state)
    if contributor:
        actions = tuple(arn for arn in actions if _service(arn) not in _ONLY_BY_ALARM)
    if not actions:
        return Transition(alarm, previous, state, reason, at, contributor)
    message = _message(alarm, previous, state, reason, at, contributor)
    subject = f'{state}: "{alarm.name}" in {message["Region"]}'
    notifications = tuple(Notification(action, subject, message) for action in actions)
    return Transition(alarm, previous, state, reason, at, contributor, notifications)


def _service(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") >= 5 else ""


def _message(
    alarm: Alarm, previous: AlarmState, state: AlarmState, reason: str, at: float, contributor: Contributor
) -> dict[str, Any]:
    """As SNS is given it: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html

    For a contributor, AWS names it; `AlarmContributorAttributes` is our word for where.
    """
    _, _, _, region, account, *_ = alarm.arn.split(":")
    when = datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
    message: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description or None,
        "AWSAccountId": account,
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": when,
        "Region": region,
        "AlarmArn": alarm.arn,
        "OldStateValue": previous,
    }
    if isinstance(alarm, CompositeAlarm):
        return {**message, "AlarmRule": alarm.properties["AlarmRule"]}
    if contributor:
        message["AlarmContributorAttributes"] = dict(contributor)
    return {**message, "Trigger": _trigger(alarm.properties)}


def _trigger(properties: Mapping[str, Any]) -> dict[str, Any]:
    names = ("MetricName", "Namespace", "Statistic", "Metrics", "Period", "EvaluationPeriods", "DatapointsToAlarm")
    names += ("ComparisonOperator", "Threshold", "TreatMissingData")
    trigger = {name: properties[name] for name in names if name in properties}
    if "Dimensions" in properties:
        trigger["Dimensions"] = [{"name": d["Name"], "value": d["Value"]} for d in properties["Dimensions"]]
    return trigger
