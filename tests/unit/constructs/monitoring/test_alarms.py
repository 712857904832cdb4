"""`AlarmOptions` and `ControlAlarm`: what is counted, what is watched, and what each mistake is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct
from syrupy.extensions.json import JSONSnapshotExtension

from harness.function_template import ALARM, FILTER, Props, Resources, shown
from harness.function_template import sns_action as action
from integration.docs.pages import ROOT, read_page
from shielded_function import AlarmOptions, ControlAlarm, ShieldedFunction, ShieldError, ShieldMonitoring, ShieldPolicy
from shielded_function.testing import alert_line, simulate_cloudwatch
from shielded_function_monitoring.filters import violations_by_policy

pytestmark = pytest.mark.promise("alarm.calls")

BY_LEVEL = ("Violations", ("FunctionName", "Level"))
# The alarms that exist by default.
POLICIES = {
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "executable_memory",
    "self_protection",
    "start",
}


def label_of(alarm: dict[str, Any]) -> str:
    """The severity that its description begins with."""
    return shown(alarm["AlarmDescription"]).split()[0]


def dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}


def published(filters: dict[str, Any]) -> dict[tuple[str, tuple[str, ...]], str]:
    """The pattern behind each metric, but for the function's name, by its name and the names of its dimensions."""
    found: dict[tuple[str, tuple[str, ...]], str] = {}
    for properties in filters.values():
        [transformation] = properties["MetricTransformations"]
        assert transformation["MetricValue"] == "$.count"
        assert "DefaultValue" not in transformation
        key = (transformation["MetricName"], tuple(each["Key"] for each in transformation["Dimensions"]))
        assert key not in found, "two filters would count a line twice"
        [start, name, rest] = properties["FilterPattern"]["Fn::Join"][1]
        assert (start, name.keys()) == ('{ ($.function = "', {"Ref"})
        found[key] = "{ " + rest.removeprefix('") && ')
    return found


def watched(alarm: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    return alarm["MetricName"], tuple(dimensions(alarm))


def test_by_policy(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """What CloudWatch will not add up has a filter when it is asked for."""
    alarms = AlarmOptions(granularity="control")
    fn = ShieldedFunction(stack, "Checkout", alarms=alarms, **props)
    by_policy = {("Violations", ("FunctionName", "Policy")): violations_by_policy().render()}
    assert published(resources(stack, FILTER)) == by_policy
    assert {dimensions(a)["Policy"] for a in resources(stack, ALARM).values()} == POLICIES == set(fn.shield.alarms)
    other = cdk.Stack(cdk.App(), "Other")
    ShieldedFunction(other, "Sum", alarms=alarms, **props).metric_violations()
    assert set(published(resources(other, FILTER))) == {*by_policy, ("Violations", ("FunctionName",))}


def test_a_fleet(app: cdk.App, props: Props, resources: Resources) -> None:
    one, two = cdk.Stack(app, "One"), cdk.Stack(app, "Two")
    alarms = AlarmOptions(granularity="fleet", threshold=3)
    for stack in (one, two):
        for number in range(2):
            ShieldedFunction(stack, f"Fn{number}", alarms=alarms, **props)
    with pytest.raises(ShieldError, match="alarms: the fleet has its alarms in One/ShieldedFleet/Alarm, with other op"):
        ShieldedFunction(two, "Other", alarms=AlarmOptions(granularity="fleet"), **props)
    assert [len(resources(stack, ALARM)) for stack in (one, two)] == [2, 0]
    for alarm, level in zip(resources(one, ALARM).values(), ("ERROR", "WARN"), strict=True):
        [query] = alarm["Metrics"]
        assert query["Expression"] == (
            f"SELECT SUM(Violations) FROM SCHEMA(\"ShieldedFunction\", FunctionName, Level) WHERE Level = '{level}' "
            "GROUP BY FunctionName ORDER BY SUM() DESC"
        )
        assert (query["Period"], alarm["Threshold"], alarm["TreatMissingData"]) == (60, 3, "notBreaching")
    for stack in (one, two):
        filters = resources(stack, FILTER)
        assert len(filters) == 2
        for properties in filters.values():
            assert list(published({"one": properties})) == [BY_LEVEL]


def test_the_fleets_alarm_is_where_you_choose(app: cdk.App, props: Props, resources: Resources) -> None:
    """One for an account and region, though the functions are in two stages."""
    europe, america = (cdk.Environment(account="111122223333", region=name) for name in ("eu-west-1", "us-east-1"))
    operations = [cdk.Stack(app, f"Ops{n}", env=env) for n, env in enumerate((europe, america))]
    alarms = AlarmOptions(granularity="fleet", stacks=operations)
    shops: list[cdk.Stack] = []
    for name in ("Beta", "Production"):
        stage = cdk.Stage(app, name)
        shops += [cdk.Stack(stage, f"Shop{n}", env=env) for n, env in enumerate((europe, america))]
    for shop in shops:
        ShieldedFunction(shop, "Fn", alarms=alarms, **props)
    assert [len(resources(stack, ALARM)) for stack in operations] == [2, 2]
    assert [resources(shop, ALARM) for shop in shops] == [{}] * 4


def test_a_fleet_with_no_stack_of_its_region(app: cdk.App, props: Props) -> None:
    operations = [cdk.Stack(app, "Ops", env=cdk.Environment(account="111122223333", region="eu-west-1"))]
    alarms = AlarmOptions(granularity="fleet", stacks=operations)
    none, only = "none of them is in aws://unknown-account/unknown-region", "only in aws://111122223333/eu-west-1"
    with pytest.raises(ShieldError, match=f"Shop/Fn: alarms.stacks: {none}, {only}: name one that is"):
        ShieldedFunction(cdk.Stack(app, "Shop"), "Fn", alarms=alarms, **props)
    ShieldedFunction(cdk.Stack(app, "Orders"), "Fn", **props)
    with pytest.raises(ShieldError, match=f"stacks: {none}, where Orders/Fn is, {only}"):
        ShieldMonitoring(app, stacks=operations)


def test_the_context_that_switches_to_alert_mode_makes_warnings(props: Props, resources: Resources) -> None:
    stack = cdk.Stack(cdk.App(context={"shield": "alert"}), "Shop")
    ShieldedFunction(stack, "Fn", alarms=AlarmOptions(granularity="control"), **props)
    labels = {dimensions(alarm)["Policy"]: label_of(alarm) for alarm in resources(stack, ALARM).values()}
    assert labels["outbound_connectivity"] == "[warning]"
    assert labels["start"] == "[critical]"


def every_option(stack: cdk.Stack) -> AlarmOptions:
    one, two, three = (action(stack, name) for name in ("One", "Two", "Three"))
    egress = ControlAlarm(
        threshold=5,
        period=cdk.Duration.minutes(5),
        evaluation_periods=3,
        datapoints=2,
        actions=[one],
        name="egress",
        runbook="https://wiki.example/egress",
        mode="block",
    )
    told = {"ok_actions": [two], "insufficient_data_actions": [three], "owner": "payments", "name": "shop"}
    return AlarmOptions(threshold=2, runbook="https://wiki.example/shield", outbound_connectivity=egress, **told)


def by_severity(stack: cdk.Stack, granularity: Any) -> AlarmOptions:
    pager, chat = (action(stack, name) for name in ("Pager", "Chat"))
    return AlarmOptions(granularity=granularity, severities={"warning": [chat], "critical": [pager]})


def by_mode(stack: cdk.Stack) -> AlarmOptions:
    """The severity of a control's alarm is by its mode, unless it says one; so are its actions."""
    pager, chat, other = (action(stack, name) for name in ("Pager", "Chat", "Other"))
    severities: Any = {"critical": [pager], "warning": [chat]}
    tmp, memory = ControlAlarm(severity="critical", threshold=9), ControlAlarm(actions=[])
    own: dict[str, Any] = {"read_write_tmp": tmp, "executable_memory": memory}
    return AlarmOptions(granularity="control", actions=[other], severities=severities, **own)


MADE: dict[str, Callable[[cdk.Stack], AlarmOptions]] = {
    "every option": every_option,
    "severities": lambda stack: by_severity(stack, "function"),
    "severities of a fleet": lambda stack: by_severity(stack, "fleet"),
    "controls": by_mode,
    "a control of a fleet": lambda _: AlarmOptions(
        granularity="fleet", create_child_process=ControlAlarm(except_programs=["/usr/bin/git"])
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_it_is_as_it_was(stack: cdk.Stack, props: Props, resources: Resources, name: str, snapshot: Any) -> None:
    """The alarms and filters of a function and, behind them, which action is whose."""
    policy = ShieldPolicy(create_child_process="alert")
    fn = ShieldedFunction(stack, "Checkout", policy=policy, alarms=MADE[name](stack), **props)
    found = {kind: list(resources(stack, kind).values()) for kind in (ALARM, FILTER)}
    assert {**found, "alarms": list(fn.shield.alarms)} == snapshot(extension_class=JSONSnapshotExtension)


FLEET: dict[str, Any] = {"granularity": "fleet"}
minutes, hours = cdk.Duration.minutes, cdk.Duration.hours
WHOLE_MINUTES = "seconds: .* whole minutes up to a day"
# Errors of both classes.
NUMBERS: list[tuple[dict[str, Any], str]] = [
    ({field: value}, f"{field}: .* is not a whole number of at least 1")
    for field in ("threshold", "evaluation_periods", "datapoints")
    for value in (0, 1.5, True, "1")
]
WRONG: dict[Any, list[tuple[dict[str, Any], str]]] = {
    ControlAlarm: [
        ({"actions": "topic"}, r"actions: 'topic' is not a list; write \[action\]"),
        ({"ok_actions": ["arn:aws:sns:us-east-1:111122223333:x"]}, r"ok_actions\[0\]: 'arn:.*' is no action of an al"),
        ({"severity": "high"}, "severity: 'high' is not one of critical, warning, notice"),
        ({"mode": "allow"}, "mode: 'allow' is not one of block, alert"),
        ({"period": 60}, r"period: 60 is no duration; write cdk.Duration.minutes\(1\)"),
        ({"period": cdk.Duration.seconds(90)}, f"period: 90 {WHOLE_MINUTES}"),
        ({"period": cdk.Duration.millis(500)}, f"period: 0 {WHOLE_MINUTES}"),
        ({"period": cdk.Duration.days(2)}, f"period: 172800 {WHOLE_MINUTES}"),
        ({"period": minutes(30), "evaluation_periods": 49}, "evaluation_periods: 49 periods of 1800 seconds"),
        ({"datapoints": 3, "evaluation_periods": 2}, "datapoints: 3 of 2 evaluation_periods"),
        ({"name": ""}, "name: '' is not a text of one line"),
        ({"runbook": "a\nb"}, r"runbook: 'a\\nb' is not a text of one line"),
        ({"name": "x" * 191}, "name: 191 characters, of which 190 fit: shorten it"),
        ({"except_hosts": ["a.example:443"]}, "except_hosts: 'a.example:443' is no host"),
        *NUMBERS,
    ],
    AlarmOptions: [
        ({"period": hours(1), "evaluation_periods": 169}, "evaluation_periods: 169 periods of 3600 seconds"),
        ({"datapoints": 2}, "datapoints: 2 of 1 evaluation_periods: there are not so many"),
        ({"read_handler": ControlAlarm(datapoints=2)}, "read_handler: ControlAlarm.datapoints: 2 of 1 eva"),
        ({"name": "x" * 31}, "name: 31 characters, of which 30 fit: shorten it"),
        ({"owner": ""}, "owner: '' is not a text of one line"),
        ({"contributors": False}, 'contributors: it is for granularity="fleet": remove it'),
        ({"actions": [sns.Topic(cdk.Stack(), "T")]}, r"actions\[0\]: <Topic> is no action of an alarm; write SnsAc"),
        ({"actions": [action(cdk.Stack(), "Pager")] * 6}, "actions: 6 actions, of which an alarm takes 5: use one"),
        ({"ok_actions": 7}, "ok_actions: 7 is not a list"),
        ({"granularity": "each"}, "granularity: 'each' is not one of function, control, fleet"),
        ({"severities": ["critical"]}, "severities: .* is no dict: write"),
        ({"severities": {"high": []}}, "severities: 'high' is not one of crit"),
        ({"severities": {"critical": "topic"}}, r"severities\['critical'\]: 'topic' is not a list"),
        ({"severities": {"notice": [cloudwatch_actions.SnsAction]}}, r"severities\['notice'\]\[0\]: <class '.*Sns"),
        ({"start": True}, r"start: True is no ControlAlarm; write ControlAlarm\(...\)"),
        ({"start": ControlAlarm(mode="block")}, "start: ControlAlarm.mode: a start has no mode"),
        ({"start": ControlAlarm(except_hosts=["a.example"])}, "start: ControlAlarm.except_hosts: it means nothing for"),
        (
            {"read_write_tmp": ControlAlarm(name="mine"), "start": ControlAlarm(name="mine")},
            "start: ControlAlarm.name: 'mine' is the name of read_write_tmp's alarm too: name them apart",
        ),
        ({"stacks": ["Ops"]}, r"stacks\[0\]: 'Ops' is no stack; write the cdk.St"),
        ({"stacks": [cdk.Stack()]}, 'stacks: it is for granularity="fleet"'),
        ({**FLEET, "stacks": 7}, r"stacks: 7 is not a list; write \[stack\]"),
        (
            {**FLEET, "period": hours(1), "evaluation_periods": 4},
            "period: 4 periods of 3600 seconds are more than the 3",
        ),
        ({**FLEET, "start": ControlAlarm(period=hours(4))}, "start: ControlAlarm.period: 1 periods of 14400 seconds"),
        ({"enabled": "no"}, "enabled: 'no' is neither True nor False"),
        ({"enabled": ControlAlarm()}, r"enabled: ControlAlarm\(\.\.\.\) is neither True nor False"),
        ({"count_read_handler": 1}, "count_read_handler: 1 is neither True nor"),
        *NUMBERS,
    ],
}


@pytest.mark.parametrize(("kind", "options", "says"), [(kind, *row) for kind, rows in WRONG.items() for row in rows])
def test_bad_options(kind: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=f"{kind.__name__}.{says}"):
        kind(**options)


def test_what_does_not_fit(stack: cdk.Stack, props: Props) -> None:
    """Exceptions into a pattern, a path and a runbook into a description."""
    hosts = [f"host-{number}.example.com" for number in range(30)]
    alarms = AlarmOptions(outbound_connectivity=ControlAlarm(except_hosts=hosts))
    says = (
        r"Shop/Checkout: alarms.outbound_connectivity.except_hosts: the filter pattern has [\d,]+ characters, of which "
        r"CloudWatch takes 1,024: except fewer, or several by one entry such as \*.example.com"
    )
    with pytest.raises(ShieldError, match=says):
        ShieldedFunction(stack, "Checkout", alarms=alarms, **props)
    assert stack.node.try_find_child("Checkout") is None
    place: Any = stack
    for _ in range(4):
        place = cdk.NestedStack(place, "N" * 120)
    with pytest.raises(ShieldError, match=r"alarms.runbook: an alarm's description would have [\d,]+ characters"):
        ShieldedFunction(place, "Fn", alarms=AlarmOptions(runbook="x" * 190), **props)


def test_every_description_fits(props: Props, resources: Resources) -> None:
    """CloudWatch takes 1,024 characters; names that the deployment chooses count with the longest that they can be."""
    for name, path, runbook in (("Shop", "Checkout", "x"), ("S" * 100, "Checkout", "x" * 150), ("S", "C" * 60, "x")):
        stack = cdk.Stack(cdk.App(), name)
        runbook = f"https://wiki.example/{runbook}"
        alarms = AlarmOptions(granularity="control", read_handler=ControlAlarm(), runbook=runbook, owner="payments")
        ShieldedFunction(stack, path, alarms=alarms, **props)
        for alarm in resources(stack, ALARM).values():
            known = shown(alarm["AlarmDescription"])
            parts = [part for part in alarm["AlarmDescription"]["Fn::Join"][1] if not isinstance(part, str)]
            longest = {"AWS::Region": 16}
            size = len(known) + sum(longest.get(part["Ref"], 64) - len(f"<{part['Ref']}>") for part in parts)
            assert size <= 1024
            assert known.endswith("?tab=monitoring"), "there is room for the link"
            assert f"Runbook: {runbook}\n" in known


def page_of(alarm: dict[str, Any]) -> str:
    """The description as it is deployed: each function's name is its construct's, in small letters."""
    return re.sub(r"<(Own|Given|Checkout)\w+>", lambda ref: ref[1].lower(), shown(alarm["AlarmDescription"]))


@pytest.mark.parametrize("granularity", ["function", "control", "fleet"])
def test_the_page_on_a_phone(app: cdk.App, props: Props, resources: Resources, granularity: Any) -> None:
    """The first 200 characters say what happened, and a linker takes the whole link, with any log group."""
    from linkify_it import LinkifyIt

    stack = cdk.Stack(app, "Shop", env=cdk.Environment(account="123456789012", region="eu-west-1"))
    alarms = AlarmOptions(granularity=granularity, owner="payments", runbook="https://wiki.example/shield")
    name = cdk.CfnParameter(stack, "Name").value_as_string
    ShieldedFunction(stack, "Own", function_name="own", alarms=alarms, **props)
    group = logs.LogGroup.from_log_group_name(stack, "Shared", name)
    ShieldedFunction(stack, "Given", function_name="given", log_group=group, alarms=alarms, **props)
    found = [resource for place in app.node.find_all() if isinstance(place, cdk.Stack)
             for resource in resources(place, ALARM).values()]  # fmt: skip
    assert found
    for alarm in found:
        text = page_of(alarm)
        shown = next((name for name in ("own", "given") if f"/functions/{name}?" in text), None)
        who = f"Shop/{shown.title()}: " if shown else "A function that it names as a contributor: "
        assert re.match(rf"\[(critical|warning|notice)\] {re.escape(who)}", text)
        assert "." in text[:200].partition(who)[2], "the whole sentence"
        assert "http" not in text[:200]
        links = [link.url for link in LinkifyIt().match(text) or []]
        assert links == ["https://wiki.example/shield", text.splitlines()[-1]]
        assert len(links[-1]) <= 150
        assert not set(links[-1]) & set("'()*~ ")


def test_the_runbook_shows_the_page(app: cdk.App, props: Props, resources: Resources) -> None:
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(region="eu-west-1"))
    ShieldedFunction(stack, "Checkout", function_name="checkout", **props)
    texts = [page_of(alarm) for alarm in resources(stack, ALARM).values()]
    (shown,) = [text for text in texts if text.startswith("[critical]")]
    blocks = read_page(ROOT / "docs" / "guide" / "runbook.md").blocks
    assert shown in [block.text.strip() for block in blocks]


@pytest.mark.parametrize("granularity", ["function", "control", "fleet"])
def test_names(app: cdk.App, props: Props, resources: Resources, granularity: Any) -> None:
    """Readable, and each once in an account and region, whatever the construct paths are."""
    stacks: list[cdk.Stack] = []
    for place in (app, cdk.Stage(app, "Beta")):
        stack = cdk.Stack(place, "Shop")
        for path in ("A/B", "A-B", "Long" * 30, "Long" * 31):
            scope: Any = stack
            for part in path.split("/")[:-1]:
                scope = Construct(scope, part)
            alarms = AlarmOptions(granularity=granularity)
            ShieldedFunction(scope, path.split("/")[-1], alarms=alarms, **props)
        stacks.append(stack)
    names = [alarm["AlarmName"] for stack in stacks for alarm in resources(stack, ALARM).values()]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 255
    expected = {
        "function": {"shield-critical-Shop-A-B", "shield-rest-Beta-Shop-A-B"},
        "control": {"shield-critical-Shop-A-B-outbound", "shield-notice-Beta-Shop-A-B-tmp"},
        "fleet": {"shield-critical-Shop-fleet", "shield-rest-Beta-Shop-fleet"},
    }
    assert expected[granularity] <= set(names)


Minute = Callable[[int], "dict[int, tuple[str, str]]"]
"""What happens in a minute: by function, the policy and the mode of a line."""
TMP, EGRESS = ("read_write_tmp", "alert"), ("outbound_connectivity", "block")


def at(*minutes: int, what: tuple[str, str] = EGRESS, functions: int = 1) -> Minute:
    return lambda minute: dict.fromkeys(range(functions), what) if minute in minutes else {}


def every(minutes: int, what: tuple[str, str] = EGRESS, functions: int = 1) -> Minute:
    return at(*range(0, 1440, minutes), what=what, functions=functions)


# The options, the number of functions, what happens, until which minute, and how often each alarm calls.
LOOKING: dict[str, tuple[dict[str, Any], int, Minute, int, dict[str, int]]] = {
    "a file each minute, and a connection":
        ({}, 1, lambda m: {0: EGRESS if m == 30 else TMP}, 60, {"rest": 1, "critical": 1}),
    "a file each five minutes": ({}, 1, every(5, TMP), 1440, {"rest": 1}),
    "a file each hour": ({}, 1, every(60, TMP), 300, {"rest": 4}),
    "a connection each five minutes": ({}, 1, every(5), 1440, {"critical": 1}),
    "connections of a fleet": (FLEET, 3, every(5, functions=3), 1440, {"critical": 4}),
    "a second attack while it lasts": ({}, 1, at(5, 15), 60, {"critical": 1}),
    "a second attack after it": ({}, 1, at(5, 25), 60, {"critical": 2}),
    "periods as given: a page for each call": ({"evaluation_periods": 1}, 1, every(5), 1440, {"critical": 287}),
    "periods as given: it does not return to OK": ({"evaluation_periods": 1}, 1, every(3), 1440, {"critical": 1}),
    "contributors: each of them, and the alarm": (FLEET, 8, at(5, functions=8), 10, {"critical": 9}),
    "a sum has no contributors": ({**FLEET, "contributors": False}, 8, at(5, functions=8), 10, {"critical": 1}),
}  # fmt: skip


def calls(stack: cdk.Stack, props: Props, alarms: dict[str, Any], minute: Minute, last: int, functions: int = 1) -> Any:
    """How often each alarm of a stack's functions calls its action."""
    options = AlarmOptions(actions=[action(stack, "Pager")], **alarms)
    for number in range(functions):
        ShieldedFunction(stack, f"Fn{number}", alarms=options, **props)
    cloudwatch = simulate_cloudwatch(stack)
    cloudwatch.evaluate(at=0)
    called: Counter[str] = Counter()
    for at in (60 * number for number in range(1, last)):
        for number, (policy, mode) in minute(at // 60).items():
            function = cloudwatch.function(f"Shop/Fn{number}")
            line = alert_line(function.name, cast("Any", policy), cast("Any", mode), time=at)
            cloudwatch.put_log_events(function.log_group, [line], at=at)
        changes = [change for change in cloudwatch.evaluate(at=at) if change.state == "ALARM"]
        called.update(each.message["AlarmName"].split("-")[1] for change in changes for each in change.notifications)
    return dict(called)


@pytest.mark.parametrize("what", LOOKING)
def test_what_hides_nothing_and_calls_seldom(stack: cdk.Stack, props: Props, what: str) -> None:
    options, functions, minute, last, expected = LOOKING[what]
    assert calls(stack, props, options, minute, last, functions) == expected


@pytest.mark.parametrize("on", [{"count_read_handler": True}, {"read_handler": ControlAlarm()}])
@pytest.mark.parametrize("granularity", ["function", "control", "fleet"])
def test_reading_the_handler_alarms_only_where_asked_for(props: Props, granularity: str, on: Any) -> None:
    for options, alarms in (({}, 0), (on, 1)):
        stack, once = cdk.Stack(cdk.App(), "Shop"), at(5, what=("read_handler", "alert"))
        assert len(calls(stack, props, {"granularity": granularity, **options}, once, 10)) == alarms


def test_a_metric_of_ones_own(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """It has the filter's dimensions: without them the alarm would watch a metric that does not exist."""
    fn = ShieldedFunction(stack, "Fn", alarms=AlarmOptions(enabled=False), **props)
    assert fn.shield.alarm is None
    for name, policy in (("All", None), ("Starts", "start"), ("Again", "start")):
        fn.metric_violations(cast("Any", policy)).create_alarm(stack, name, threshold=1, evaluation_periods=1)
    alarms = resources(stack, ALARM)
    assert len(alarms) == 3  # it has none of its own
    assert {watched(alarm) for alarm in alarms.values()} == set(published(resources(stack, FILTER))) - {BY_LEVEL}
    metric = fn.metric_violations()
    assert (metric.namespace, metric.statistic, metric.period.to_seconds()) == ("ShieldedFunction", "Sum", 60)
    hourly = fn.metric_violations(period=cdk.Duration.hours(1), statistic=cloudwatch.Stats.MAXIMUM, label="worst")
    assert (hourly.statistic, hourly.period.to_hours(), hourly.label) == ("Maximum", 1, "worst")
