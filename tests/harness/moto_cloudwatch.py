"""Adds to moto the evaluation of metric filters and alarms, and the calls of actions.

moto keeps filters and alarms and never evaluates them. `MotoCloudWatch` puts a template's filters and alarms there,
reads the log lines that were put, publishes the metrics, sets the alarms' states, and publishes to the topics: each
subscriber gets the message that CloudWatch would have sent. Composite alarms are evaluated too, although moto cannot
hold them. Nothing here imports moto: any boto3 client that talks to it will do.
"""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any, Final

from shielded_function_monitoring.pattern import Selector
from shielded_function_monitoring.simulated import LogEvent, MetricKey, SimulatedCloudWatch
from shielded_function_monitoring.simulated.alarms import Transition
from shielded_function_monitoring.simulated.filters import MetricFilter
from shielded_function_monitoring.simulated.metrics import Metrics

_STREAM: Final = "simulated"
_BATCH: Final = 1000
"""Metric values in one PutMetricData (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html)."""

Client = Callable[[str], Any]
"""Makes a client of a service: `boto3.client`, within `moto.mock_aws()` or for moto's server."""


def _default_client(service: str) -> Any:
    import boto3

    return boto3.client(service)


class _Recorded(Metrics):
    def __init__(self, values: list[tuple[MetricKey, float, float]]) -> None:
        super().__init__()
        self._values = values

    def put(self, key: MetricKey, value: float, time: float) -> None:
        super().put(key, value, time)
        self._values.append((key, value, time))


class MotoCloudWatch:
    """A simulated CloudWatch whose logs, metrics, alarm states and topics are moto's.

        with moto.mock_aws():
            aws = MotoCloudWatch(simulate_cloudwatch(stack))
            aws.create()
            ...  # subscribe a queue to the topic
            aws.put_log_events(log_group, lines)
            aws.evaluate()

    Attributes:
        cloudwatch: the simulation, which has the states, the contributors and the notifications.
    """

    def __init__(self, cloudwatch: SimulatedCloudWatch, client: Client = _default_client) -> None:
        self.cloudwatch = cloudwatch
        self._logs, self._cloudwatch, self._sns = client("logs"), client("cloudwatch"), client("sns")
        self._seen: set[str] = set()
        self._values: list[tuple[MetricKey, float, float]] = []
        cloudwatch.metrics = _Recorded(self._values)

    def create(self) -> None:
        """Creates the template's resources that moto's CloudFormation drops, and the log groups and topics.

        Existing resources are left, or replaced by the same: a stack may have been deployed to moto before.
        """
        there = {group["logGroupName"] for page in self._pages("describe_log_groups") for group in page["logGroups"]}
        wanted = [found.log_group for found in (*self.cloudwatch.functions, *self.cloudwatch.filters)]
        for group in dict.fromkeys(wanted):
            if group not in there:
                self._logs.create_log_group(logGroupName=group)
        for arn in self.cloudwatch.topics:
            self._sns.create_topic(Name=arn.rpartition(":")[2])
        for found in self.cloudwatch.filters:
            self._put_filter(found)
        for alarm in self.cloudwatch.alarms:
            if alarm.query is not None:
                self._cloudwatch.put_metric_alarm(**{**alarm.properties, "AlarmName": alarm.name})

    def put_log_events(self, log_group: str, lines: Iterable[LogEvent | str], at: float | None = None) -> None:
        """Puts lines into a log group of moto's; `evaluate` counts them, like lines from other writers.

        Args:
            log_group: its name.
            lines: the lines; each line that is only text was written at `at`. Empty ones are left out: CloudWatch
                takes none.
            at: seconds since the epoch; now, where not given.
        """
        now = clock.time() if at is None else at
        events = [LogEvent(now, line) if isinstance(line, str) else line for line in lines]
        if not self._logs.describe_log_streams(logGroupName=log_group, logStreamNamePrefix=_STREAM)["logStreams"]:
            self._logs.create_log_stream(logGroupName=log_group, logStreamName=_STREAM)
        put = [
            {"timestamp": int(event.time * 1000), "message": event.message}
            for event in sorted(events, key=lambda event: event.time)
            if event.message
        ]
        if put:
            self._logs.put_log_events(logGroupName=log_group, logStreamName=_STREAM, logEvents=put)

    def evaluate(self, at: float | None = None) -> list[Transition]:
        """Counts the lines that are new, evaluates every alarm, and calls the actions of those that changed.

        Of actions, topics are called. Others (functions, incidents) are in `Transition.notifications` and stay
        uncalled: moto has nothing behind them.

        Args:
            at: seconds since the epoch; now, where not given.
        """
        moment = clock.time() if at is None else at
        for group in dict.fromkeys(found.log_group for found in self.cloudwatch.filters):
            self.cloudwatch.put_log_events(group, self._new_events(group))
        changes = self.cloudwatch.evaluate(moment)
        self._put_metric_data()
        for change in changes:
            if not change.contributor and change.alarm.query is not None:
                self._cloudwatch.set_alarm_state(
                    AlarmName=change.alarm.name, StateValue=change.state, StateReason=change.reason[:1023]
                )
            for notification in change.notifications:
                if notification.action.split(":")[2:3] == ["sns"]:
                    message = json.dumps(notification.message)
                    self._sns.publish(TopicArn=notification.action, Subject=notification.subject[:100], Message=message)
        return changes

    def _pages(self, operation: str, **arguments: Any) -> Iterable[dict[str, Any]]:
        return self._logs.get_paginator(operation).paginate(**arguments)

    def _new_events(self, log_group: str) -> list[LogEvent]:
        found: list[LogEvent] = []
        for page in self._pages("filter_log_events", logGroupName=log_group):
            for event in page["events"]:
                identity = f"{log_group} {event['logStreamName']} {event['eventId']}"
                if identity not in self._seen:
                    self._seen.add(identity)
                    found.append(LogEvent(event["timestamp"] / 1000, event["message"]))
        return found

    def _put_filter(self, found: MetricFilter) -> None:
        name = {"logGroupName": found.log_group, "filterName": f"{found.name}-{found.metric}"}
        there = self._logs.describe_metric_filters(logGroupName=found.log_group)["metricFilters"]
        for one in there:
            if one["filterName"] == name["filterName"]:  # where CloudWatch replaces one, moto adds another
                self._logs.delete_metric_filter(**name)
        value = found.value.text if isinstance(found.value, Selector) else f"{found.value:g}"
        transformation: dict[str, Any] = {
            "metricNamespace": found.namespace,
            "metricName": found.metric,
            "metricValue": value,
        }
        if found.dimensions:
            transformation["dimensions"] = {key: selector.text for key, selector in found.dimensions}
        if found.default_value is not None:
            transformation["defaultValue"] = found.default_value
        self._logs.put_metric_filter(
            **name, filterPattern=found.pattern.render(), metricTransformations=[transformation]
        )

    def _put_metric_data(self) -> None:
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for key, value, time in self._values:
            datum = {
                "MetricName": key.name,
                "Dimensions": [{"Name": name, "Value": found} for name, found in key.dimensions],
                "Timestamp": datetime.fromtimestamp(time, timezone.utc),
                "Value": value,
            }
            by_namespace.setdefault(key.namespace, []).append(datum)
        self._values.clear()
        for namespace, data in by_namespace.items():
            for first in range(0, len(data), _BATCH):
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[first : first + _BATCH])
