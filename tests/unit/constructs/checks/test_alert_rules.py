"""The rules on what becomes of an alert: it is counted, an alarm watches the count, and the alarm tells somebody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from shielded_function import AlarmOptions, ControlAlarm, Shield, ShieldedFunction, ShieldMonitoring, ShieldPolicy
from shielded_function.checks import check, read_assembly

from .conftest import Judge, MakeFunction, rules

ROOT = Path(__file__).parents[4]


def test_a_deleted_filter(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    attached = Shield.of(shielded(stack))
    resource = attached.metric_filter.node.default_child
    assert isinstance(resource, logs.CfnMetricFilter)
    resource.add_property_override("MetricTransformations", [])
    assert rules(judge()) == {"alerts-not-counted"}


def test_a_filter_that_counts_another_function(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    shared = logs.LogGroup(stack, "Log")
    shielded(stack, "One", log_group=shared)
    shielded(stack, "Two", overrides={"LoggingConfig.LogGroup": {"Ref": stack.resolve(shared.log_group_name)["Ref"]}})
    assert [f.place.path for f in judge().findings if f.rule == "alerts-not-counted"] == ["Shop/Two"]


@pytest.mark.parametrize("name", ["${Fn}", "checkout"])
def test_a_filter_by_hand_that_names_its_function(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, name: str
) -> None:
    function = shielded(stack, function_name="checkout" if name == "checkout" else None)
    resource = function.node.default_child
    assert isinstance(resource, cdk.CfnElement)
    name = name.replace("Fn", stack.get_logical_id(resource))
    attached = Shield.of(function)
    made = attached.metric_filter.node.default_child
    assert isinstance(made, logs.CfnMetricFilter)
    pattern = '{ ($.function = "' + name + '") && ($.count >= 1) }'
    made.add_property_override("FilterPattern", {"Fn::Sub": pattern} if "$" in name else pattern)
    assert rules(judge()) == set()


def test_alarms(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any) -> None:
    shielded(stack, "Silent")
    shielded(stack, "None", alarms=AlarmOptions(enabled=False))
    shielded(stack, "Tells", alarms=AlarmOptions(actions=[action]))
    composed = shielded(stack, "Composed")
    assert isinstance(composed, ShieldedFunction)
    assert composed.shield.alarm is not None
    cloudwatch.CompositeAlarm(
        stack,
        "All",
        alarm_rule=cloudwatch.AlarmRule.any_of(
            cloudwatch.AlarmRule.from_alarm(composed.shield.alarm, cloudwatch.AlarmState.ALARM)
        ),
    ).add_alarm_action(action)
    report = judge()
    assert {finding.place.path: finding.rule for finding in report.findings} == {
        "Shop/Silent": "alarm-without-action",
        "Shop/None": "no-alarm",
    }


@pytest.mark.parametrize(
    ("alarms", "unheard"),
    [
        (
            AlarmOptions(severities={"warning": []}),
            "outbound_connectivity in mode block, create_child_process in mode bl",
        ),
        (
            AlarmOptions(outbound_connectivity=ControlAlarm(mode="alert")),
            "outbound_connectivity in mode block, which is crit",
        ),
        (AlarmOptions(severities={"critical": []}), ""),
        (AlarmOptions(granularity="control"), ""),
        (AlarmOptions(granularity="fleet", start=ControlAlarm(), self_protection=ControlAlarm()), ""),
        (AlarmOptions(outbound_connectivity=ControlAlarm(except_hosts=["a.example"])), ""),
    ],
)
def test_critical_violations_that_no_alarm_watches(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, alarms: AlarmOptions, unheard: str
) -> None:
    shielded(stack, alarms=alarms)
    found = [finding.problem for finding in judge().findings if finding.rule == "no-alarm"]
    assert len(found) == bool(unheard)
    assert all(problem.startswith(f"no alarm watches {unheard}") for problem in found)


def test_one_alarm_for_all(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any) -> None:
    shielded(stack, alarms=AlarmOptions(enabled=False))
    alarm = cloudwatch.Alarm(
        cdk.Stack(cdk.Stage.of(stack), "Watch"),
        "Fleet",
        metric=cloudwatch.MathExpression(
            expression='SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName, Level)', using_metrics={}
        ),
        threshold=1,
        evaluation_periods=1,
    )
    assert {f.rule for f in judge().findings} == {"alarm-without-action"}
    assert "Watch/Fleet" in judge().findings[0].problem
    alarm.add_alarm_action(action)
    assert judge().findings == []


def test_an_alarm_on_a_metric_that_nobody_publishes(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    """`filter.metric()` of a filter with dimensions has none: the alarm is deployed, and never fires."""
    fn: Any = shielded(stack, "Fn", alarms=AlarmOptions(actions=[action]))
    shielded(stack, "Other", alarms=AlarmOptions(actions=[action]))
    for name, metric in (("Dead", fn.shield.metric_filter.metric()), ("Alive", fn.metric_violations())):
        metric.create_alarm(stack, name, threshold=1, evaluation_periods=1).add_alarm_action(action)
    [finding] = judge().findings
    assert (finding.rule, finding.place.path) == ("alarm-never-fires", "Shop/Fn")
    assert "Shop/Dead never fires" in finding.problem


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_encrypted_topic(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, elsewhere: bool
) -> None:
    """Whether the key lets CloudWatch use it, in the function's stack and in another."""
    home = cdk.Stack(app, "Security") if elsewhere else stack
    key: Any = kms.Key(home, "Key")
    topics: list[Any] = [
        sns.Topic(home, "Topic", master_key=key),
        sns.Topic(home, "Managed", master_key=kms.Alias.from_alias_name(home, "Alias", "alias/aws/sns")),
        sns.Topic(home, "Plain"),
    ]
    actions: list[Any] = [cloudwatch_actions.SnsAction(topic) for topic in topics]
    shielded(stack, alarms=AlarmOptions(actions=actions))
    found = judge().findings
    [managed] = [finding for finding in found if "alias/aws/sns" in finding.problem]
    [missing] = [finding for finding in found if finding is not managed]
    assert {managed.rule, missing.rule} == {"topic-unreadable"}
    assert f"{home.node.path}/Key does not let CloudWatch do kms:Decrypt and kms:GenerateDataKey*" in missing.problem
    assert "key.grant(iam.ServicePrincipal(\"cloudwatch.amazonaws.com\"), 'kms:Decrypt'" in missing.fix
    key.grant(cast("Any", iam.ServicePrincipal("cloudwatch.amazonaws.com")), "kms:Decrypt", "kms:GenerateDataKey*")
    assert [finding.problem for finding in judge().findings] == [managed.problem]


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("how", ["enforce_ssl", "grant", "composite"])
def test_a_topic_with_a_policy_of_its_own(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, elsewhere: bool, how: str
) -> None:
    """It takes the place of the policy that lets the account publish; the CDK's `SnsAction` adds nothing to it."""
    home = cdk.Stack(app, "Security") if elsewhere else stack
    topic: Any = sns.Topic(home, "Topic", enforce_ssl=how == "enforce_ssl")
    if how != "enforce_ssl":
        topic.grant_publish(cast("Any", iam.ServicePrincipal("events.amazonaws.com")))
    action: Any = cloudwatch_actions.SnsAction(topic)
    shielded(stack, alarms=AlarmOptions(actions=[] if how == "composite" else [action]))
    if how == "composite":
        ShieldMonitoring(stack, alarms=AlarmOptions(enabled=False), dashboard=False, composite_actions=[action])
    [finding] = judge().findings
    assert (finding.rule, finding.place.path) == ("topic-unreadable", "Shop/Fn")
    assert f"the topic {home.node.path}/Topic are lost: its policy does not let CloudWatch publish" in finding.problem
    assert finding.fix == 'topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))'
    topic.grant_publish(cast("Any", iam.ServicePrincipal("cloudwatch.amazonaws.com")))
    assert judge().findings == []


def test_a_topic_that_wants_a_group(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    topic: Any = sns.Topic(stack, "Topic", fifo=True)
    shielded(stack, alarms=AlarmOptions(actions=[cloudwatch_actions.SnsAction(topic)]))
    [finding] = judge().findings
    assert (finding.rule, finding.fix) == ("topic-unreadable", "use a standard topic")


@pytest.mark.parametrize("principal", [iam.AnyPrincipal(), iam.StarPrincipal()])
def test_a_topic_that_everybody_of_the_account_may_write_to(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, principal: Any
) -> None:
    topic: Any = sns.Topic(stack, "Topic")
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["SNS:*"],
            principals=[principal],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"AWS:SourceOwner": stack.account}},
        )
    )
    shielded(stack, alarms=AlarmOptions(actions=[cloudwatch_actions.SnsAction(topic)]))
    assert judge().findings == []


def test_a_fleets_alarm_watches_functions_in_other_stacks(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    alarms = AlarmOptions(granularity="fleet", actions=[action])
    nested = cdk.NestedStack(stack, "Nested")
    for number, place in enumerate((stack, cdk.Stack(app, "Other"), nested)):
        shielded(place, f"Fn{number}", alarms=alarms)
    assert judge().findings == []
    elsewhere = cdk.Stack(app, "Elsewhere", env=cdk.Environment(region="eu-west-1"))
    shielded(elsewhere, alarms=AlarmOptions(granularity="fleet", enabled=False))
    assert [(finding.place.path, finding.rule) for finding in judge().findings] == [("Elsewhere/Fn", "no-alarm")]


FLAGS = (
    json.loads((ROOT / "node_modules/aws-cdk/lib/init-templates/.recommended-feature-flags.json").read_text())
    if (ROOT / "node_modules/aws-cdk/lib/init-templates/.recommended-feature-flags.json").exists()
    else {}
)


@pytest.mark.parametrize("flags", [{}, FLAGS], ids=["no flags", "the flags of a new app"])
@pytest.mark.parametrize("kind", ["plain", "named", "retention", "asked"])
def test_the_log_group_that_the_cdk_makes_is_counted(
    tmp_path: Path, props: dict[str, Any], kind: str, flags: dict[str, Any]
) -> None:
    """However the CDK makes it, and names it."""
    assert FLAGS, "the CDK's command line is not in node_modules: make setup fetches it"
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), context=flags, analytics_reporting=False)
    stack = cdk.Stack(app, "Shop")
    named: Any = {"function_name": "checkout"} if kind == "named" else {}
    kept: Any = {"log_retention": logs.RetentionDays.ONE_DAY} if kind == "retention" else {}
    function = lambda_.Function(stack, "Checkout", **props, **named, **kept)
    if kind == "asked":
        _ = function.log_group
    Shield.everywhere(app, ShieldPolicy())
    assert rules(check(read_assembly(Path(app.synth().directory)))) == set()


def test_one_word_about_the_alarms_of_many(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    """An app without an action would otherwise print as many warnings as it has functions."""
    for number in range(4):
        shielded(stack, f"Fn{number}")
    (finding,) = judge().findings
    assert (finding.rule, finding.place.path) == ("alarm-without-action", "Shop")
    assert "the violations of 4 functions" in finding.problem


def test_a_log_group_of_another_stack(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    """Each function has its filter beside it."""
    shared = logs.LogGroup(stack, "Shared")
    other, nested = cdk.Stack(app, "Other"), cdk.NestedStack(stack, "Nested")
    for place in (stack, other, nested):
        shielded(place, log_group=shared, alarms=AlarmOptions(actions=[action]))
    assert [finding.message for finding in judge().findings] == []
