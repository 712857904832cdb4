"""Templates with alarms, written by hand: one function or more, by granularity, as the constructs write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from shielded_function_monitoring.filters import COUNTED
from shielded_function_monitoring.simulated_function import WRAPPER

Granularity = Literal["function", "control", "fleet"]
GRANULARITIES: tuple[Granularity, ...] = ("function", "control", "fleet")
STACK = "Shop"
TOPIC = "arn:aws:sns:us-east-1:123456789012:Shop-Topic"
NAMESPACE = "ShieldedFunction"
PATTERN = (
    '{ ($.function_shield IS TRUE) && ($.count >= 1) && (($.count <= 1) || ($.event = "*") || '
    '($.policy = "read_handler")) && ($.policy = "*") }'
)
WITHOUT_READ_HANDLER = (
    '{ ($.function_shield IS TRUE) && ($.count >= 1) && (($.count <= 1) || ($.event = "*")) && ($.policy = "*") && '
    '($.policy != "read_handler") }'
)
QUERY = 'SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName) GROUP BY FunctionName ORDER BY SUM() DESC'


def function(name: str) -> dict[str, Any]:
    """A shielded function and its log group: their logical ids are `<name>` and `<name>Logs`."""
    return {
        name: {
            "Type": "AWS::Lambda::Function",
            "Metadata": {"aws:cdk:path": f"{STACK}/{name}/Resource"},
            "Properties": {
                "Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER}},
                "LoggingConfig": {"LogGroup": {"Ref": f"{name}Logs"}},
            },
        },
        f"{name}Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
    }


def metric_filter(
    name: str,
    *,
    pattern: str = PATTERN,
    metric: str = "Violations",
    dimensions: Mapping[str, str] | None = None,
    value: str = "$.count",
    **transformation: Any,
) -> dict[str, Any]:
    """A metric filter on a function's log group."""
    written = {"MetricNamespace": NAMESPACE, "MetricName": metric, "MetricValue": value, **transformation}
    if dimensions:
        written["Dimensions"] = [{"Key": key, "Value": found} for key, found in dimensions.items()]
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {
            "FilterPattern": pattern,
            "LogGroupName": {"Ref": f"{name}Logs"},
            "MetricTransformations": [written],
        },
    }


def _rule(**properties: Any) -> dict[str, Any]:
    return {
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": "Topic"}],
        **properties,
    }


def metric_alarm(dimensions: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """An alarm on the sum of a minute."""
    usual: dict[str, Any] = {"Namespace": NAMESPACE, "MetricName": "Violations", "Statistic": "Sum", "Period": 60}
    if dimensions:
        usual["Dimensions"] = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": _rule(**{**usual, **properties})}


def query_alarm(query: str = QUERY, **properties: Any) -> dict[str, Any]:
    """An alarm on a Metrics Insights query, as `MathExpression` makes it."""
    metrics = [{"Id": "expr_1", "Expression": query, "Period": 60, "ReturnData": True}]
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": _rule(**{"Metrics": metrics, **properties})}


def composite_alarm(*children: str, **properties: Any) -> dict[str, Any]:
    """A composite alarm that is in ALARM while any of its children is, as `AlarmRule.any_of` makes it."""
    rule: list[Any] = ["("]
    for number, child in enumerate(children):
        rule += [" OR " if number else "", 'ALARM("', {"Fn::GetAtt": [child, "Arn"]}, '")']
    usual = {"AlarmRule": {"Fn::Join": ["", [*rule, ")"]]}, "AlarmActions": [{"Ref": "Topic"}]}
    return {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {**usual, **properties}}


def template(granularity: Granularity, names: Sequence[str] = ("Checkout", "Refund")) -> dict[str, Any]:
    """Functions with their filters and alarms, and the topic that these call."""
    resources: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}
    for name in names:
        resources |= function(name)
        by_function = {"FunctionName": "$.function"}
        if granularity == "control":
            dimensions = {**by_function, "Policy": "$.policy"}
            resources[f"{name}Filter"] = metric_filter(name, dimensions=dimensions)
            for policy in COUNTED:
                watched = {"FunctionName": {"Ref": name}, "Policy": policy}
                resources[f"{name}{policy.replace('_', '')}Alarm"] = metric_alarm(watched)
            continue
        resources[f"{name}Filter"] = metric_filter(name, pattern=WITHOUT_READ_HANDLER, dimensions=by_function)
        if granularity == "function":
            resources[f"{name}Alarm"] = metric_alarm({"FunctionName": {"Ref": name}})
    if granularity == "fleet":
        resources["FleetAlarm"] = query_alarm()
    return {"Resources": resources}
