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

from shielded_function import AlarmOptions, ControlAlarm, Shield, ShieldFindings, ShieldPolicy
from shielded_function.checks import check, read_assembly

from .conftest import Judge, MakeFunction, rules

ROOT = Path(__file__).parents[4]
CLOUDWATCH: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")


def filter_of(function: lambda_.Function) -> logs.CfnMetricFilter:
    resource = Shield.of(function).metric_filter.node.default_child
    assert isinstance(resource, logs.CfnMetricFilter)
    return resource


def test_filters(app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    """One that is deleted, or counts another function, counts nothing; one by hand may name its function.

    A function of another stack has its filter beside it.
    """
    filter_of(shielded(stack, "Deleted")).add_property_override("MetricTransformations", [])
    shared = logs.LogGroup(stack, "Log")
    for place in (stack, cdk.Stack(app, "Other"), cdk.NestedStack(stack, "Nested")):
        shielded(place, "One", log_group=shared)
    shielded(stack, "Two", overrides={"LoggingConfig.LogGroup": {"Ref": stack.resolve(shared.log_group_name)["Ref"]}})
    named, referred = shielded(stack, "Named", function_name="checkout"), shielded(stack, "Referred")
    resource = referred.node.default_child
    assert isinstance(resource, cdk.CfnElement)
    by_hand = '{ ($.function = "%s") && ($.count >= 1) }'
    filter_of(named).add_property_override("FilterPattern", by_hand % "checkout")
    pattern = {"Fn::Sub": by_hand % f"${{{stack.get_logical_id(resource)}}}"}
    filter_of(referred).add_property_override("FilterPattern", pattern)
    report = judge()
    assert {each.place.path for each in report.findings if each.rule == "alerts-not-counted"} == {
        "Shop/Deleted",
        "Shop/Two",
    }
    assert rules(report) == {"alerts-not-counted"}


# Options of the alarms, and the violations that no alarm watches.
ALARMS: list[tuple[AlarmOptions, str]] = [
    (AlarmOptions(enabled=False), "its violations"),
    (AlarmOptions(severities={"warning": []}), "outbound_connectivity in mode block, create_child_process in mode bl"),
    (
        AlarmOptions(outbound_connectivity=ControlAlarm(mode="alert")),
        "outbound_connectivity in mode block, which is crit",
    ),
    (AlarmOptions(severities={"critical": []}), ""),
    (AlarmOptions(granularity="control"), ""),
    (AlarmOptions(granularity="fleet", start=ControlAlarm(), self_protection=ControlAlarm()), ""),
    (AlarmOptions(outbound_connectivity=ControlAlarm(except_hosts=["a.example"])), ""),
]


def test_violations_that_no_alarm_watches(app: cdk.App, shielded: MakeFunction, judge: Judge) -> None:
    for number, (alarms, _) in enumerate(ALARMS):
        # A fleet's alarm watches all functions of an account.
        env = cdk.Environment(account=f"{number:012}", region="eu-west-1")
        shielded(cdk.Stack(app, f"Shop{number}", env=env), alarms=alarms)
    # It watches functions in other stacks, but not of another region.
    other, far = (
        cdk.Stack(app, name, env=cdk.Environment(account=f"{5:012}", region=region))
        for name, region in {"Other": "eu-west-1", "Far": "us-east-1"}.items()
    )
    for place in (other, cdk.NestedStack(other, "Nested")):
        shielded(place, alarms=ALARMS[5][0])
    shielded(far, alarms=AlarmOptions(granularity="fleet", enabled=False))
    found = [(each.place.path, each.problem) for each in judge().findings if each.rule == "no-alarm"]
    expected = {
        f"Shop{number}/Fn": f"no alarm watches {unheard}" for number, (_, unheard) in enumerate(ALARMS) if unheard
    } | {"Far/Fn": "no alarm watches its violations"}
    assert sorted(path for path, _ in found) == sorted(expected)
    assert [each for each in found if not each[1].startswith(expected[each[0]])] == []


def test_actions_of_alarms(app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any) -> None:
    """One finding for many functions of a stack, as an app without an action would otherwise print one for each."""
    shielded(stack, "Silent")
    many = cdk.Stack(app, "Many")
    for number in range(4):
        shielded(many, f"Fn{number}")
    shielded(stack, "Tells", alarms=AlarmOptions(actions=[action]))
    composed: Any = shielded(stack, "Composed")
    rule = cloudwatch.AlarmRule.from_alarm(composed.shield.alarm, cloudwatch.AlarmState.ALARM)
    cloudwatch.CompositeAlarm(stack, "All", alarm_rule=cloudwatch.AlarmRule.any_of(rule)).add_alarm_action(action)
    found = judge().findings
    expected = [("Many", "alarm-without-action"), ("Shop/Silent", "alarm-without-action")]
    assert [(each.place.path, each.rule) for each in found] == expected
    assert "the violations of 4 functions" in found[0].problem


HIDING: list[tuple[dict[str, Any], str, bool]] = [
    ({}, "none", True),
    ({}, "first seen", False),
    ({}, "a forwarder", True),
    ({"evaluation_periods": 1}, "none", False),
    ({"granularity": "fleet"}, "none", True),
    ({"granularity": "fleet"}, "first seen", False),
]


@pytest.mark.parametrize(("options", "followed", "found"), HIDING)
def test_an_alarm_that_holds_hides(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any, options: Any, followed: str, found: bool
) -> None:
    """A second attack while it lasts, unless something tells the function's new targets."""
    fn: Any = shielded(stack, alarms=AlarmOptions(actions=[action], **options))
    if followed == "first seen":
        ShieldFindings(stack, "Findings", alarms=AlarmOptions(actions=[action], **options))
    elif followed == "a forwarder":
        arn, group = "arn:aws:kinesis:us-east-1:111122223333:stream/x", fn.shield.log_group.log_group_name
        logs.CfnSubscriptionFilter(stack, "S", log_group_name=group, destination_arn=arn, filter_pattern="")
    told = [each.problem for each in judge(hidden=False).findings if each.rule == "new-targets-hidden"]
    assert len(told) == found
    assert all("a second attack while" in each and "calls its actions once" in each for each in told)


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
    for place in (stack, cdk.Stack(cdk.Stage.of(stack), "Far")):
        shielded(place, "Other", alarms=AlarmOptions(actions=[action]))
    for name, metric in (("Dead", fn.shield.metric_filter.metric()), ("Alive", fn.metric_violations())):
        metric.create_alarm(stack, name, threshold=1, evaluation_periods=1).add_alarm_action(action)
    [finding] = judge().findings
    assert (finding.rule, finding.place.path) == ("alarm-never-fires", "Shop/Fn")
    assert "Shop/Dead never fires" in finding.problem


def test_an_encrypted_topic(app: cdk.App, shielded: MakeFunction, judge: Judge) -> None:
    """Whether the key lets CloudWatch use it, in the function's stack and in another."""
    keys: dict[str, Any] = {}
    for name, home in ("Shop", "Shop"), ("Other", "Security"):
        place = cdk.Stack(app, name)
        scope = place if home == name else cdk.Stack(app, home)
        key: Any = kms.Key(scope, "Key")
        topics: list[Any] = [
            sns.Topic(scope, "Topic", master_key=key),
            sns.Topic(scope, "Managed", master_key=kms.Alias.from_alias_name(scope, "Alias", "alias/aws/sns")),
            sns.Topic(scope, "Plain"),
        ]
        keys[f"{name}/Fn"] = key
        shielded(place, alarms=AlarmOptions(actions=[cloudwatch_actions.SnsAction(topic) for topic in topics]))
    found = judge().findings
    managed = [finding.problem for finding in found if "alias/aws/sns" in finding.problem]
    missing = {finding.place.path: finding for finding in found if finding.problem not in managed}
    assert ({finding.rule for finding in found}, len(found), len(managed)) == ({"topic-unreadable"}, 4, 2)
    for path, key in keys.items():
        assert f"{key.node.path} does not let CloudWatch do kms:Decrypt and kms:Gener" in missing[path].problem
        assert "key.grant(iam.ServicePrincipal(\"cloudwatch.amazonaws.com\"), 'kms:Decrypt'" in missing[path].fix
        key.grant(CLOUDWATCH, "kms:Decrypt", "kms:GenerateDataKey*")
    assert [finding.problem for finding in judge().findings] == managed


def test_a_topic_with_a_policy_of_its_own(app: cdk.App, shielded: MakeFunction, judge: Judge) -> None:
    """It takes the place of the policy that lets the account publish; the CDK's `SnsAction` adds nothing to it."""
    topics: dict[str, Any] = {}
    for how in ("Ssl", "Grant", "Composite"):
        for elsewhere in (False, True):
            stack = cdk.Stack(app, f"{how}{elsewhere}")
            home = cdk.Stack(app, f"Home{how}") if elsewhere else stack
            topic: Any = sns.Topic(home, "Topic", enforce_ssl=how == "Ssl")
            if how != "Ssl":
                topic.grant_publish(cast("Any", iam.ServicePrincipal("events.amazonaws.com")))
            action: Any = cloudwatch_actions.SnsAction(topic)
            fn = shielded(stack, alarms=AlarmOptions(actions=[] if how == "Composite" else [action]))
            if how == "Composite":
                rule: Any = cloudwatch.AlarmRule.any_of(*Shield.of(fn).alarms.values())
                cloudwatch.CompositeAlarm(stack, "Any", alarm_rule=rule).add_alarm_action(action)
            topics[f"{stack.node.path}/Fn"] = topic
    found = {finding.place.path: finding for finding in judge().findings}
    assert set(found) == set(topics)
    for path, topic in topics.items():
        lost = f"the topic {topic.node.path} are lost: its policy does not let CloudWatch publish"
        assert (found[path].rule, lost in found[path].problem) == ("topic-unreadable", True)
        assert found[path].fix == 'topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))'
        topic.grant_publish(CLOUDWATCH)
    assert judge().findings == []


def test_a_topic_that_wants_a_group_and_one_for_the_account(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge
) -> None:
    topics: dict[str, Any] = {"Fifo": sns.Topic(stack, "Fifo", fifo=True)}
    principals: dict[str, Any] = {"Any": iam.AnyPrincipal(), "Star": iam.StarPrincipal()}
    condition = {"StringEquals": {"AWS:SourceOwner": stack.account}}
    for name, everybody in principals.items():
        topic = topics[name] = sns.Topic(stack, name)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["SNS:*"], principals=[everybody], resources=[topic.topic_arn], conditions=condition
            )
        )
    for name, topic in topics.items():
        shielded(stack, f"Fn{name}", alarms=AlarmOptions(actions=[cloudwatch_actions.SnsAction(topic)]))
    assert [(finding.place.path, finding.rule, finding.fix) for finding in judge().findings] == [
        ("Shop/FnFifo", "topic-unreadable", "use a standard topic")
    ]


FLAGS_FILE = ROOT / "node_modules/aws-cdk/lib/init-templates/.recommended-feature-flags.json"
FLAGS = json.loads(FLAGS_FILE.read_text()) if FLAGS_FILE.exists() else {}


@pytest.mark.parametrize("flags", [{}, FLAGS], ids=["no flags", "the flags of a new app"])
def test_the_log_group_that_the_cdk_makes_is_counted(
    tmp_path: Path, props: dict[str, Any], flags: dict[str, Any]
) -> None:
    """However the CDK makes it, and names it."""
    assert FLAGS, "the CDK's command line is not in node_modules: make setup fetches it"
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), context=flags, analytics_reporting=False)
    stack = cdk.Stack(app, "Shop")
    lambda_.Function(stack, "Plain", **props)
    lambda_.Function(stack, "Named", function_name="checkout", **props)
    lambda_.Function(stack, "Kept", log_retention=logs.RetentionDays.ONE_DAY, **props)
    _ = lambda_.Function(stack, "Asked", **props).log_group
    Shield.everywhere(app, ShieldPolicy())
    report = check(read_assembly(Path(app.synth().directory)))
    assert (rules(report), len(report.shielded)) == (set(), 4)
