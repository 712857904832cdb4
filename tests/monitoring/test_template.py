"""The alarm chain read from a template and run over lines."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from shielded_function_monitoring import LogEvent, PatternError, TemplateError, monitoring_of, shielded_functions
from shielded_function_monitoring.filters import metric_name, violations

ALERT = json.dumps(
    {
        "function_shield": True,
        "v": 1,
        "timestamp": "2026-11-24T13:37:00.123456Z",
        "level": "WARN",
        "policy": "read_write_tmp",
        "mode": "block",
        "count": 1,
        "details": {"path": "/tmp/x"},
        "pid": 17,
    }
)
ARMED = '{"function_shield":true,"event":"armed","level":"INFO","modes":{"read_write_tmp":"block"}}'
REFUSED = '{"function_shield":true,"event":"refused","level":"ERROR","reason":"SHIELD_READ_WRITE_TMP: ..."}'
UNSHIELDED = '{"function_shield":true,"event":"unshielded","level":"ERROR","reason":"..."}'

NAME = {"Fn::Join": ["", [{"Ref": "Fn"}, "/violations"]]}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Fn": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield"}},
                "LoggingConfig": {"LogGroup": {"Ref": "Logs"}},
            },
        },
        "Other": {"Type": "AWS::Lambda::Function", "Properties": {}},
        "Logs": {"Type": "AWS::Logs::LogGroup"},
        "Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "FilterPattern": violations().render(),
                "LogGroupName": {"Ref": "Logs"},
                "MetricTransformations": [
                    {"MetricName": NAME, "MetricNamespace": "ShieldedFunction", "MetricValue": "1"}
                ],
            },
        },
        "Elsewhere": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "FilterPattern": "ERROR",
                "LogGroupName": {"Ref": "OtherLogs"},
                "MetricTransformations": [{"MetricName": "Errors", "MetricNamespace": "App", "MetricValue": "1"}],
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmActions": [{"Ref": "Topic"}],
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "EvaluationPeriods": 1,
                "MetricName": NAME,
                "Namespace": "ShieldedFunction",
                "Period": 60,
                "Statistic": "Sum",
                "Threshold": 1,
                "TreatMissingData": "notBreaching",
            },
        },
        "Unrelated": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"MetricName": "Errors", "Namespace": "AWS/Lambda", "Metrics": []},
        },
    }
}


def changed(resource: str, **properties: Any) -> dict[str, Any]:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"][resource]["Properties"].update(properties)
    return template


def test_what_it_finds() -> None:
    assert shielded_functions(TEMPLATE) == ["Fn"]
    monitoring = monitoring_of(TEMPLATE, "Fn")
    assert monitoring.log_group == {"Ref": "Logs"}
    assert [found.logical_id for found in monitoring.filters] == ["Filter"]
    assert [found.logical_id for found in monitoring.alarms] == ["Alarm"]
    assert monitoring.alarms[0].actions == ({"Ref": "Topic"},)


@pytest.mark.parametrize(
    ("line", "counts"),
    [(ALERT, True), (ARMED, False), (REFUSED, True), (UNSHIELDED, True), ("START RequestId: 1", False)],
)
def test_which_lines_count(line: str, counts: bool) -> None:
    monitoring = monitoring_of(TEMPLATE, "Fn")
    assert bool(monitoring.matched(line)) is counts
    assert monitoring.states([LogEvent(90, line)], at=100) == {"Alarm": "ALARM" if counts else "OK"}


def test_a_policy_counts_only_its_own() -> None:
    assert violations("read_write_tmp").matches(ALERT)
    assert not violations("read_handler").matches(ALERT)
    assert not violations("read_write_tmp").matches(REFUSED)
    assert metric_name("f", "read_handler") == "f/read_handler"


def test_an_alarm_over_time() -> None:
    monitoring = monitoring_of(TEMPLATE, "Fn")
    events = [LogEvent(90, ARMED), LogEvent(130, ALERT), LogEvent(131, ALERT)]
    states = [monitoring.states(events, at=at)["Alarm"] for at in (100, 130, 200, 250, 310)]
    assert states == ["OK", "ALARM", "ALARM", "ALARM", "OK"]


def test_ignored_missing_data_keeps_the_state_before() -> None:
    monitoring = monitoring_of(changed("Alarm", TreatMissingData="ignore"), "Fn")
    assert monitoring.states([], at=0, previous={"Alarm": "ALARM"}) == {"Alarm": "ALARM"}
    assert monitoring.states([], at=0) == {"Alarm": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("function", "log_group"),
    [
        ({}, {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Fn"}]]}),
        ({"FunctionName": "checkout"}, "/aws/lambda/checkout"),
        ({"FunctionName": "checkout"}, {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Fn"}]]}),
    ],
)
def test_the_default_log_group(function: dict[str, Any], log_group: Any) -> None:
    template = changed("Filter", LogGroupName=log_group)
    template["Resources"]["Fn"]["Properties"] = function
    assert len(monitoring_of(template, "Fn").alarms) == 1


@pytest.mark.parametrize(
    "transformation",
    [
        {"MetricName": NAME, "MetricNamespace": "ShieldedFunction", "MetricValue": "$.folded"},
        {
            "MetricName": NAME,
            "MetricNamespace": "ShieldedFunction",
            "MetricValue": "1",
            "Dimensions": [{"Key": "Policy", "Value": "$.policy"}],
        },
    ],
)
def test_what_is_not_read(transformation: dict[str, Any]) -> None:
    monitoring = monitoring_of(changed("Filter", MetricTransformations=[transformation]), "Fn")
    assert (monitoring.filters, monitoring.alarms) == ((), ())


def test_an_alarm_with_dimensions_is_another_metric() -> None:
    assert monitoring_of(changed("Alarm", Dimensions=[{"Name": "A", "Value": "b"}]), "Fn").alarms == ()


def test_no_such_function() -> None:
    with pytest.raises(TemplateError, match=r"^Logs: no AWS::Lambda::Function"):
        monitoring_of(TEMPLATE, "Logs")


def test_an_unreadable_filter_is_said_so() -> None:
    with pytest.raises(PatternError):
        monitoring_of(changed("Filter", FilterPattern="ERROR"), "Fn")
