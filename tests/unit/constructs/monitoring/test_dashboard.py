"""`ShieldDashboard`: every metric that its JSON names is published by a filter, every log group and alarm is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from harness.function_template import FILTER, Props, Synthesize, of_type, shown
from shielded_function import AlarmOptions, ControlAlarm, LogOptions, ShieldDashboard, ShieldedFunction, ShieldError
from shielded_function.dashboards import dashboard_body
from shielded_function.dashboards.dashboard_body import shared_prefixes
from shielded_function_monitoring.queries import QUERIES

DASHBOARD = "AWS::CloudWatch::Dashboard"
_SUM = re.compile(r"SUM\(\[m\d+(,m\d+)*\]\)")
_FLEET = re.compile(
    r'SELECT SUM\("?([\w-]+)"?\) FROM SCHEMA\("ShieldedFunction", ([\w, ]+)\) GROUP BY \w+ ORDER BY SUM\(\) DESC'
    r"(?: LIMIT 10)?"
)


def body_of(template: Mapping[str, Any]) -> dict[str, Any]:
    """The dashboard's JSON, with what is known at deployment as `<Ref>` or `<GetAtt>`."""
    text = next(r for r in template["Resources"].values() if r["Type"] == DASHBOARD)["Properties"]["DashboardBody"]
    return json.loads(shown(text))


def widgets(body: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [widget["properties"] for widget in body["widgets"] if widget["type"] == kind]


def metrics_of(body: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each metric that it names: its name, and the names of its dimensions."""
    for widget in widgets(body, "metric"):
        for metric in widget["metrics"]:
            if isinstance(metric[0], dict) and _SUM.fullmatch(metric[0]["expression"]):
                ids = {each[-1]["id"] for each in widget["metrics"] if isinstance(each[-1], dict)}
                assert set(re.findall(r"m\d+", metric[0]["expression"])) <= ids
            elif isinstance(metric[0], dict):
                found = _FLEET.fullmatch(metric[0]["expression"])
                assert found is not None, metric
                yield found[1], tuple(name.strip() for name in found[2].split(","))
            else:
                namespace, name, *dimensions = [each for each in metric if not isinstance(each, dict)]
                assert namespace == "ShieldedFunction"
                yield name, tuple(dimensions[::2])


def published(*templates: dict[str, Any]) -> set[tuple[str, tuple[str, ...]]]:
    return {
        (change["MetricName"], tuple(each["Key"] for each in change["Dimensions"]))
        for template in templates
        for made in of_type(template, FILTER).values()
        for change in made["MetricTransformations"]
    }


def check(body: dict[str, Any], home: dict[str, Any], *others: dict[str, Any]) -> None:
    """Whatever a dashboard names exists."""
    named = set(metrics_of(body))
    assert named
    assert named <= published(home, *others)
    texts = [query.text for query in QUERIES.values()]
    log_groups = {n for n, r in home["Resources"].items() if r["Type"] == "AWS::Logs::LogGroup"}
    for widget in widgets(body, "log"):
        [text] = [text for text in texts if widget["query"].endswith(f" | {text}")]
        sources = widget["query"].removesuffix(f" | {text}").split(" | ")
        assert all(source.startswith("SOURCE ") for source in sources)
        for name in re.findall(r"SOURCE '<(\w+)>'", widget["query"]):
            assert name in log_groups
    for widget in widgets(body, "alarm"):
        for arn in widget["alarms"]:
            assert home["Resources"][arn.strip("<>")]["Type"] == "AWS::CloudWatch::Alarm"
    rows: dict[int, list[tuple[int, int]]] = {}
    for widget in body["widgets"]:
        rows.setdefault(widget["y"], []).append((widget["x"], widget["width"]))
    for row in rows.values():
        assert sorted(row)[0][0] == 0
        assert sum(width for _, width in row) == 24


def test_of_a_stack(stack: cdk.Stack, props: Props, synthesize: Synthesize, snapshot: SnapshotAssertion) -> None:
    """Whom it is about and where to look come first; any function can be chosen."""
    ShieldDashboard(stack, "Dashboard", name="shield")  # before the functions: it shows those that there are at the end
    on = ControlAlarm(except_hosts=["telemetry.example"])
    ShieldedFunction(stack, "Checkout", alarms=AlarmOptions(outbound_connectivity=on), **props)
    ShieldedFunction(stack, "Refund", alarms=AlarmOptions(granularity="control"), **props)
    template = synthesize(stack)
    body = body_of(template)
    check(body, template)
    [resource] = [r for r in template["Resources"].values() if r["Type"] == DASHBOARD]
    assert resource["Properties"]["DashboardName"] == "shield"
    assert body == snapshot(extension_class=JSONSnapshotExtension)


def ref_of(stack: cdk.Stack, fn: Any) -> str:
    return f"<{stack.get_logical_id(fn.node.default_child)}>"


def test_of_a_function(stack: cdk.Stack, props: Props, synthesize: Synthesize) -> None:
    one, _ = (ShieldedFunction(stack, name, **props) for name in ("One", "Two"))
    ShieldDashboard(stack, "Dashboard", of=one)
    template = synthesize(stack)
    body = body_of(template)
    check(body, template)
    assert body["variables"] == []
    [name] = {metric[3] for widget in widgets(body, "metric") for metric in widget["metrics"]}
    assert name == ref_of(stack, one)
    assert "one_function" not in json.dumps(body)


def test_of_an_app_from_another_stack(app: cdk.App, props: Props, synthesize: Synthesize) -> None:
    """Nothing in it refers to another stack, so each can be deployed and deleted alone."""
    operations, shop, orders = (cdk.Stack(app, name) for name in ("Operations", "Shop", "Orders"))
    alarms = AlarmOptions(granularity="fleet", stacks=[operations])
    ShieldedFunction(shop, "Fn", alarms=alarms, **props)
    watched = AlarmOptions(outbound_connectivity=ControlAlarm(except_hosts=["telemetry.example"]))
    ShieldedFunction(shop, "Watched", alarms=watched, **props)
    ShieldedFunction(cdk.NestedStack(orders, "Nested"), "Fn", alarms=alarms, **props)
    named = logs.LogGroup(orders, "Named", log_group_name="/shop/orders")
    ShieldedFunction(orders, "Named2", log_group=named, alarms=alarms, **props)
    ShieldDashboard(operations, "Dashboard", of=app)
    home, *others = (synthesize(stack) for stack in (operations, shop, orders))
    body = body_of(home)
    check(body, home, *others)
    assert "Fn::ImportValue" not in json.dumps(home)
    assert "Outputs" not in others[0]
    [source] = {re.split(r" \| (?=fields|filter)", widget["query"])[0] for widget in widgets(body, "log")}
    assert source == "SOURCE logGroups(namePrefix: ['/shop/orders', 'Orders-', 'Shop-'])"
    [alarm] = widgets(body, "alarm")
    assert len(alarm["alarms"]) == 2
    [variable] = body["variables"]
    # The metric that each function has, not that of a control alone.
    assert variable["search"] == "{ShieldedFunction,FunctionName,Level} MetricName=Violations"


@pytest.mark.parametrize(
    ("alarms", "metrics"),
    [
        (AlarmOptions(granularity="control"), {"Violations"}),
        (AlarmOptions(severities={"critical": [], "warning": []}), {"Violations-critical", "Violations-warning"}),
    ],
)
def test_any_can_be_chosen(alarms: Any, metrics: Any, stack: cdk.Stack, props: Props, synthesize: Synthesize) -> None:
    """Also those that published nothing yet, or that only a severity is counted of."""
    functions = [ShieldedFunction(stack, name, alarms=alarms, **props) for name in ("One", "Two")]
    ShieldDashboard(stack, "Dashboard")
    template = synthesize(stack)
    body = body_of(template)
    check(body, template)
    names = [ref_of(stack, each) for each in functions]
    assert [each["value"] for each in body["variables"][0]["values"]] == names
    [chosen] = [each for each in widgets(body, "metric") if "selected" in each["title"]]
    assert {metric[1] for metric in chosen["metrics"]} == metrics
    assert {metric[3] for metric in chosen["metrics"]} == {"FUNCTION_NAME"}
    drawn = [m for each in widgets(body, "metric") for m in each["metrics"] if not isinstance(m[0], dict)]
    assert {metric[3] for metric in drawn} == {*names, "FUNCTION_NAME"}
    assert "SELECT" not in json.dumps(body), "a stack's graphs are about its own functions"


def test_of_another_region_it_shows_nothing(app: cdk.App, props: Props) -> None:
    shop = cdk.Stack(app, "Shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    operations = cdk.Stack(app, "Operations", env=cdk.Environment(account="111122223333", region="us-east-1"))
    ShieldedFunction(shop, "Fn", **props)
    ShieldDashboard(operations, "Dashboard", of=app)
    says = "ShieldDashboard: `of` contains no shielded function of its account and region"
    with pytest.raises(Exception, match=says):
        app.synth()


def test_a_log_group_that_nobody_knows(app: cdk.App, stack: cdk.Stack, props: Props, synthesize: Synthesize) -> None:
    """In another stack, under a name that is a parameter."""
    operations = cdk.Stack(app, "Operations")
    name = cdk.CfnParameter(stack, "Name").value_as_string
    groups = {"Known": logs.LogGroup(stack, "Own"), "Fn": logs.LogGroup.from_log_group_name(stack, "Logs", name)}
    for function, group in groups.items():
        ShieldedFunction(stack, function, log_group=group, alarms=AlarmOptions(granularity="control"), **props)
    ShieldDashboard(operations, "Dashboard", of=app)
    body = body_of(synthesize(operations))
    # A search knows only the metric of each control.
    assert body["variables"][0]["search"] == "{ShieldedFunction,FunctionName,Policy} MetricName=Violations"
    assert widgets(body, "metric")[0]["title"] == "Violations by control (all of the account and region)"
    assert "as the names of their log groups are unknown: Shop/Fn." in widgets(body, "text")[0]["markdown"]
    assert "SOURCE logGroups(namePrefix: ['Shop-']) | " in widgets(body, "log")[0]["query"]


def test_what_it_cannot_be_of(app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    plain = lambda_.Function(stack, "Plain", **props)
    for number, of in enumerate((plain, sns.Topic(stack, "Topic"))):
        with pytest.raises(ShieldError, match=r"of: .* is no shielded function, stack, stage or app"):
            ShieldDashboard(stack, f"Dashboard{number}", of=of)
    fn = ShieldedFunction(cdk.Stack(app, "Elsewhere"), "Fn", **props)
    with pytest.raises(ShieldError, match="of: Elsewhere/Fn is in another stack: create its dashboard there"):
        ShieldDashboard(stack, "Dashboard", of=fn)


def test_what_is_more_than_one_widget_takes() -> None:
    """Many functions are drawn by the worst, many alarms in several widgets."""
    functions = {f"f{number}": f"Shop/F{number}" for number in range(500)}
    series = {dashboard_body.Series("Violations"): list(functions)}
    alarms = [f"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{number}" for number in range(250)]
    shown = dashboard_body.Shown("t", "eu-west-1", functions, series, None, [], alarms, True)
    body = dashboard_body.dashboard_body(shown)
    assert list(metrics_of(body)) == [("Violations", ("FunctionName",))] * 2
    assert len(body["variables"][0]["values"]) == 500
    assert widgets(body, "log") == []
    found = [widget for widget in body["widgets"] if widget["type"] == "alarm"]
    assert [len(widget["properties"]["alarms"]) for widget in found] == [100, 100, 50]
    assert [alarm for widget in found for alarm in widget["properties"]["alarms"]] == alarms
    assert len({widget["y"] for widget in found}) == 3


@pytest.mark.parametrize(
    ("prefixes", "few"),
    [
        ([], []),
        (["Shop-"], ["Shop-"]),
        (["Shop-", "Shop-Beta-"], ["Shop-"]),
        ([f"Shop{n}-" for n in range(9)], ["Shop"]),
        ([f"{letter}-" for letter in "abcdef"], []),
        (["abc1", "abc2", "xyz1", "xyz2", "q", "r"], ["abc", "q", "r", "xyz1", "xyz2"]),
    ],
)
def test_prefixes(prefixes: list[str], few: list[str]) -> None:
    found = shared_prefixes(prefixes)
    assert found == few
    assert len(found) <= 5
    assert not found or all(any(p.startswith(one) for one in found) for p in prefixes)


@pytest.mark.parametrize(("name", "prefix"), [(None, None), ("/shield/{stack}/{id}", "/shield/")])
def test_log_groups_of_a_common_prefix(props: Props, name: str | None, prefix: str | None) -> None:
    """Stacks whose names have nothing in common have log queries once their log groups' names have."""
    app = cdk.App(analytics_reporting=False)
    for letter in "ABCDEFGH":
        ShieldedFunction(cdk.Stack(app, letter), "Fn", logs=LogOptions(log_group_name=name), **props)
    home = cdk.Stack(app, "Operations")
    ShieldDashboard(home, "Dashboard", of=app)
    body = body_of(Template.from_stack(home).to_json())
    found = {re.split(r" \| (?=fields|filter)", widget["query"])[0] for widget in widgets(body, "log")}
    assert found == ({f"SOURCE logGroups(namePrefix: ['{prefix}'])"} if prefix else set())
    assert ("LogOptions(log_group_name=" in widgets(body, "text")[0]["markdown"]) == (prefix is None)
