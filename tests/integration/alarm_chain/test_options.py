"""Options of the alarms, from the construct to whoever is called: severities, exceptions, thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from harness.chains import Granularity
from integration.alarm_chain.real import DEEDS
from shielded_function import AlarmOptions, ControlAlarm, ShieldedFunction, ShieldMonitoring
from shielded_function.testing import SimulatedCloudWatch, alert_line, simulate_cloudwatch
from shielded_function_monitoring.alert import MODES, Mode, Policy
from shielded_function_monitoring.filters import severity_of

BOTH: tuple[Granularity, ...] = ("function", "fleet")


def action(scope: cdk.Stack, name: str) -> cloudwatch_actions.SnsAction:
    topic: Any = sns.Topic(scope, name, topic_name=name)
    return cloudwatch_actions.SnsAction(topic)


def function(stack: cdk.Stack, alarms: AlarmOptions) -> None:
    ShieldedFunction(
        stack,
        "Checkout",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): return event"),
        alarms=alarms,
    )


def simulated(folder: Path, make: Any) -> SimulatedCloudWatch:
    """Of an app with one function, whose alarms `make` makes."""
    app = cdk.App(outdir=str(folder), analytics_reporting=False, context={"aws:cdk:enable-path-metadata": True})
    stack = cdk.Stack(app, "Shop")
    function(stack, make(stack))
    cloudwatch = simulate_cloudwatch(app)
    assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
    return cloudwatch


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

    cloudwatch = simulated(tmp_path, make)
    name = cloudwatch.function("Shop/Checkout").name
    cases: list[tuple[Policy, Mode]] = [(policy, mode) for policy in DEEDS for mode in MODES]
    for number, (policy, mode) in enumerate(cases):
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

    cloudwatch = simulated(tmp_path, make)
    name = cloudwatch.function("Shop/Checkout").name
    assert called(cloudwatch, 0, alert_line(name, "outbound_connectivity")) == {"pager"}
    assert called(cloudwatch, 36_000, alert_line(name, "read_write_tmp")) == {"chat"}


@pytest.mark.parametrize("granularity", BOTH)
def test_a_connection_to_a_host_other_than_one(tmp_path: Path, granularity: Granularity) -> None:
    def make(stack: cdk.Stack) -> AlarmOptions:
        egress = ControlAlarm(except_hosts=["telemetry.example"], actions=[action(stack, "egress")])
        return AlarmOptions(granularity=granularity, outbound_connectivity=egress, actions=[action(stack, "rest")])

    cloudwatch = simulated(tmp_path, make)
    name = cloudwatch.function("Shop/Checkout").name
    cases: list[tuple[dict[str, Any], int, set[str]]] = [
        ({"host": "telemetry.example", "port": 443}, 1, set()),
        ({"host": "evil.example", "port": 443}, 1, {"egress"}),
        ({"ip": "203.0.113.7", "port": 443}, 1, {"egress"}),
        ({"host": "telemetry.example", "port": 443}, 3, {"egress"}),  # nobody knows what was left out before it
    ]
    for number, (details, count, expected) in enumerate(cases):
        line = alert_line(name, "outbound_connectivity", details=details, count=count)
        assert called(cloudwatch, number * 36_000, line) == expected, details
    assert called(cloudwatch, 360_000, alert_line(name, "read_write_tmp")) == {"rest"}


def test_a_threshold_over_periods(tmp_path: Path) -> None:
    def make(stack: cdk.Stack) -> AlarmOptions:
        return AlarmOptions(threshold=3, evaluation_periods=2, datapoints=2, actions=[action(stack, "all")])

    cloudwatch = simulated(tmp_path, make)
    name = cloudwatch.function("Shop/Checkout").name
    three, two = alert_line(name, count=3), alert_line(name, count=2)
    assert called(cloudwatch, 0, three) == set()
    assert called(cloudwatch, 60, two) == set()
    assert called(cloudwatch, 36_000, three) == set()
    assert called(cloudwatch, 36_060, two, alert_line(name)) == {"all"}


def test_one_composite_alarm_calls_for_all(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False, context={"aws:cdk:enable-path-metadata": True})
    stack = cdk.Stack(app, "Shop")
    function(stack, AlarmOptions(granularity="control"))
    ShieldMonitoring(app, alarms=AlarmOptions(enabled=False), composite_actions=[action(stack, "pager")])
    cloudwatch = simulate_cloudwatch(app)
    assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
    name = cloudwatch.function("Shop/Checkout").name
    assert called(cloudwatch, 0) == set()
    assert called(cloudwatch, 36_000, alert_line(name, "read_write_tmp")) == {"pager"}
    assert [type(alarm).__name__ for alarm in cloudwatch.firing] == ["MetricAlarm", "CompositeAlarm"]


def test_a_fleets_alarm_where_it_is_wanted(tmp_path: Path) -> None:
    """In a stack of its own; it names the function."""
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False, context={"aws:cdk:enable-path-metadata": True})
    operations, shop, refunds = (cdk.Stack(app, name) for name in ("Operations", "Shop", "Refunds"))
    fleet = AlarmOptions(granularity="fleet", actions=[action(operations, "pager")], stacks=[operations])
    for stack in (shop, refunds):
        function(stack, fleet)
    ShieldMonitoring(app, alarms=fleet)
    cloudwatch = simulate_cloudwatch(app)
    assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
    assert [alarm.place.stack for alarm in cloudwatch.alarms] == ["Operations"] * 2
    name = cloudwatch.function("Refunds/Checkout").name
    cloudwatch.evaluate(0)
    cloudwatch.put_log_events(cloudwatch.function("Refunds/Checkout").log_group, [alert_line(name)], 60)
    cloudwatch.evaluate(60)
    (alarm,) = cloudwatch.firing
    assert cloudwatch.contributors(alarm.name) == [{"FunctionName": name}]
    assert {call.action.rpartition(":")[2] for call in cloudwatch.notifications("ALARM")} == {"pager"}
