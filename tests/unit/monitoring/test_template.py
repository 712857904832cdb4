"""One function's alarm chain, read from a template and run over lines."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from harness import chains
from harness.chains import STACK
from shielded_function_monitoring.intrinsics import Resolver
from shielded_function_monitoring.simulated import alert_line
from shielded_function_monitoring.simulated.log_events import LogEvent
from shielded_function_monitoring.template import Monitoring, TemplateError, monitoring_of

pytestmark = pytest.mark.promise("alarm.simulated")

TEMPLATE = chains.template("function")


def changed(resource: str, template: dict[str, Any] = TEMPLATE, **properties: Any) -> dict[str, Any]:
    made = copy.deepcopy(template)
    made["Resources"][resource]["Properties"].update(properties)
    return made


def read(template: dict[str, Any] = TEMPLATE, function: str = "Checkout") -> Monitoring:
    return monitoring_of(template, function, Resolver(STACK, template))


@pytest.mark.parametrize(
    ("function", "log_group"),
    [
        ({}, {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Checkout"}]]}),
        ({"FunctionName": "checkout"}, "/aws/lambda/checkout"),
        ({"FunctionName": "checkout"}, {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Checkout"}]]}),
    ],
)
def test_the_default_log_group(function: dict[str, Any], log_group: Any) -> None:
    template = changed("CheckoutFilter", LogGroupName=log_group)
    template["Resources"]["Checkout"]["Properties"] = function
    assert len(read(template).alarms) == 1


def test_alarms_of_other_functions_and_metrics_are_not_its() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Other"] = chains.metric_alarm({"FunctionName": "elsewhere"})
    template["Resources"]["Fewer"] = chains.metric_alarm()
    template["Resources"]["Errors"] = chains.metric_alarm(Namespace="AWS/Lambda", MetricName="Errors")
    template["Resources"]["Any"] = chains.composite_alarm("CheckoutAlarm")
    template["Resources"]["Both"] = chains.composite_alarm("CheckoutAlarm", "RefundAlarm")
    assert [alarm.logical_id for alarm in read(template).alarms] == ["CheckoutAlarm", "Any"]


def test_the_fleets_alarm_is_each_functions() -> None:
    template = chains.template("fleet")
    for function in ("Checkout", "Refund"):
        monitoring = read(template, function)
        events = [LogEvent(90, alert_line(f"Shop-{function}"))]
        assert monitoring.states(events, at=100) == {"FleetAlarm": "ALARM"}


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (changed("CheckoutFilter", FilterPattern="ERROR"), "Checkout.*expected {"),
        (changed("CheckoutAlarm", ExtendedStatistic="p99"), "ExtendedStatistic"),
        (changed("Checkout", LoggingConfig={"LogGroup": {"Ref": "Nobody"}}), "Checkout: Ref Nobody"),
    ],
)
def test_what_cannot_be_evaluated_is_said_so(template: dict[str, Any], says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        read(template)
