"""Options of the alarms, from the construct to whoever is called: severities, exceptions, thresholds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from harness.chains import Granularity
from harness.function_template import sns_action
from integration.alarm_chain.real import DEEDS, checkout, new_app
from shielded_function import AlarmOptions, ControlAlarm
from shielded_function.testing import alert_line, simulate_cloudwatch
from shielded_function_monitoring.alert import MODES
from shielded_function_monitoring.filters import SEVERITIES, severity_of


def by_severity(action: Callable[[str], Any]) -> dict[str, Any]:
    return {"severities": {name: [action(name)] for name in SEVERITIES}, "count_read_handler": True}


def by_control(action: Callable[[str], Any]) -> dict[str, Any]:
    """Only severities have actions: an alarm of its own calls those of its severity."""
    severities = {"critical": [action("pager")], "notice": [action("chat")]}
    on = ControlAlarm(except_hosts=["telemetry.example"])
    return {"severities": severities, "outbound_connectivity": on, "read_write_tmp": ControlAlarm()}


def by_host(action: Callable[[str], Any]) -> dict[str, Any]:
    egress = ControlAlarm(except_hosts=["telemetry.example"], actions=[action("egress")])
    return {"outbound_connectivity": egress, "actions": [action("rest")]}


def connection(expected: set[str], count: int = 1, **target: str) -> tuple[Any, ...]:
    return ("outbound_connectivity", "block", {**target, "port": 443}, count, expected)


# What is violated, in which mode, the details, how often, and who is called.
CALLS: dict[Callable[..., dict[str, Any]], list[tuple[Any, ...]]] = {
    by_severity: [(policy, mode, {}, 1, {severity_of(policy, mode)}) for policy, mode in product(DEEDS, MODES)],
    by_control: [connection({"pager"}), ("read_write_tmp", "block", {}, 1, {"chat"})],
    by_host: [
        connection(set(), host="telemetry.example"),
        connection({"egress"}, host="evil.example"),
        connection({"egress"}, ip="203.0.113.7"),
        connection({"egress"}, host="telemetry.example", count=3),  # nobody knows what was left out before it
        ("read_write_tmp", "block", {}, 1, {"rest"}),
    ],
}


@pytest.mark.parametrize(("options", "granularity"), [*product(CALLS, ("function", "fleet")), (by_control, "control")])
def test_who_is_called(tmp_path: Path, options: Callable[..., dict[str, Any]], granularity: Granularity) -> None:
    """Each line in a time of its own. `by_host` is a connection to a host other than one."""
    app = new_app(tmp_path)
    stack = cdk.Stack(app, "Shop")
    given = options(lambda name: sns_action(stack, name, topic_name=name))
    checkout(stack, AlarmOptions(granularity=granularity, **given))
    cloudwatch = simulate_cloudwatch(app)
    assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
    function = cloudwatch.function("Shop/Checkout")
    for number, (policy, mode, details, count, expected) in enumerate(CALLS[options]):
        at = number * 36_000
        cloudwatch.evaluate(at)
        before = len(cloudwatch.notifications("ALARM"))
        line = alert_line(function.name, policy, mode, details=details, count=count)
        cloudwatch.put_log_events(function.log_group, [line], at)
        cloudwatch.evaluate(at)
        called = {call.action.rpartition(":")[2] for call in cloudwatch.notifications("ALARM")[before:]}
        assert called == expected, (policy, mode, details)
