"""What came of an invocation: the answer, the lines in the log, the metric, the alarm; asked for, and waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from lab.aws.account import Account
from shielded_function_monitoring import Alert, AlertError, ShieldEvent, parse_line
from shielded_function_monitoring.filters import LEVELS, NAMESPACE, metric_name

Wait = Callable[[float], None]


class InvocationFailed(Exception):
    """The function did not come to its end; the text has what it said."""


@dataclass
class Observed:
    """What one function did.

    Attributes:
        function: its name.
        answer: what it returned.
        alerts: the alert lines in its log.
        events: the shield's own lines.
        malformed: lines that claim to be the shield's and are not.
        init_ms: what Lambda reports as the duration of the cold start.
        violations: the sum of its metric.
        alarm: ALARM where one of its alarms fires, else the state of the first; None where there is none.
    """

    function: str
    answer: Any
    alerts: list[Alert] = field(default_factory=list[Alert])
    events: list[ShieldEvent] = field(default_factory=list[ShieldEvent])
    malformed: list[str] = field(default_factory=list[str])
    init_ms: float | None = None
    violations: float | None = None
    alarm: str | None = None

    @property
    def counted(self) -> int:
        """What the default alarm's metric should come to: reading the handler does not count."""
        lines = [line for line in (*self.alerts, *self.events) if line.policy != "read_handler"]
        return sum(line.count for line in lines if line.policy is not None)


def invoke(account: Account, function: str, event: dict[str, Any]) -> Any:
    """Invokes once and returns the answer.

    Raises:
        InvocationFailed: the function failed.
    """
    # Once, and for as long as the slowest function may take: a second invocation would be counted too.
    client = account.client("lambda", read_timeout=150, retries={"total_max_attempts": 1})
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise InvocationFailed(f"{function}: {answer['FunctionError']}: {payload}")
    return json.loads(payload)


def read_log(account: Account, log_group: str) -> list[str]:
    """Every line in a log group."""
    pages = account.client("logs").get_paginator("filter_log_events").paginate(logGroupName=log_group)
    return [event["message"].rstrip("\n") for page in pages for event in page["events"]]


def sort_lines(observed: Observed, lines: Iterable[str]) -> None:
    """Puts the lines of a log where they belong."""
    for line in lines:
        if line.startswith("REPORT ") and "Init Duration: " in line:
            observed.init_ms = float(line.partition("Init Duration: ")[2].split()[0])
        try:
            value = parse_line(line)
        except AlertError as error:
            observed.malformed.append(f"{error}: {line}")
            continue
        if isinstance(value, Alert):
            observed.alerts.append(value)
        elif value is not None:
            observed.events.append(value)


def observe_log(
    account: Account, observed: Observed, log_group: str, expected: set[str], *, seconds: float, wait: Wait = time.sleep
) -> None:
    """Reads the log until it has alerts of the expected policies and Lambda's report, or the time is over."""
    for _ in _until(seconds, wait):
        lines = read_log(account, log_group)
        found = Observed(observed.function, observed.answer)
        sort_lines(found, lines)
        if expected <= {alert.policy for alert in found.alerts} and any(line.startswith("REPORT ") for line in lines):
            break
    else:
        found = Observed(observed.function, observed.answer)
        sort_lines(found, read_log(account, log_group))
    observed.alerts, observed.events, observed.malformed = found.alerts, found.events, found.malformed
    observed.init_ms = found.init_ms


def observe_alarm(account: Account, observed: Observed, *, seconds: float, wait: Wait = time.sleep) -> None:
    """Reads the metric and the alarm until the alarm fires and each alert is counted, or the time is over."""
    name = {"Name": "FunctionName", "Value": observed.function}
    by_level = [[name, {"Name": "Level", "Value": level}] for level in LEVELS.values()]
    metric: dict[str, Any] = {"Namespace": NAMESPACE, "MetricName": metric_name()}
    cloudwatch = account.client("cloudwatch")
    for _ in _until(seconds, wait):
        now = datetime.now(timezone.utc)
        span: dict[str, Any] = {"StartTime": now - timedelta(hours=1), "EndTime": now, "Period": 3600}
        points: list[float] = []
        states: list[str] = []
        for dimensions in by_level:
            asked = {**metric, "Dimensions": dimensions}
            found = cloudwatch.get_metric_statistics(**asked, **span, Statistics=["Sum"])["Datapoints"]
            points += (point["Sum"] for point in found)
            # moto looks at the metric's name alone.
            alarms = cloudwatch.describe_alarms_for_metric(**asked)["MetricAlarms"]
            states += (alarm["StateValue"] for alarm in alarms if alarm["Dimensions"] == dimensions)
        observed.violations = sum(points) if points else None
        observed.alarm = "ALARM" if "ALARM" in states else next(iter(states), None)
        if observed.alarm == "ALARM" and (observed.violations or 0) >= max(1, observed.counted):
            return


def _until(seconds: float, wait: Wait) -> Iterable[None]:
    """One round at once, then one every few seconds."""
    pause = min(5.0, seconds)
    for _ in range(max(1, int(seconds / pause) if pause else 1)):
        yield
        wait(pause)
