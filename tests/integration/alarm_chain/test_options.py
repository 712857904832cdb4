"""Options of the alarms, from the construct to whoever is called: severities, exceptions, thresholds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_sns as sns

from harness.chains import Granularity
from integration.alarm_chain.real import DEEDS, checkout, new_app
from shielded_function import AlarmOptions, ControlAlarm
from shielded_function.testing import SimulatedCloudWatch, alert_line, simulate_cloudwatch
from shielded_function_monitoring.alert import MODES
from shielded_function_monitoring.filters import severity_of

BOTH: tuple[Granularity, ...] = ("function", "fleet")


def action(scope: cdk.Stack, name: str) -> cloudwatch_actions.SnsAction:
    topic: Any = sns.Topic(scope, name, topic_name=name)
    return cloudwatch_actions.SnsAction(topic)


def simulate(app: cdk.App) -> SimulatedCloudWatch:
    cloudwatch = simulate_cloudwatch(app)
    assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
    return cloudwatch


def simulated(folder: Path, make: Callable[[cdk.Stack], AlarmOptions]) -> tuple[SimulatedCloudWatch, str]:
    """Of an app with one function, whose alarms `make` makes; and the function's name."""
    app = new_app(folder)
    stack = cdk.Stack(app, "Shop")
    checkout(stack, make(stack))
    cloudwatch = simulate(app)
    return cloudwatch, cloudwatch.function("Shop/Checkout").name


def called(cloudwatch: SimulatedCloudWatch, at: float, *lines: str) -> set[str]:
    """The topics that are called for these lines, in a time of their own."""
    cloudwatch.evaluate(at)
    before = len(cloudwatch.notifications("ALARM"))
    cloudwatch.put_log_events(cloudwatch.function("Shop/Checkout").log_group, lines, at)
    cloudwatch.evaluate(at)
    return {call.action.rpartition(":")[2] for call in cloudwatch.notifications("ALARM")[before:]}


@pytest.mark.parametrize("granularity", BOTH)
def test_severities_call_their_own(tmp_path: Path, granularity: Granularity) -> None:
    def make(stack: cdk.Stack) -> AlarmOptions:
        severities = {name: [action(stack, name)] for name in ("critical", "warning", "notice")}
        return AlarmOptions(granularity=granularity, severities=severities, count_read_handler=True)  # pyright: ignore[reportArgumentType]

    cloudwatch, name = simulated(tmp_path, make)
    for number, (policy, mode) in enumerate(product(DEEDS, MODES)):
        topics = called(cloudwatch, number * 36_000, alert_line(name, policy, mode))
        assert topics == {severity_of(policy, mode)}, (policy, mode)


@pytest.mark.parametrize("granularity", [*BOTH, "control"])
def test_an_alarm_of_its_own_calls_those_of_its_severity(tmp_path: Path, granularity: Granularity) -> None:
    """Nobody else is named: without them, nobody would be called."""

    def make(stack: cdk.Stack) -> AlarmOptions:
        on = ControlAlarm(except_hosts=["telemetry.example"])
        severities: Any = {"critical": [action(stack, "pager")], "notice": [action(stack, "chat")]}
        return AlarmOptions(
            granularity=granularity, severities=severities, outbound_connectivity=on, read_write_tmp=ControlAlarm()
        )

    cloudwatch, name = simulated(tmp_path, make)
    assert called(cloudwatch, 0, alert_line(name, "outbound_connectivity")) == {"pager"}
    assert called(cloudwatch, 36_000, alert_line(name, "read_write_tmp")) == {"chat"}


@pytest.mark.parametrize("granularity", BOTH)
def test_a_connection_to_a_host_other_than_one(tmp_path: Path, granularity: Granularity) -> None:
    def make(stack: cdk.Stack) -> AlarmOptions:
        egress = ControlAlarm(except_hosts=["telemetry.example"], actions=[action(stack, "egress")])
        return AlarmOptions(granularity=granularity, outbound_connectivity=egress, actions=[action(stack, "rest")])

    cloudwatch, name = simulated(tmp_path, make)
    cases: list[tuple[dict[str, str], int, set[str]]] = [
        ({"host": "telemetry.example"}, 1, set()),
        ({"host": "evil.example"}, 1, {"egress"}),
        ({"ip": "203.0.113.7"}, 1, {"egress"}),
        ({"host": "telemetry.example"}, 3, {"egress"}),  # nobody knows what was left out before it
    ]
    for number, (target, count, expected) in enumerate(cases):
        line = alert_line(name, "outbound_connectivity", details={**target, "port": 443}, count=count)
        assert called(cloudwatch, number * 36_000, line) == expected, target
    assert called(cloudwatch, 360_000, alert_line(name, "read_write_tmp")) == {"rest"}
