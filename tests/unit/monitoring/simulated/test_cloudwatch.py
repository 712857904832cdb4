"""Lines in, alarms and actions out: by granularity, over time, and where a template is wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from harness import chains
from harness.chains import STACK, TOPIC
from shielded_function_monitoring.cfn.values import Resolver
from shielded_function_monitoring.simulated import SimulatedCloudWatch, SimulationError, alert_line, read_templates
from shielded_function_monitoring.simulated_function import TemplateError, monitoring_of

CHECKOUT, LOGS = "Shop-Checkout", "Shop-CheckoutLogs"


def simulated(template: dict[str, Any]) -> SimulatedCloudWatch:
    return SimulatedCloudWatch(read_templates([Resolver(STACK, template)]))


def changed(template: dict[str, Any], resource: str, **properties: Any) -> dict[str, Any]:
    made = copy.deepcopy(template)
    made["Resources"][resource]["Properties"].update(properties)
    return made


def fired(cloudwatch: SimulatedCloudWatch) -> list[str]:
    return [alarm.place.logical_id for alarm in cloudwatch.firing]


def test_what_a_condition_leaves_out_is_not_there() -> None:
    template = chains.template("function")
    template["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}, "Later": {"Fn::Equals": [{"Ref": "Nobody"}, "b"]}}
    template["Resources"]["RefundAlarm"]["Condition"] = "Never"
    template["Resources"]["CheckoutAlarm"]["Condition"] = "Later"
    assert [alarm.place.logical_id for alarm in simulated(template).alarms] == ["CheckoutAlarm"]


def test_an_alarm_on_a_metric_with_a_label() -> None:
    """The CDK writes it as one of several metrics."""
    template = chains.template("function", ["Checkout"])
    usual = template["Resources"]["CheckoutAlarm"]["Properties"]
    metric = {name: usual.pop(name) for name in ("Namespace", "MetricName", "Dimensions")}
    stat = {"Metric": metric, "Stat": usual.pop("Statistic"), "Period": usual.pop("Period")}
    usual["Metrics"] = [{"Id": "m1", "Label": "violations", "MetricStat": stat, "ReturnData": True}]
    cloudwatch = simulated(template)
    cloudwatch.put_log_events(LOGS, [alert_line(CHECKOUT)], at=60)
    cloudwatch.evaluate(at=60)
    assert fired(cloudwatch) == ["CheckoutAlarm"]


def test_contributors_come_and_go() -> None:
    cloudwatch = simulated(chains.template("fleet"))
    cloudwatch.evaluate(at=0)
    cloudwatch.put_log_events(LOGS, [alert_line(CHECKOUT)], at=60)
    first = cloudwatch.evaluate(at=60)
    assert [(str(c.state), dict(c.contributor)) for c in first] == [
        ("ALARM", {}),
        ("ALARM", {"FunctionName": CHECKOUT}),
    ]
    cloudwatch.put_log_events("Shop-RefundLogs", [alert_line("Shop-Refund", count=9)], at=120)
    (second,) = cloudwatch.evaluate(at=120)
    assert dict(second.contributor) == {"FunctionName": "Shop-Refund"}
    assert second.reason == "2 out of 2 time series evaluated to ALARM"
    assert second.notifications[0].message["AlarmContributorAttributes"] == {"FunctionName": "Shop-Refund"}
    over = cloudwatch.evaluate(at=600)
    assert {(str(c.state), *dict(c.contributor).values()) for c in over} == {
        ("OK",),
        ("OK", CHECKOUT),
        ("OK", "Shop-Refund"),
    }


def test_an_alarm_on_fewer_dimensions_never_fires_and_is_told() -> None:
    template = chains.template("control", ["Checkout"])
    template["Resources"]["Blind"] = chains.metric_alarm({"FunctionName": {"Ref": "Checkout"}})
    template["Resources"]["Blinder"] = chains.metric_alarm()
    template["Resources"]["BlindFleet"] = chains.query_alarm()
    template["Resources"]["Misspelt"] = chains.metric_alarm({"FunctionName": "checkuot", "Policy": "start"})
    cloudwatch = simulated(template)
    cloudwatch.put_log_events(LOGS, [alert_line(CHECKOUT, "read_write_tmp")], at=60)
    cloudwatch.evaluate(at=60)
    assert fired(cloudwatch) == ["CheckoutreadwritetmpAlarm"]
    assert [alarm.place.logical_id for alarm in cloudwatch.unfed()] == ["Blind", "Blinder", "BlindFleet", "Misspelt"]


def test_a_composite_alarm() -> None:
    template = chains.template("function")
    template["Resources"]["Any"] = chains.composite_alarm("CheckoutAlarm", "RefundAlarm")
    template["Resources"]["Outer"] = chains.composite_alarm("Any", AlarmActions=["arn:aws:sns:us-east-1:1:outer"])
    cloudwatch = simulated(template)
    cloudwatch.evaluate(at=0)
    assert cloudwatch.states["Shop-Any"] == "OK"
    cloudwatch.put_log_events("Shop-RefundLogs", [alert_line("Shop-Refund")], at=60)
    changes = cloudwatch.evaluate(at=60)
    assert [change.alarm.place.logical_id for change in changes] == ["RefundAlarm", "Any", "Outer"]
    assert "Shop-RefundAlarm" in changes[1].reason
    assert changes[2].notifications[0].message["AlarmRule"].startswith('(ALARM("arn:aws:cloudwatch:us-east-1')


def test_actions_that_are_switched_off() -> None:
    cloudwatch = simulated(changed(chains.template("function"), "CheckoutAlarm", ActionsEnabled=False))
    cloudwatch.put_log_events(LOGS, [alert_line(CHECKOUT)], at=60)
    cloudwatch.evaluate(at=60)
    assert (fired(cloudwatch), cloudwatch.notifications("ALARM")) == (["CheckoutAlarm"], [])


def on_query(text: str) -> dict[str, Any]:
    return {"Metrics": [{"Id": "a", "Period": 60, "Expression": text}]}


def transformed(**changes: Any) -> dict[str, Any]:
    usual = chains.metric_filter("Checkout")["Properties"]["MetricTransformations"][0]
    return {"MetricTransformations": [{**usual, **changes}]}


@pytest.mark.parametrize(
    ("resource", "properties", "says"),
    [
        ("CheckoutFilter", {"FilterPattern": "ERROR"}, "it watches a metric of .*expected {"),
        ("CheckoutFilter", {"FilterPattern": "{ $.a = %x% }"}, "it watches a metric of"),
        (
            "CheckoutFilter",
            transformed(DefaultValue=0),
            "it watches a metric of .*DefaultValue: filters with a default",
        ),
        ("CheckoutAlarm", {"ExtendedStatistic": "p99"}, "ExtendedStatistic: alarms on a percentile"),
        ("CheckoutAlarm", {"Threshold": {"Ref": "Nobody"}}, "Ref Nobody"),
        ("CheckoutAlarm", {"Threshold": [1]}, "float"),
        ("CheckoutAlarm", {"Namespace": "AWS/Lambda"}, "an AWS metric"),
        ("CheckoutAlarm", on_query("m1+1"), "is read here in the form"),
        ("FleetAlarm", {"Metrics": [{"Id": "a"}, {"Id": "b"}]}, "not metric math"),
        ("FleetAlarm", on_query(chains.QUERY.partition(" ORDER")[0]), "is read here in the form"),
    ],
)
def test_what_is_not_simulated_is_never_ok(resource: str, properties: dict[str, Any], says: str) -> None:
    alarm = resource.replace("Filter", "Alarm")
    template = changed(chains.template("fleet" if alarm == "FleetAlarm" else "function"), resource, **properties)
    template["Resources"]["Any"] = chains.composite_alarm(alarm)
    cloudwatch = simulated(template)
    assert alarm in [problem.place.logical_id for problem in cloudwatch.problems]
    cloudwatch.evaluate(at=60)
    for name in (alarm, "Any"):
        assert f"Shop-{name}" not in cloudwatch.states
        with pytest.raises(SimulationError):
            cloudwatch.state(name)
    with pytest.raises(SimulationError, match=says):
        cloudwatch.state(alarm)


def test_names_that_are_not_there() -> None:
    cloudwatch = simulated(chains.template("function"))
    with pytest.raises(SimulationError, match="no log group Shop-Logs; there are: Shop-CheckoutLogs, Shop-RefundLogs"):
        cloudwatch.put_log_events("Shop-Logs", ["x"])
    with pytest.raises(SimulationError, match="no alarm Nobody; there are: CheckoutAlarm"):
        cloudwatch.state("Nobody")
    with pytest.raises(SimulationError, match="no function Nobody; there are: Shop/Checkout, Shop/Refund"):
        cloudwatch.function("Nobody")
    assert cloudwatch.function("Shop/Checkout") == cloudwatch.function("Checkout") == cloudwatch.function(CHECKOUT)


# What is read of one function: its alarm chain, and the states of its alarms after lines.

TEMPLATE = chains.template("function")


def read(template: dict[str, Any], function: str = "Checkout") -> SimulatedCloudWatch:
    return monitoring_of([Resolver(STACK, template)], function)


@pytest.mark.parametrize(
    ("function", "log_group"),
    [
        ({}, {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Checkout"}]]}),
        ({"FunctionName": "checkout"}, "/aws/lambda/checkout"),
        ({"FunctionName": "checkout"}, {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Checkout"}]]}),
    ],
)
def test_the_default_log_group(function: dict[str, Any], log_group: Any) -> None:
    template = changed(TEMPLATE, "CheckoutFilter", LogGroupName=log_group)
    template["Resources"]["Checkout"]["Properties"] = function
    assert len(read(template).alarms) == 1


def test_alarms_of_other_functions_and_metrics_are_not_its() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Other"] = chains.metric_alarm({"FunctionName": "elsewhere"})
    template["Resources"]["Fewer"] = chains.metric_alarm()
    template["Resources"]["Errors"] = chains.metric_alarm(Namespace="AWS/Lambda", MetricName="Errors")
    template["Resources"]["Any"] = chains.composite_alarm("CheckoutAlarm")
    template["Resources"]["Both"] = chains.composite_alarm("CheckoutAlarm", "RefundAlarm")
    assert [alarm.place.logical_id for alarm in read(template).alarms] == ["CheckoutAlarm", "Any"]


def test_the_fleets_alarm_is_each_functions() -> None:
    template = chains.template("fleet")
    for function in ("Checkout", "Refund"):
        cloudwatch = read(template, function)
        cloudwatch.put_log_events(cloudwatch.functions[0].log_group, [alert_line(f"Shop-{function}")], at=90)
        cloudwatch.evaluate(at=100)
        assert fired(cloudwatch) == ["FleetAlarm"]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (changed(TEMPLATE, "CheckoutFilter", FilterPattern="ERROR"), "Checkout.*expected {"),
        (changed(TEMPLATE, "CheckoutAlarm", ExtendedStatistic="p99"), "ExtendedStatistic"),
        (changed(TEMPLATE, "Checkout", LoggingConfig={"LogGroup": {"Ref": "Nobody"}}), "Checkout: Ref Nobody"),
    ],
)
def test_what_cannot_be_evaluated_is_said_so(template: dict[str, Any], says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        read(template)


@pytest.mark.parametrize("composite", [True, False])
def test_an_alarm_that_is_over(composite: bool) -> None:
    """A composite alarm calls its topic, too."""
    template = chains.template("function", ["Checkout"])
    template["Resources"]["CheckoutAlarm"]["Properties"]["OKActions"] = [{"Ref": "Topic"}]
    if composite:
        template["Resources"]["CheckoutAlarm"]["Properties"].update(AlarmActions=[], OKActions=[])
        template["Resources"]["Any"] = chains.composite_alarm("CheckoutAlarm", OKActions=[{"Ref": "Topic"}])
    cloudwatch = simulated(template)
    cloudwatch.put_log_events(LOGS, [alert_line(CHECKOUT)], at=60)
    cloudwatch.evaluate(at=60)
    cloudwatch.evaluate(at=660)
    told = [
        (each.action, each.message["AlarmName"], each.message["NewStateValue"]) for each in cloudwatch.notifications()
    ]
    name = "Shop-Any" if composite else "Shop-CheckoutAlarm"
    assert told == [(TOPIC, name, "ALARM"), (TOPIC, name, "OK")]
    assert cloudwatch.states["Shop-CheckoutAlarm"] == "OK"
