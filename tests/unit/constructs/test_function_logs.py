"""`ShieldedFunction`: the log group that it uses, its metric filters and its alarms."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_logs as logs

from harness.function_template import FILTER, FUNCTION, LOG_GROUP, Props, Resources, only
from shielded_function import ShieldedFunction

pytestmark = pytest.mark.promise("construct.logs")


def test_a_given_log_group_is_used(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    mine = logs.LogGroup(stack, "Mine", retention=logs.RetentionDays.ONE_WEEK)
    fn = ShieldedFunction(stack, "Checkout", log_group=mine, **props)
    name = stack.resolve(mine.log_group_name)
    assert only(resources(stack, FILTER))["LogGroupName"] == name
    assert only(resources(stack, FUNCTION))["LoggingConfig"]["LogGroup"] == name
    assert list(resources(stack, LOG_GROUP).values()) == [{"RetentionInDays": 7}]
    assert stack.resolve(fn.log_group.log_group_name) == name


def test_a_log_group_of_another_stack_is_used(app: cdk.App, props: Props, resources: Resources) -> None:
    storage, shop = cdk.Stack(app, "Storage"), cdk.Stack(app, "Shop")
    ShieldedFunction(shop, "Checkout", log_group=logs.LogGroup(storage, "Logs"), **props)
    name = only(resources(shop, FILTER))["LogGroupName"]
    assert list(name) == ["Fn::ImportValue"]
    assert only(resources(shop, FUNCTION))["LoggingConfig"]["LogGroup"] == name


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
