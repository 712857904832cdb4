"""Each rule, over the template that would be deployed: what it finds, and that it says how to mend it."""

from __future__ import annotations

import json
import re
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
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from shielded_function import AlarmOn, Shield, ShieldAlarms, ShieldedFunction, ShieldMonitoring, ShieldPolicy
from shielded_function.checks import check, read_assembly
from shielded_function.checks.rules import RULES
from shielded_function.runtimes import TESTED, can_be_shielded

from .conftest import Judge, MakeFunction, rules

ROOT = Path(__file__).parents[4]
WRAPPER = "Environment.Variables.AWS_LAMBDA_EXEC_WRAPPER"
OUTBOUND = "Environment.Variables.SHIELD_ALLOW_OUTBOUND"
NO_POLICY = {
    f"Environment.Variables.SHIELD_{name}": None
    for name in ("OUTBOUND_CONNECTIVITY", "READ_WRITE_TMP", "CREATE_CHILD_PROCESS", "READ_HANDLER")
}


def environment(**variables: Any) -> dict[str, Any]:
    return {f"Environment.Variables.SHIELD_{name.upper()}": value for name, value in variables.items()}


def test_a_shielded_function_that_tells_somebody_is_right(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    """A shielded function that tells somebody is as it should be."""
    policy = ShieldPolicy(
        allow_outbound=["api.stripe.com:443", "*.example.com", "10.0.0.0/8", "192.0.2.0/24:443", "2001:db8::/32"],
        allow_tmp=["/tmp/cache/**"],
        allow_child_process=["/usr/bin/ffmpeg"],
    )
    shielded(stack, policy=policy, alarms=ShieldAlarms(actions=[action]))
    report = judge(["Shop"])
    assert [finding.message for finding in report.findings] == []
    assert [function.layers for function in report.shielded] == [["shield"]]


# Each: what is written into the shielded function's resource, and the only rule that is to find it.
DAMAGE: dict[str, tuple[dict[str, Any], str]] = {
    "another wrapper": ({WRAPPER: "/opt/other"}, "layer-without-wrapper"),
    "no wrapper": ({WRAPPER: None}, "layer-without-wrapper"),
    "a wrapper known at deployment": ({WRAPPER: {"Ref": "AWS::StackName"}}, "layer-without-wrapper"),
    "no layer": ({"Layers": None}, "wrapper-without-layer"),
    "an empty list of layers": ({"Layers": []}, "wrapper-without-layer"),
    "no value of layers": ({"Layers": [{"Ref": "AWS::NoValue"}]}, "wrapper-without-layer"),
    "no policy": (NO_POLICY, "policy-missing"),
    "a misspelt mode": (environment(read_handler="blok"), "policy-invalid"),
    "an unknown variable": (environment(read_hander="block"), "policy-invalid"),
    "an OS-only runtime": ({"Runtime": "provided.al2023"}, "runtime-unsupported"),
    "an old runtime": ({"Runtime": "python3.7"}, "runtime-unsupported"),
    "a runtime that was not tried": ({"Runtime": "ruby3.4"}, "runtime-untested"),
    "another log group": ({"LoggingConfig.LogGroup": "elsewhere"}, "alerts-not-counted"),
    "no log group": ({"LoggingConfig": None}, "alerts-not-counted"),
    "a log level": ({"LoggingConfig.ApplicationLogLevel": "ERROR"}, "alerts-dropped"),
    "all of IPv4": ({OUTBOUND: "0.0.0.0/0"}, "network-too-wide"),
    "all of IPv6, one port": ({OUTBOUND: "[::/0]:443"}, "network-too-wide"),
    "half of IPv4, by TCP": ({OUTBOUND: "tcp://128.0.0.0/1:443"}, "network-too-wide"),
    "a wide network": ({OUTBOUND: "52.0.0.0/11"}, "network-too-wide"),
    "a wide network of IPv6": ({OUTBOUND: "2600::/12"}, "network-too-wide"),
    "a country's suffix": ({OUTBOUND: "*.co.uk"}, "wildcard-too-wide"),
    "a private suffix": ({OUTBOUND: "*.github.io:443"}, "wildcard-too-wide"),
    "all of AWS": ({OUTBOUND: "*.amazonaws.com"}, "wildcard-too-wide"),
    "any API": ({OUTBOUND: "*.execute-api.us-east-1.amazonaws.com"}, "wildcard-too-wide"),
    "any function URL": ({OUTBOUND: "*.lambda-url.us-east-1.on.aws"}, "wildcard-too-wide"),
    "all of on.aws": ({OUTBOUND: "*.on.aws"}, "wildcard-too-wide"),
    "any storage account": ({OUTBOUND: "*.blob.core.windows.net"}, "wildcard-too-wide"),
    "any bucket": ({OUTBOUND: "*.s3.eu-west-1.amazonaws.com"}, "wildcard-too-wide"),
    "a suffix in another alphabet": ({OUTBOUND: "*.xn--55qx5d.cn"}, "wildcard-too-wide"),
    "a chat's webhooks": ({OUTBOUND: "hooks.slack.com:443"}, "shared-host"),
    "a wildcard over them": ({OUTBOUND: "*.slack.com:443"}, "shared-host"),
    "code": ({OUTBOUND: "tcp://api.github.com:443"}, "shared-host"),
    "a paste": ({OUTBOUND: "pastebin.com"}, "shared-host"),
    "a bot": ({OUTBOUND: "api.telegram.org"}, "shared-host"),
    "a tunnel": ({OUTBOUND: "a1b2.ngrok-free.app"}, "shared-host"),
    "S3 by path": ({OUTBOUND: "s3.us-east-1.amazonaws.com:443"}, "shared-host"),
    "another cloud's storage": ({OUTBOUND: "storage.googleapis.com"}, "shared-host"),
    "a list without effect": (
        environment(outbound_connectivity="allow", allow_outbound="api.example.com"),
        "list-without-effect",
    ),
    "services without effect": (
        environment(outbound_connectivity="allow", allow_aws="s3"),
        "list-without-effect",
    ),
    "paths without effect": (environment(read_write_tmp="allow", allow_tmp="/tmp/a"), "list-without-effect"),
    "programs without effect": (
        environment(create_child_process="allow", allow_child_process="/bin/sh"),
        "list-without-effect",
    ),
    "all of tmp": (environment(allow_tmp="/tmp/**"), "tmp-wide-open"),
    "all of tmp, otherwise": (environment(allow_tmp="/tmp/?**"), "tmp-wide-open"),
    "the top of tmp": (environment(read_write_tmp="alert", allow_tmp="/tmp/*"), "tmp-wide-open"),
    "a program without a shield": (environment(allow_child_process="unshielded:/opt/tool"), "unshielded-program"),
    "without a shield where it fails": (environment(on_failure="run_unshielded"), "run-unshielded"),
    "durable": (
        {"DurableConfig": {"ExecutionTimeout": 60}, **environment(allow_aws="s3")},
        "durable-without-lambda",
    ),
    "a file in no layer": (environment(policy_file="/opt/shielded-function/policy"), "policy-file-missing"),
    "a file not in the code": (environment(policy_file="/var/task/policy"), "policy-file-missing"),
    "a file elsewhere": (environment(policy_file="/etc/policy"), "policy-file-missing"),
    "a file known at deployment": (environment(policy_file={"Ref": "AWS::StackName"}), "policy-file-unseen"),
}


def test_what_is_found(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    for name, (overrides, _) in DAMAGE.items():
        shielded(stack, name, overrides)
    report = judge()
    assert {name: rules(report, f"Shop/{name}") for name in DAMAGE} == {
        name: {rule} for name, (_, rule) in DAMAGE.items()
    }
    assert all(finding.fix and finding.message.startswith(f"{finding.place.path}: ") for finding in report.findings)


def test_every_rule_is_tried_here() -> None:
    tried = {rule for _, rule in DAMAGE.values()}
    source = Path(__file__).read_text()
    assert [rule.id for rule in RULES if rule.id not in tried and f'"{rule.id}"' not in source] == []


# Each: an override that is no fault.
FINE: dict[str, dict[str, Any]] = {
    "durable, and Lambda is admitted": {"DurableConfig": {"ExecutionTimeout": 60}, **environment(allow_aws="lambda")},
    "durable, and all of AWS is": {"DurableConfig": {"ExecutionTimeout": 60}},
    "one customer's storage account": environment(allow_outbound="contoso.blob.core.windows.net:443"),
    "one customer's API": environment(allow_outbound="a1b2c3.execute-api.us-east-1.amazonaws.com:443"),
    "a customer's own wildcard": environment(allow_outbound="*.contoso.co.uk"),
    "a host that looks like a shared one": environment(allow_outbound="github.com.example.net,myslack.com"),
    "a wide list where nothing is blocked": environment(outbound_connectivity="allow"),
    "a layer published elsewhere": {"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:shield:7"]},
    "a layer by a parameter": {"Layers": [{"Ref": "Unknown"}]},
    "another wrapper runs next": environment(next_wrapper="/opt/other"),
    "hosts known at deployment": {
        OUTBOUND: {"Fn::Join": ["", [{"Fn::GetAtt": ["Db", "Endpoint.Address"]}, ":5432,api.example.com"]]}
    },
}


def test_what_is_no_fault(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    for name, overrides in FINE.items():
        shielded(stack, name, overrides)
    report = judge()
    assert {name: rules(report, f"Shop/{name}") for name in FINE} == {name: set() for name in FINE}
    assert len(report.shielded) == len(FINE)


def test_all_that_is_wrong_is_found_at_once(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    entries = ["0.0.0.0/0", "*.co.uk", "pastebin.com", "webhook.site"]
    shielded(stack, overrides={OUTBOUND: ",".join(entries)})
    problems = [finding.problem for finding in judge().findings]
    assert all(any(f"allow_outbound has {entry}" in problem for problem in problems) for entry in entries)


@pytest.mark.parametrize("mode", ["outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler"])
def test_alert_mode_in_production(mode: str, app: cdk.App, shielded: MakeFunction, judge: Judge) -> None:
    for name in ("Live", "Dev"):
        stack = cdk.Stack(cdk.Stage(app, name), "Shop")
        shielded(stack, policy=ShieldPolicy.from_dict({mode: "alert"}))
    assert rules(judge()) == set()
    report = judge(["Live"])
    assert rules(report, "Live/Shop/Fn") == {"alert-in-production"}
    assert rules(report, "Dev/Shop/Fn") == set()


def test_a_glob_for_production_that_matches_nothing(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    shielded(stack)
    (finding,) = [each for each in judge(["Shop", "Shpo"]).findings if each.rule == "production-matches-nothing"]
    assert "'Shpo'" in finding.message


def test_no_shield(stack: cdk.Stack, props: dict[str, Any], judge: Judge) -> None:
    lambda_.Function(stack, "Plain", **props)
    code = lambda_.Code.from_bucket(s3.Bucket.from_bucket_name(stack, "Code", "shop-code"), "go.zip")
    lambda_.Function(stack, "Go", **{**props, "runtime": lambda_.Runtime.PROVIDED_AL2023, "code": code})
    lambda_.CfnFunction(
        stack, "Raw", role="arn:aws:iam::123456789012:role/r", code=lambda_.CfnFunction.CodeProperty(zip_file="x = 1")
    )
    report = judge()
    assert {finding.place.path: finding.rule for finding in report.findings} == dict.fromkeys(
        ["Shop/Plain", "Shop/Go", "Shop/Raw"], "not-shielded"
    )
    assert "provided.al2023" in next(f.message for f in report.findings if f.place.path == "Shop/Go")


def test_a_stage_that_came_too_late(app: cdk.App, shielded: MakeFunction, props: dict[str, Any], judge: Judge) -> None:
    shielded(cdk.Stack(cdk.Stage(app, "Dev"), "Shop"))
    lambda_.Function(cdk.Stack(cdk.Stage(app, "Prod"), "Shop"), "Fn", **props)
    (finding,) = [each for each in judge().findings if each.rule == "not-shielded"]
    assert finding.place.path == "Prod/Shop/Fn"
    assert "call that again after it" in finding.fix


def test_a_function_of_sam(stack: cdk.Stack, judge: Judge) -> None:
    stack.template_options.transforms = ["AWS::Serverless-2016-10-31"]
    cdk.CfnResource(stack, "Sam", type="AWS::Serverless::Function", properties={"Runtime": "python3.13"})
    assert rules(judge(), "Shop/Sam") == {"not-shielded"}


def test_an_image(stack: cdk.Stack, judge: Judge) -> None:
    for name, settings in {
        "Bare": {},
        "Wrapped": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield", "SHIELD_READ_HANDLER": "block"},
    }.items():
        lambda_.CfnFunction(
            stack,
            name,
            role="arn:aws:iam::123456789012:role/r",
            package_type="Image",
            code=lambda_.CfnFunction.CodeProperty(image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/i:1"),
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=settings),
        )
    report = judge()
    assert rules(report, "Shop/Bare") == {"not-shielded"}
    assert rules(report, "Shop/Wrapped") == {"image-unseen", "alerts-not-counted"}


def test_the_layer_must_hold_the_shield(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, source: Path) -> None:
    other = lambda_.LayerVersion(stack, "Other", code=lambda_.Code.from_asset(str(source)))
    shielded(stack, overrides={"Layers": [stack.resolve(other.layer_version_arn)]})
    assert rules(judge()) == {"wrapper-without-layer"}


def test_a_policy_file_in_a_layer(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, tmp_path: Path) -> None:
    policy = tmp_path / "policy" / "shielded-function" / "policy"
    policy.parent.mkdir(parents=True)
    policy.write_text("SHIELD_ALLOW_OUTBOUND=pastebin.com\nSHIELD_ON_FAILURE=run_unshielded\n")
    layer = lambda_.LayerVersion(stack, "Policy", code=lambda_.Code.from_asset(str(tmp_path / "policy")))
    fn = shielded(
        stack,
        overrides=environment(policy_file="/opt/shielded-function/policy", allow_outbound="webhook.site"),
    )
    fn.add_layers(layer)
    report = judge()
    assert rules(report) == {"shared-host", "run-unshielded"}
    (function,) = report.shielded
    assert function.policy.policy is not None
    assert set(function.policy.policy.allow_outbound) == {"pastebin.com", "webhook.site"}


def test_a_policy_file_in_the_code(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, source: Path) -> None:
    (source / "policy.txt").write_text("SHIELD_ALLOW_TMP=/tmp/**\n")
    shielded(
        stack,
        overrides=environment(policy_file="/var/task/policy.txt"),
        code=lambda_.Code.from_asset(str(source)),
        handler="app.handler",
    )
    assert rules(judge()) == {"tmp-wide-open"}


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (ShieldPolicy(), {"executable-memory-needed"}),
        (ShieldPolicy(presets=["numba"]), set()),
        (ShieldPolicy(executable_memory="alert"), set()),
        (ShieldPolicy.alert(), set()),
    ],
    ids=["blocked", "preset", "alert", "left-to-alerting"],
)
@pytest.mark.parametrize("in_layer", [False, True], ids=["code", "layer"])
def test_a_library_that_needs_executable_memory(
    stack: cdk.Stack,
    shielded: MakeFunction,
    judge: Judge,
    source: Path,
    tmp_path: Path,
    policy: ShieldPolicy,
    found: set[str],
    in_layer: bool,
) -> None:
    package = (tmp_path / "layer" / "python" if in_layer else source) / "numba"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    fn = shielded(stack, policy=policy, code=lambda_.Code.from_asset(str(source)), handler="app.handler")
    if in_layer:
        code = lambda_.Code.from_asset(str(tmp_path / "layer"))
        fn.add_layers(lambda_.LayerVersion(stack, "Libraries", code=code))
    assert rules(judge()) == found


def test_a_deleted_filter(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    attached = Shield.of(shielded(stack))
    assert attached is not None
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
    assert attached
    made = attached.metric_filter.node.default_child
    assert isinstance(made, logs.CfnMetricFilter)
    pattern = '{ ($.function = "' + name + '") && ($.count >= 1) }'
    made.add_property_override("FilterPattern", {"Fn::Sub": pattern} if "$" in name else pattern)
    assert rules(judge()) == set()


def test_a_log_group_by_its_name(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    group = logs.LogGroup(stack, "Log", log_group_name="/shop/checkout")
    shielded(stack, log_group=group, overrides={"LoggingConfig.LogGroup": "/shop/checkout"})
    assert rules(judge()) == set()


def test_alarms(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any) -> None:
    shielded(stack, "Silent")
    shielded(stack, "None", alarms=ShieldAlarms(enabled=False))
    shielded(stack, "Tells", alarms=ShieldAlarms(actions=[action]))
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
            ShieldAlarms(severities={"warning": []}),
            "outbound_connectivity in mode block, create_child_process in mode bl",
        ),
        (
            ShieldAlarms(outbound_connectivity=AlarmOn(mode="alert")),
            "outbound_connectivity in mode block, which is crit",
        ),
        (ShieldAlarms(severities={"critical": []}), ""),
        (ShieldAlarms(granularity="policy"), ""),
        (ShieldAlarms(granularity="fleet", start=AlarmOn(), self_protection=AlarmOn()), ""),
        (ShieldAlarms(outbound_connectivity=AlarmOn(except_hosts=["a.example"])), ""),
    ],
)
def test_critical_violations_that_no_alarm_watches(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, alarms: ShieldAlarms, unheard: str
) -> None:
    shielded(stack, alarms=alarms)
    found = [finding.problem for finding in judge().findings if finding.rule == "no-alarm"]
    assert len(found) == bool(unheard)
    assert all(problem.startswith(f"no alarm watches {unheard}") for problem in found)


def test_one_alarm_for_all(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any) -> None:
    shielded(stack, alarms=ShieldAlarms(enabled=False))
    alarm = cloudwatch.Alarm(
        cdk.Stack(cdk.Stage.of(stack), "Watch"),
        "Fleet",
        metric=cloudwatch.MathExpression(
            expression='SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName)', using_metrics={}
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
    fn: Any = shielded(stack, "Fn", alarms=ShieldAlarms(actions=[action]))
    shielded(stack, "Other", alarms=ShieldAlarms(actions=[action]))
    for name, metric in (("Dead", fn.shield.metric_filter.metric()), ("Alive", fn.metric_violations())):
        metric.create_alarm(stack, name, threshold=1, evaluation_periods=1).add_alarm_action(action)
    [finding] = judge().findings
    assert (finding.rule, finding.place.path) == ("alarm-never-fires", "Shop/Fn")
    assert "Shop/Dead never fires" in finding.problem


def test_a_log_group_of_another_stack(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    """Each function has its filter beside it."""
    shared = logs.LogGroup(stack, "Shared")
    other, nested = cdk.Stack(app, "Other"), cdk.NestedStack(stack, "Nested")
    for place in (stack, other, nested):
        shielded(place, log_group=shared, alarms=ShieldAlarms(actions=[action]))
    assert [finding.message for finding in judge().findings] == []


def test_an_alarm_of_another_function_does_not_watch(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    one, _ = (shielded(stack, name, alarms=ShieldAlarms(enabled=False)) for name in ("One", "Two"))
    alarm = cast("Any", one).metric_violations().create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1)
    alarm.add_alarm_action(action)
    assert {(finding.place.path, finding.rule) for finding in judge().findings} == {("Shop/Two", "no-alarm")}


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
    shielded(stack, alarms=ShieldAlarms(actions=actions))
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
    shielded(stack, alarms=ShieldAlarms(actions=[] if how == "composite" else [action]))
    if how == "composite":
        ShieldMonitoring(stack, alarms=ShieldAlarms(enabled=False), dashboard=False, composite_actions=[action])
    [finding] = judge().findings
    assert (finding.rule, finding.place.path) == ("topic-unreadable", "Shop/Fn")
    assert f"the topic {home.node.path}/Topic are lost: its policy does not let CloudWatch publish" in finding.problem
    assert finding.fix == 'topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))'
    topic.grant_publish(cast("Any", iam.ServicePrincipal("cloudwatch.amazonaws.com")))
    assert judge().findings == []


def test_a_topic_that_wants_a_group(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    topic: Any = sns.Topic(stack, "Topic", fifo=True)
    shielded(stack, alarms=ShieldAlarms(actions=[cloudwatch_actions.SnsAction(topic)]))
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
    shielded(stack, alarms=ShieldAlarms(actions=[cloudwatch_actions.SnsAction(topic)]))
    assert judge().findings == []


def test_a_fleets_alarm_watches_functions_in_other_stacks(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    """The alarm of a fleet watches its functions in other stacks."""
    alarms = ShieldAlarms(granularity="fleet", actions=[action])
    nested = cdk.NestedStack(stack, "Nested")
    for number, place in enumerate((stack, cdk.Stack(app, "Other"), nested)):
        shielded(place, f"Fn{number}", alarms=alarms)
    assert judge().findings == []
    elsewhere = cdk.Stack(app, "Elsewhere", env=cdk.Environment(region="eu-west-1"))
    shielded(elsewhere, alarms=ShieldAlarms(granularity="fleet", enabled=False))
    assert [(finding.place.path, finding.rule) for finding in judge().findings] == [("Elsewhere/Fn", "no-alarm")]


def test_the_tested_runtimes_are_the_rows_of_the_page() -> None:
    page = (ROOT / "docs" / "guide" / "runtimes.md").read_text()
    table = page.split("| runtime | a plain function", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| ([a-z]+[0-9.x]+) \|", table, re.MULTILINE)) == TESTED
    assert all(can_be_shielded(runtime) for runtime in TESTED)


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
    Shield.everywhere(app)
    assert rules(check(read_assembly(Path(app.synth().directory)))) == set()


class TestReplaced:
    def fake(self, stack: cdk.Stack, tmp_path: Path) -> lambda_.LayerVersion:
        folder = tmp_path / "fake" / "shielded-function"
        folder.mkdir(parents=True)
        (folder / "shield").write_text('#!/bin/sh\nexec "$@"\n')
        return lambda_.LayerVersion(stack, "Fake", code=lambda_.Code.from_asset(str(folder.parent)))

    def test_by_a_layer_behind_it(self, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, tmp_path: Path) -> None:
        shielded(stack).add_layers(self.fake(stack, tmp_path))
        assert rules(judge()) == {"shield-replaced", "shield-unknown"}

    def test_by_a_layer_in_its_place(
        self, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, tmp_path: Path
    ) -> None:
        shielded(stack, shield_layer=self.fake(stack, tmp_path))
        assert rules(judge()) == {"shield-unknown"}


def test_a_policy_that_allows_everything(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    modes = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
    shielded(stack, policy=ShieldPolicy(**dict.fromkeys(modes, "allow")))  # pyright: ignore[reportArgumentType]
    assert rules(judge()) == {"nothing-enforced"}


def test_production_may_not_talk_to_anybody(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    shielded(stack, policy=ShieldPolicy(outbound_connectivity="allow"))
    assert rules(judge(["Shop"])) == {"alert-in-production"}
    assert rules(judge()) == set()


@pytest.mark.parametrize("suffix_alone", [True, False])
def test_a_wide_wildcard_of_pseudo_parameters(
    app: cdk.App, shielded: MakeFunction, judge: Judge, suffix_alone: bool
) -> None:
    aws = cdk.Aws
    entry = f"*.{aws.URL_SUFFIX}" if suffix_alone else f"*.execute-api.{aws.REGION}.{aws.URL_SUFFIX}:443"
    stack = cdk.Stack(app, "Wide", env=cdk.Environment(region="eu-west-1", account="111122223333"))
    shielded(stack, policy=ShieldPolicy(allow_outbound=[entry]))
    assert rules(judge()) == {"wildcard-too-wide"}


def test_a_wide_default_of_a_parameter(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    network = cdk.CfnParameter(stack, "Network", default="0.0.0.0/0").value_as_string
    shielded(stack, policy=ShieldPolicy(allow_outbound=[network]))
    assert rules(judge()) == {"network-too-wide"}


def test_one_word_about_the_alarms_of_many(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    """An app without an action would otherwise print as many warnings as it has functions."""
    for number in range(4):
        shielded(stack, f"Fn{number}")
    (finding,) = judge().findings
    assert (finding.rule, finding.place.path) == ("alarm-without-action", "Shop")
    assert "the violations of 4 functions" in finding.problem
