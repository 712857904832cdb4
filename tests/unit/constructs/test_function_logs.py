"""`ShieldedFunction`: the log group that it uses, its metric filters and its alarms."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from harness.function_template import ALARM, FILTER, FUNCTION, LOG_GROUP, Props, Resources, only
from shielded_function import AlarmOptions, ShieldedFunction
from shielded_function_monitoring.filters import violations_by_policy

pytestmark = pytest.mark.promise("construct.logs")

# ---- log groups


def test_a_given_log_group_is_used(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    mine = logs.LogGroup(stack, "Mine", retention=logs.RetentionDays.ONE_WEEK)
    fn = ShieldedFunction(stack, "Checkout", log_group=mine, **props)
    name = stack.resolve(mine.log_group_name)
    assert only(resources(stack, FILTER))["LogGroupName"] == name
    assert only(resources(stack, FUNCTION))["LoggingConfig"]["LogGroup"] == name
    assert list(resources(stack, LOG_GROUP).values()) == [{"RetentionInDays": 7}]
    assert stack.resolve(fn.log_group.log_group_name) == name


def test_an_imported_log_group_is_used(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    imported = logs.LogGroup.from_log_group_name(stack, "Imported", "/shared/shop")
    ShieldedFunction(stack, "Checkout", log_group=imported, **props)
    assert only(resources(stack, FILTER))["LogGroupName"] == "/shared/shop"
    assert resources(stack, LOG_GROUP) == {}


def test_a_log_group_of_another_stack_is_used(app: cdk.App, props: Props, resources: Resources) -> None:
    storage, shop = cdk.Stack(app, "Storage"), cdk.Stack(app, "Shop")
    ShieldedFunction(shop, "Checkout", log_group=logs.LogGroup(storage, "Logs"), **props)
    name = only(resources(shop, FILTER))["LogGroupName"]
    assert list(name) == ["Fn::ImportValue"]
    assert only(resources(shop, FUNCTION))["LoggingConfig"]["LogGroup"] == name


def test_the_log_group_that_the_cdk_manages_is_used(app: cdk.App, props: Props, resources: Resources) -> None:
    app.node.set_context("@aws-cdk/aws-lambda:useCdkManagedLogGroup", True)
    stack = cdk.Stack(app, "Shop")
    fn = ShieldedFunction(stack, "Checkout", **props)
    name = {"Fn::Join": ["", ["/aws/lambda/", stack.resolve(fn.function_name)]]}
    assert only(resources(stack, LOG_GROUP))["LogGroupName"] == name
    assert only(resources(stack, FILTER))["LogGroupName"] == {"Ref": next(iter(resources(stack, LOG_GROUP)))}


def test_a_log_retention_keeps_its_log_group(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Checkout", log_retention=logs.RetentionDays.ONE_WEEK, **props)
    assert resources(stack, LOG_GROUP) == {}
    assert "Custom::LogRetention" in {r["Type"] for r in Template.from_stack(stack).to_json()["Resources"].values()}
    assert "LogRetention" in str(only(resources(stack, FILTER))["LogGroupName"])


def test_reading_the_log_group_adds_nothing(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    logs.MetricFilter(
        stack,
        "Errors",
        log_group=fn.log_group,
        filter_pattern=logs.FilterPattern.all_terms("ERROR"),
        metric_namespace="Shop",
        metric_name="Errors",
    )
    assert resources(stack, "Custom::LogRetention") == {}
    assert {f["LogGroupName"]["Ref"] for f in resources(stack, FILTER).values()} == set(resources(stack, LOG_GROUP))


def test_the_rest_of_the_logging_configuration_is_kept(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(
        stack,
        "Checkout",
        logging_format=lambda_.LoggingFormat.JSON,
        application_log_level_v2=lambda_.ApplicationLogLevel.DEBUG,
        system_log_level_v2=lambda_.SystemLogLevel.WARN,
        **props,
    )
    logging = only(resources(stack, FUNCTION))["LoggingConfig"]
    assert logging.pop("LogGroup") == {"Ref": next(iter(resources(stack, LOG_GROUP)))}
    assert logging == {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN"}


def test_functions_that_share_a_log_group_share_its_filter(
    stack: cdk.Stack, props: Props, resources: Resources
) -> None:
    """CloudWatch takes 100 filters on a log group; the line says whose it is."""
    shared = logs.LogGroup(stack, "Shared")
    one, two = (ShieldedFunction(stack, name, log_group=shared, **props) for name in ("One", "Two"))
    assert one.shield.metric_filter is two.shield.metric_filter
    assert len(resources(stack, FILTER)) == 1
    watched = [alarm["Dimensions"][0]["Value"] for alarm in resources(stack, ALARM).values()]
    assert watched == [stack.resolve(fn.function_name) for fn in (one, one, two, two)]
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


# ---- metrics and alarms


def test_the_metric(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    metric = fn.metric_violations()
    assert (metric.namespace, metric.statistic, metric.period.to_seconds()) == ("ShieldedFunction", "Sum", 60)
    hourly = fn.metric_violations(period=cdk.Duration.hours(1), statistic=cloudwatch.Stats.MAXIMUM, label="worst")
    assert (hourly.statistic, hourly.period.to_hours(), hourly.label) == ("Maximum", 1, "worst")
    assert len(resources(stack, FILTER)) == 2, "the alarms' own counts by level, and CloudWatch does not add up"


def test_a_policys_metric_adds_its_filter_once(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    metric, _ = (fn.metric_violations("outbound_connectivity") for _ in range(2))
    metric.create_alarm(stack, "Egress", threshold=1, evaluation_periods=1)
    [_, by_policy] = resources(stack, FILTER).values()
    [_, name, pattern] = by_policy["FilterPattern"]["Fn::Join"][1]
    assert name == stack.resolve(fn.function_name)
    assert pattern == '") && ' + violations_by_policy().render()[2:]
    [transformation] = by_policy["MetricTransformations"]
    keys = {dimension["Key"]: dimension["Value"] for dimension in transformation["Dimensions"]}
    assert keys == {"FunctionName": "$.function", "Policy": "$.policy"}
    [egress] = [alarm for name, alarm in resources(stack, ALARM).items() if name.startswith("Egress")]
    assert egress["MetricName"] == transformation["MetricName"]
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in egress["Dimensions"]}
    assert dimensions == {"FunctionName": stack.resolve(fn.function_name), "Policy": "outbound_connectivity"}


def test_alarm_actions(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    topic: Any = sns.Topic(stack, "Topic")
    action = cloudwatch_actions.SnsAction(topic)
    alarms = AlarmOptions(threshold=5, actions=[action], ok_actions=[action])
    fn = ShieldedFunction(stack, "Checkout", alarms=alarms, **props)
    arn = stack.resolve(topic.topic_arn)
    found = [(a["Threshold"], a["AlarmActions"], a["OKActions"]) for a in resources(stack, ALARM).values()]
    assert found == [(5, [arn], [arn])] * 2
    assert fn.shield.alarm is not None


def test_no_alarm(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", alarms=AlarmOptions(enabled=False), **props)
    assert fn.shield.alarm is None
    assert resources(stack, ALARM) == {}
    assert len(resources(stack, FILTER)) == 1
