"""`ShieldMonitoring`: one line for an app."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template
from moto.events.models import EventPattern

from harness.alert_lines import armed, tmp
from harness.function_template import ALARM, FILTER, LOG_GROUP, Props, Resources, Synthesize
from harness.linting import lint_errors
from shielded_function import (
    AlarmOptions,
    ControlAlarm,
    LogOptions,
    Shield,
    ShieldedFunction,
    ShieldError,
    ShieldFindings,
    ShieldMonitoring,
    ShieldPolicy,
)
from shielded_function.dashboards import changes
from shielded_function_monitoring.pattern import parse as parse_pattern
from shielded_function_monitoring.queries import QUERIES
from unit.constructs.aws import aws, l1_function

DASHBOARD = "AWS::CloudWatch::Dashboard"
QUERY = "AWS::Logs::QueryDefinition"
RULE = "AWS::Events::Rule"

QUIET = AlarmOptions(enabled=False)
DEPENDS_TWICE = "W3005"  # the CDK's own `Function`, on its role


def topic_in(stack: cdk.Stack) -> Any:
    return stack.node.try_find_child("Topic") or aws.sns.Topic(stack, "Topic")


def action_in(stack: cdk.Stack) -> Any:
    return aws.cloudwatch_actions.SnsAction(topic_in(stack))


def target_in(stack: cdk.Stack) -> Any:
    return aws.events_targets.SnsTopic(topic_in(stack))


def test_everything_of_an_app(app: cdk.App, props: Props, synthesize: Synthesize, resources: Resources) -> None:
    operations, shop, orders = (cdk.Stack(app, name) for name in ("Operations", "Shop", "Orders"))
    fleet = AlarmOptions(granularity="fleet", actions=[action_in(operations)], stacks=[operations])
    aws.lambda_.Function(shop, "Before", **props)
    monitoring = ShieldMonitoring(app, alarms=fleet, configuration_changes=[target_in(operations)])
    Shield.everywhere(app, ShieldPolicy(), alarms=fleet)  # which becomes known only at synthesis
    ShieldedFunction(orders, "After", alarms=fleet, **props)
    assert list(monitoring.homes.values()) == [operations]
    assert list(monitoring.dashboards) == ["aws://unknown-account/unknown-region"]
    found = {kind: resources(operations, kind) for kind in (ALARM, DASHBOARD, QUERY, RULE)}
    assert {kind: len(made) for kind, made in found.items()} == {ALARM: 2, DASHBOARD: 1, QUERY: 4, RULE: 5}
    assert {q["QueryString"] for q in found[QUERY].values()} < {query.text for query in QUERIES.values()}
    assert all(q["Name"].startswith("ShieldedFunction/Operations/") for q in found[QUERY].values())
    for stack in (shop, orders):
        assert [len(resources(stack, kind)) for kind in (ALARM, DASHBOARD, QUERY, RULE, FILTER)] == [0, 0, 0, 0, 1]
        [group] = resources(stack, LOG_GROUP).values()
        assert group["FieldIndexPolicies"] == [{"Fields": ["policy", "event", "function"]}]
        assert "Outputs" not in synthesize(stack)
    names = next(iter(found[RULE].values()))["EventPattern"]["detail"]["requestParameters"]["functionName"]
    assert [name["prefix"] for name in names if "prefix" in name] == ["Shop-", "Orders-"]
    assert all(len(rule["Targets"]) == 1 for rule in found[RULE].values())
    assert lint_errors(synthesize(operations), DEPENDS_TWICE) == []


def test_alone_in_a_stack(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """Without arguments: where the first function is, with queries that know their log groups. A given one stays."""
    monitoring = ShieldMonitoring(stack)
    ShieldedFunction(stack, "Fn", alarms=monitoring.alarms, **props)
    ShieldedFunction(stack, "Given", log_group=aws.logs.LogGroup(stack, "Mine"), alarms=monitoring.alarms, **props)
    assert [len(resources(stack, kind)) for kind in (ALARM, DASHBOARD, QUERY)] == [2, 1, 4]
    groups = resources(stack, LOG_GROUP)
    assert ["FieldIndexPolicies" in groups[name] for name in sorted(groups)] == [True, False]
    for query in resources(stack, QUERY).values():
        assert sorted(each["Ref"] for each in query["LogGroupNames"]) == sorted(groups)


def test_functions_with_own_alarms_count_for_the_fleet(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Fn", alarms=AlarmOptions(granularity="control"), **props)
    ShieldMonitoring(stack, alarms=AlarmOptions(granularity="fleet", severities={"critical": []}))
    metrics = {f["MetricTransformations"][0]["MetricName"] for f in resources(stack, FILTER).values()}
    assert metrics == {"Violations", "Violations-critical"}
    queries = [a["Metrics"][0]["Expression"] for a in resources(stack, ALARM).values() if "Metrics" in a]
    assert [query.split(" FROM ")[0] for query in queries] == ['SELECT SUM("Violations-critical")']


def test_a_function_that_counts_otherwise_is_warned_of(stack: cdk.Stack, props: Props) -> None:
    """Its own alarm takes a policy away from the metric that the fleet's alarm watches."""
    on = ControlAlarm(except_hosts=["telemetry.example"])
    ShieldedFunction(stack, "Own", alarms=AlarmOptions(outbound_connectivity=on), **props)
    ShieldedFunction(stack, "Same", **props)
    ShieldMonitoring(stack)
    says = Match.string_like_regexp("counts its lines into the metric Violations already, with other options")
    Annotations.from_stack(stack).has_warning("/Shop/Own", says)
    Annotations.from_stack(stack).has_no_warning("/Shop/Same", says)


@pytest.mark.parametrize("switch", ["on", "off"])
def test_what_is_left_out(props: Props, resources: Resources, switch: str) -> None:
    """No heartbeat of a function that the context leaves without a shield."""
    stack = cdk.Stack(cdk.App(context={"shield": switch}), "Shop")
    ShieldedFunction(stack, "Fn", alarms=QUIET, **props)
    beats: Any = {"heartbeat_actions": [action_in(stack)]} if switch == "off" else {}
    ShieldMonitoring(stack, alarms=QUIET, dashboard=False, queries=False, field_indexes=False, **beats)
    assert [len(resources(stack, kind)) for kind in (ALARM, DASHBOARD, QUERY, FILTER)] == [0, 0, 0, 1]
    assert "FieldIndexPolicies" not in json.dumps(resources(stack, LOG_GROUP))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"alarms": 7}, "alarms: 7 is no AlarmOptions"),
        ({"alarms": AlarmOptions(granularity="control")}, "alarms: granularity='control' is for Shield and Shielded"),
        ({"stacks": 7}, r"stacks: 7 is not a list; write \[stack\]"),
        ({"stacks": ["Ops"]}, r"stacks\[0\]: 'Ops' is no stack; write the cdk.Stack itself"),
        ({"dashboard": "yes"}, "dashboard: 'yes' is neither True nor False"),
        ({"queries": None}, "queries: None is neither True nor False"),
        ({"heartbeat_actions": ["arn"]}, r"heartbeat_actions\[0\]: 'arn' is no action of an alarm; write SnsAction"),
        ({"configuration_changes": [7]}, r"configuration_changes\[0\]: 7 is no target: write targets.SnsTopic"),
        ({"configuration_changes": "topic"}, "configuration_changes: 'topic' is not a list"),
        ({"first_seen": [7]}, r"first_seen\[0\]: 7 is no target: write targets.SnsTopic"),
        ({"first_seen": True}, "first_seen: True is not a list"),
    ],
)
def test_bad_arguments(stack: cdk.Stack, wrong: Any, says: str) -> None:
    with pytest.raises(ShieldError, match=f"Shop/ShieldMonitoring: {says}"):
        ShieldMonitoring(stack, **wrong)


@pytest.mark.parametrize("own", [True, False])
def test_a_stage_that_came_too_late(app: cdk.App, stack: cdk.Stack, props: Props, own: bool) -> None:
    ShieldedFunction(stack, "Fn", **props)
    ShieldMonitoring(app)
    late = cdk.Stage(app, "Late")
    ShieldedFunction(cdk.Stack(late, "Shop"), "Fn", **props)
    if own:
        ShieldMonitoring(late)
    says = "ShieldMonitoring: it was created before the Stage of Late/Shop/Fn: create it"
    with nullcontext() if own else pytest.raises(Exception, match=says):
        app.synth()


def test_of_one_function(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Fn", alarms=QUIET, **props)
    ShieldedFunction(stack, "Other", alarms=QUIET, **props)
    ShieldMonitoring(fn)
    assert len(resources(stack, ALARM)) == 2
    indexed = [name for name, made in resources(stack, LOG_GROUP).items() if "FieldIndexPolicies" in made]
    assert [name.startswith("FnShield") for name in indexed] == [True]


def event(service: str, call: str, address: str = "203.0.113.9", /, **parameters: Any) -> dict[str, Any]:
    """What EventBridge gets of a call."""
    source = f"aws.{service}"
    detail = {"eventSource": f"{service}.amazonaws.com", "eventName": call, "sourceIPAddress": address}
    return {"source": source, "detail-type": "AWS API Call via CloudTrail"} | {
        "detail": {**detail, "requestParameters": parameters}
    }


_ARN = "arn:aws:lambda:eu-west-1:111122223333:function:"
_TOPIC = "arn:aws:sns:us-east-1:111122223333:pages"
_KEY = "arn:aws:kms:us-east-1:111122223333:key/0f8fad5b-d9cb-469f-a165-70867728950e"
CHANGES: dict[str, tuple[dict[str, Any], bool]] = {
    "code": (event("lambda", "UpdateFunctionCode20150331v2", functionName="checkout"), True),
    "configuration": (event("lambda", "UpdateFunctionConfiguration20150331v2", functionName=f"{_ARN}Shop-Fn-1"), True),
    "made by the stack": (event("lambda", "PutRuntimeManagementConfig20150331", functionName="Shop-Fn-1"), True),
    "a function is gone": (event("lambda", "DeleteFunction20150331", functionName="checkout"), True),
    "another function": (event("lambda", "UpdateFunctionCode20150331v2", functionName="other"), False),
    "its concurrency": (event("lambda", "DeleteFunctionConcurrency20171031", functionName="checkout"), False),
    "by CloudFormation": (
        event("lambda", "UpdateFunctionCode20150331v2", "cloudformation.amazonaws.com", functionName="checkout"),
        False,
    ),
    "the filter is gone": (event("logs", "DeleteMetricFilter", logGroupName="Shop-FnShieldLogGroup-1"), True),
    "another filter": (event("logs", "PutMetricFilter", logGroupName="/shop/checkout", filterName="x"), True),
    "the log is gone": (event("logs", "DeleteLogGroup", logGroupName="/shop/checkout"), True),
    "a stream of it": (event("logs", "DeleteLogStream", logGroupName="/shop/checkout"), True),
    "its retention": (event("logs", "PutRetentionPolicy", logGroupName="/shop/checkout", retentionInDays=1), True),
    "another log": (event("logs", "DeleteLogGroup", logGroupName="/shop/other"), False),
    "alarms are off": (event("monitoring", "DisableAlarmActions", alarmNames=["x", "shield-critical-Shop-Fn"]), True),
    "alarms are gone": (event("monitoring", "DeleteAlarms", alarmNames=["shield-rest-Shop-Fn"]), True),
    "an alarm with a name": (event("monitoring", "DeleteAlarms", alarmNames=["checkout-egress"]), True),
    "alarms with a prefix": (event("monitoring", "DeleteAlarms", alarmNames=["acme-rest-Shop-Checkout"]), True),
    "its threshold": (event("monitoring", "PutMetricAlarm", alarmName="shield-rest-Shop-Fn", threshold=9), True),
    "it is muted": (event("monitoring", "PutAlarmMuteRule", muteTargets={"alarmNames": ["shield-x"]}), True),
    "other alarms": (event("monitoring", "DeleteAlarms", alarmNames=["cpu"]), False),
    "another version": (event("lambda", "UpdateAlias20150331", functionName="checkout", name="live"), True),
    "a rule is off": (event("events", "DisableRule", name="Shop-ShieldMonitoringRuleChanges-1"), True),
    "its targets are gone": (event("events", "RemoveTargets", rule="Shop-ShieldMonitoringLogChanges-1"), True),
    "another rule": (event("events", "DisableRule", name="nightly"), False),
    "the topic is gone": (event("sns", "DeleteTopic", topicArn=_TOPIC), True),
    "nobody subscribes": (event("sns", "Unsubscribe", subscriptionArn=f"{_TOPIC}:0f8fad5b"), True),
    "another topic": (event("sns", "DeleteTopic", topicArn=f"{_TOPIC[:-5]}news"), False),
    "the key is off": (event("kms", "DisableKey", keyId=_KEY), True),
    "the key goes, by its id": (event("kms", "ScheduleKeyDeletion", keyId=_KEY.rpartition("/")[2]), True),
    "another key": (event("kms", "DisableKey", keyId="1b2c"), False),
    "the role loses a policy": (event("iam", "DetachRolePolicy", roleName="Shop-FnServiceRole-1"), True),
    "another role": (event("iam", "DetachRolePolicy", roleName="admin"), False),
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> list[EventPattern]:
    """The rules of two functions, of which one has names."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("cdk.out")), analytics_reporting=False)
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(account="111122223333", region="us-east-1"))
    code = aws.lambda_.Code.from_inline("def handler(event, context): return event")
    props: Props = {"runtime": aws.lambda_.Runtime.PYTHON_3_13, "handler": "index.handler", "code": code}
    ShieldMonitoring(stack, configuration_changes=[target_in(stack)])
    on = ControlAlarm(except_hosts=["telemetry.example"], name="egress")
    key = aws.kms.Key.from_key_arn(stack, "Key", _KEY)
    logs = LogOptions(log_group_name="/shop/checkout", encryption_key=key)
    pages = aws.cloudwatch_actions.SnsAction(aws.sns.Topic.from_topic_arn(stack, "Pages", _TOPIC))
    alarms = AlarmOptions(outbound_connectivity=on, name="acme", actions=[pages])
    ShieldedFunction(stack, "Checkout", alarms=alarms, function_name="checkout", logs=logs, **props)
    ShieldedFunction(stack, "Fn", **props)
    made = Template.from_stack(stack).find_resources(RULE).values()
    return [EventPattern.load(json.dumps(rule["Properties"]["EventPattern"])) for rule in made]


@pytest.mark.parametrize("what", CHANGES)
def test_somebody_changes_a_function_or_what_watches_it(rules: list[EventPattern], what: str) -> None:
    assert len(rules) == len(changes.KINDS)
    happened, told = CHANGES[what]
    assert sum(rule.matches_event(cast("Any", happened)) for rule in rules) == told


def test_more_names_than_one_rule_takes(
    stack: cdk.Stack, props: Props, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are as many rules as it takes, and none is about every function of the account."""
    assert changes.MAX_PATTERN == 2048
    monkeypatch.setattr(changes, "MAX_PATTERN", 700)
    names = [f"function-with-a-long-name-{number}" for number in range(12)]
    fleet = AlarmOptions(granularity="fleet")
    ShieldMonitoring(stack, dashboard=False, queries=False, configuration_changes=[target_in(stack)])
    shared = aws.logs.LogGroup(stack, "Shared", log_group_name="/shop/all")
    for name in names:
        ShieldedFunction(stack, name, function_name=name, log_group=shared, alarms=fleet, **props)
    rules = [rule["EventPattern"] for rule in resources(stack, RULE).values()]
    of_lambda = [rule for rule in rules if rule["source"] == ["aws.lambda"]]
    assert len(of_lambda) > 1
    assert all(len(json.dumps(rule)) <= 700 for rule in of_lambda)
    for name in (*names, "other"):
        happened: Any = event("lambda", "UpdateFunctionCode20150331v2", functionName=name)
        told = sum(EventPattern.load(json.dumps(rule)).matches_event(happened) for rule in of_lambda)
        assert bool(told) == (name != "other")


def test_a_log_group_whose_name_only_the_deployment_knows(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """Rather a message too many than one too few."""
    ShieldMonitoring(stack, configuration_changes=[target_in(stack)])
    name = cdk.CfnParameter(stack, "Name").value_as_string
    shared = aws.logs.LogGroup.from_log_group_name(stack, "Shared", name)
    ShieldedFunction(stack, "Fn", log_group=shared, **props)
    rules = [rule["EventPattern"] for rule in resources(stack, RULE).values()]
    happened: Any = event("logs", "DeleteLogGroup", logGroupName="any")
    assert any(EventPattern.load(json.dumps(rule)).matches_event(happened) for rule in rules)


def test_a_heartbeat(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """A function that is invoked, and whose shield says nothing."""
    fn = ShieldedFunction(stack, "Fn", **props)
    seldom: Any = {"snap_start": aws.lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS}
    ShieldedFunction(stack, "StartsSeldom", **seldom, **props)
    ShieldMonitoring(stack, alarms=QUIET, heartbeat_actions=[action_in(stack)])
    [alarm] = [each for each in resources(stack, ALARM).values() if "-silent-" in each["AlarmName"]]
    assert alarm["AlarmName"] == "shield-silent-Shop-Fn"
    Annotations.from_stack(stack).has_info("/Shop/StartsSeldom/Shield", Match.string_like_regexp("it starts seldom"))
    by_id = {each["Id"]: each for each in alarm["Metrics"]}
    function = [{"Name": "FunctionName", "Value": stack.resolve(fn.function_name)}]
    for name, namespace, metric in (("invoked", "AWS/Lambda", "Invocations"), ("armed", "ShieldedFunction", "Armed")):
        stat = by_id[name]["MetricStat"]
        assert stat["Metric"] == {"Namespace": namespace, "MetricName": metric, "Dimensions": function}
        assert (stat["Period"], stat["Stat"]) == (86400, "Sum")
    assert by_id["expr_1"]["Expression"] == "IF(FILL(invoked, 0) > 0 AND FILL(armed, 0) < 1, 1, 0)"
    assert (alarm["EvaluationPeriods"], alarm["Threshold"], alarm["TreatMissingData"]) == (2, 1, "notBreaching")
    assert alarm["AlarmActions"] == [stack.resolve(topic_in(stack).topic_arn)]
    [counts] = [f for f in resources(stack, FILTER).values() if f["MetricTransformations"][0]["MetricName"] == "Armed"]
    assert counts["MetricTransformations"][0]["MetricValue"] == "1"
    [begin, _, end] = counts["FilterPattern"]["Fn::Join"][1]
    pattern = parse_pattern(f"{begin}checkout{end}")
    assert [pattern.matches(line) for line in (armed(), tmp("/tmp/x"), armed(function="other"))] == [True, False, False]


def test_of_nothing(app: cdk.App, stack: cdk.Stack) -> None:
    ShieldMonitoring(stack)
    with pytest.raises(Exception, match="ShieldMonitoring: its scope contains no shielded function"):
        app.synth()


FOLLOWS = "AWS::Logs::SubscriptionFilter"


def first_seen_app(first_seen: Any, props: Props) -> dict[str, Any]:
    """An app with a topic in a stack, a function in another, and one in a nested stack, which an aspect shields."""
    app = cdk.App(analytics_reporting=False)
    operations, shop, orders = (cdk.Stack(app, name) for name in ("Operations", "Shop", "Orders"))
    fleet = AlarmOptions(granularity="fleet", actions=[action_in(operations)], stacks=[operations])
    aws.lambda_.Function(shop, "Fn", **props)
    Shield.everywhere(app, ShieldPolicy(), alarms=fleet, logs=LogOptions(existing=False))
    told: Any = {"first_seen": [target_in(operations)] if first_seen is True else first_seen}
    ShieldMonitoring(app, alarms=fleet, **(told if first_seen is not None else {}))
    aws.lambda_.Function(cdk.NestedStack(orders, "Inner"), "Late", **props)
    return {artifact.stack_name: artifact for artifact in app.synth().stacks}


def test_first_seen_is_in_each_stack(props: Props) -> None:
    """No stack depends on another for it: the rule finds the events on the account's bus."""
    made = first_seen_app(True, props)
    assert all(each.id.endswith(".assets") for artifact in made.values() for each in artifact.dependencies)
    assert not any(artifact.messages for artifact in made.values())
    kinds = {name: [r["Type"] for r in each.template["Resources"].values()] for name, each in made.items()}
    assert {name: (each.count("AWS::DynamoDB::Table"), each.count(RULE)) for name, each in kinds.items()} == {
        "Operations": (0, 1), "Shop": (1, 0), "Orders": (1, 0),
    }  # fmt: skip
    [rule] = [r["Properties"] for r in made["Operations"].template["Resources"].values() if r["Type"] == RULE]
    assert rule["EventPattern"]["detail"] == {"class_uid": [2004], "severity_id": [5, 3]}
    assert "EventBusName" not in rule
    assert kinds["Shop"].count(FOLLOWS) == 1
    [nested] = [r for r in made["Orders"].template["Resources"].values() if r["Type"].endswith("::Stack")]
    assert "FirstSeenFunction" in json.dumps(nested["Properties"]["Parameters"])
    assert any("FirstSeenLogs" in each for each in nested["DependsOn"]), "it may not be called before that"
    reporters = [r for r in made["Orders"].template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    assert [r["Properties"]["Environment"]["Variables"]["SHIELD_OUTBOUND_CONNECTIVITY"] for r in reporters] == ["block"]
    for artifact in made.values():
        assert lint_errors(artifact.template, DEPENDS_TWICE) == []


@pytest.mark.parametrize("first_seen", [None, False])
def test_hidden_targets_are_warned_of(props: Props, first_seen: Any) -> None:
    made = first_seen_app(first_seen, props)
    assert not any(FOLLOWS in json.dumps(each.template) for each in made.values())
    said = [str(each.entry.data) for artifact in made.values() for each in artifact.messages]
    assert [each for each in said if "is hidden, of Shop/Fn, Orders/Inner/Late. first_seen=[target]" in each] == said
    assert len(said) == (first_seen is None)
    assert all("[ack: shielded-function:newTargetsHidden]" in each for each in said)


@pytest.mark.parametrize("options", [{}, {"evaluation_periods": 1}, {"enabled": False}])
def test_hiding_alarms_have_actions_and_hold(stack: cdk.Stack, props: Props, options: Any) -> None:
    """Without an action, or with one for each violation, the warning would be none."""
    alarms = AlarmOptions(granularity="fleet", actions=[action_in(stack)] if options else [], **options)
    ShieldedFunction(stack, "Fn", alarms=alarms, **props)
    ShieldMonitoring(stack, alarms=alarms)
    Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("is hidden"))


# The log group, the subscription filters of others, whether the function's lines are followed, and the warning.
ROOM: dict[str, tuple[str, int, bool, str]] = {
    "none": ("own", 0, True, ""),
    "one": ("own", 1, True, ""),
    "two": ("own", 2, False, "Its log group has 2 subscription filters, of which AWS takes 2: no message tells"),
    "two on a named one": ("named", 2, False, "Its log group has 2 subscription filters"),
    "two of an L1's": ("l1", 2, False, "Its log group has 2 subscription filters"),
    "of an L1": ("l1", 0, True, ""),
    "imported": ("imported", 0, False, "is hidden, of Shop/Fn. Their log groups are imported, so their subscription"),
    "followed already": ("followed", 0, True, ""),
}


@pytest.mark.parametrize("what", ROOM)
def test_first_seen_takes_a_free_subscription(stack: cdk.Stack, props: Props, resources: Resources, what: str) -> None:
    """A third one would fail the deployment."""
    kind, others, is_followed, says = ROOM[what]
    alarms = AlarmOptions(actions=[action_in(stack)])
    ShieldMonitoring(stack, alarms=QUIET, first_seen=[target_in(stack)])
    given = {
        "named": lambda: aws.logs.LogGroup(stack, "Group", log_group_name="/shop/fn"),
        "imported": lambda: aws.logs.LogGroup.from_log_group_name(stack, "Group", "/shop/fn"),
    }.get(kind, lambda: None)()
    if kind == "l1":
        group = aws.logs.CfnLogGroup(stack, "Group")
        l1_function(stack, construct_id="Fn", logging_config={"logGroup": group.ref})
        Shield.everywhere(stack, ShieldPolicy(), alarms=alarms)
        name = group.ref
    else:
        fn = ShieldedFunction(stack, "Fn", alarms=alarms, **({"log_group": given} if given else {}), **props)
        name = "/shop/fn" if kind == "named" else fn.shield.log_group.log_group_name
    if kind == "followed":
        ShieldFindings(stack, "Findings", of=stack.node.find_child("Fn"))
    for number in range(others):
        arn = f"arn:aws:kinesis:us-east-1:111122223333:stream/s{number}"
        aws.logs.CfnSubscriptionFilter(stack, f"S{number}", log_group_name=name, destination_arn=arn, filter_pattern="")
    followed = [name for name in resources(stack, FOLLOWS) if name.startswith("Fn")]
    assert len(followed) == is_followed
    warnings = Annotations.from_stack(stack).find_warning(
        "*", Match.string_like_regexp("subscription filters|is hidden")
    )
    assert [says in str(each.entry.data) for each in warnings] == [True] * bool(says)
