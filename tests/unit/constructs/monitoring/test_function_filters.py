"""Each metric filter counts the lines of the functions that it names: what others print there counts for nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Annotations, Match, Template

from harness.circles import find_circle
from harness.function_template import FILTER, Props, Resources
from shielded_function import AlarmOptions, ControlAlarm, Shield, ShieldedFunction
from shielded_function.shield.function_shield import attached_to
from shielded_function.testing import SimulatedCloudWatch, alert_line, simulate_cloudwatch

pytestmark = pytest.mark.promise("alarm.filters")

GRANULARITIES: Any = ("function", "control", "fleet")
EUROPE = cdk.Environment(account="111122223333", region="eu-west-1")


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    paths = {"aws:cdk:enable-path-metadata": True}
    return cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False, context=paths)


def firing_after(cloudwatch: SimulatedCloudWatch, function: str, *lines: str) -> list[str]:
    cloudwatch.evaluate(at=0)
    cloudwatch.put_log_events(cloudwatch.function(function).log_group, lines, at=60)
    cloudwatch.evaluate(at=60)
    return [alarm.place.path for alarm in cloudwatch.firing]


@pytest.mark.promise("alert.no-made-up-metric")
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("where", ["its own", "given"])
def test_a_thousand_made_up_names_make_no_metric(
    stack: cdk.Stack, app: cdk.App, props: Props, granularity: Any, where: str
) -> None:
    """CloudWatch may disable a filter that makes a thousand."""
    given = {"log_group": logs.LogGroup(stack, "Given")} if where == "given" else {}
    ShieldedFunction(stack, "Fn", alarms=AlarmOptions(granularity=granularity), **given, **props)
    cloudwatch = simulate_cloudwatch(app)
    name = cloudwatch.function("Shop/Fn").name
    forged = [alert_line(f"{name}{number}") for number in range(20)]
    forged += [alert_line(name).replace("outbound_connectivity", f"policy{number}") for number in range(20)]
    if granularity != "control":
        forged = forged[:20]  # the policy is no dimension
    assert firing_after(cloudwatch, "Shop/Fn", *forged) == []
    assert list(cloudwatch.metrics) == []
    assert len(firing_after(cloudwatch, "Shop/Fn", alert_line(name))) == 1


def test_functions_of_a_log_group_with_options_of_their_own(stack: cdk.Stack, app: cdk.App, props: Props) -> None:
    """Each is counted as it asks, once."""
    shared = logs.LogGroup(stack, "Shared")
    apart = AlarmOptions(outbound_connectivity=ControlAlarm(threshold=2))
    for name, alarms in (("One", apart), ("Two", AlarmOptions(threshold=2)), ("Three", AlarmOptions(threshold=2))):
        ShieldedFunction(stack, name, log_group=shared, alarms=alarms, **props)
    for name, alarm in (("One", "outbound_connectivityAlarm"), ("Two", "Alarm"), ("Three", "Alarm")):
        for count, expected in ((1, []), (2, [f"Shop/{name}/Shield/{alarm}"])):
            cloudwatch = simulate_cloudwatch(app)
            line = alert_line(cloudwatch.function(f"Shop/{name}").name, count=count)
            assert firing_after(cloudwatch, f"Shop/{name}", line) == expected
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


@pytest.mark.parametrize("kind", ["regions", "stages", "stacks"])
def test_a_log_group_by_name_in_many_places(app: cdk.App, props: Props, resources: Resources, kind: str) -> None:
    """In another region it is another; in another stack or stage, another function logs there."""
    stacks = [
        cdk.Stack(app, name, env=cdk.Environment(account=EUROPE.account, region=region))
        if kind != "stages"
        else cdk.Stack(cdk.Stage(app, name, env=EUROPE), "Shop")
        for name, region in (("One", "eu-west-1"), ("Two", "us-east-1" if kind == "regions" else "eu-west-1"))
    ]
    for stack in stacks:
        shared = logs.LogGroup.from_log_group_name(stack, "Shared", "/shared")
        ShieldedFunction(stack, "Fn", log_group=shared, **props)
    for stack in stacks:
        (made,) = resources(stack, FILTER).values()
        assert made["LogGroupName"] == "/shared"
        found = attached_to(stack.node.find_child("Fn"))
        assert found is not None
        assert stack.resolve(found.handle.name) in made["FilterPattern"]["Fn::Join"][1]


def test_more_functions_than_fit_into_a_pattern(stack: cdk.Stack, app: cdk.App, props: Props) -> None:
    shared = logs.LogGroup(stack, "Shared")
    names = [f"Fn{number}" for number in range(12)]
    for name in names:
        function = lambda_.Function(stack, name, log_group=shared, **props)
        Shield().apply(function)
    cloudwatch = simulate_cloudwatch(app)
    assert len(cloudwatch.filters) == 2
    for name in names:
        cloudwatch = simulate_cloudwatch(app)
        line = alert_line(cloudwatch.function(f"Shop/{name}").name)
        assert firing_after(cloudwatch, f"Shop/{name}", line) == [f"Shop/{name}/Shield/Alarm"]
        assert [cloudwatch.metrics.sum(key) for key in cloudwatch.metrics] == [1]


def test_functions_of_a_log_group_that_depend_on_each_other(app: cdk.App, props: Props) -> None:
    """CloudFormation refuses a circle: what depends on a function depends on all that is in it. A filter's logical id
    does not depend on the order."""
    ids: set[str] = set()
    for names in (("One", "Two"), ("Two", "One"), ("Two",)):
        stack = cdk.Stack(cdk.App(), "Shop")
        shared = logs.LogGroup(stack, "Shared")
        first, *others = [ShieldedFunction(stack, name, log_group=shared, **props) for name in names]
        for other in others:
            other.node.add_dependency(first)
        template = Template.from_stack(stack)
        assert find_circle(template.to_json()) == []
        ids.update(template.find_resources(FILTER))
    assert len(ids) == 1
