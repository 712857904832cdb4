"""What `ShieldedFunction` adds, written by hand with the CDK's L1 constructs: a yardstick for synth.py."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from shielded_function import ShieldPolicy

_LAYER = "ShieldedFunctionLayer"
_VARIABLES = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield", **ShieldPolicy().to_env()}
_NAMESPACE, _METRIC = "Shield", "Violations"


def make_by_hand(stack: Stack, name: str, *, environment: dict[str, str], **props: Any) -> lambda_.Function:
    """A function with the layer, the variables, a log group, a metric filter and an alarm."""
    layer = stack.node.try_find_child(_LAYER) or lambda_.CfnLayerVersion(
        stack, _LAYER, content=lambda_.CfnLayerVersion.ContentProperty(s3_bucket="assets", s3_key="layer.zip")
    )
    assert isinstance(layer, lambda_.CfnLayerVersion)
    log_group = logs.CfnLogGroup(stack, f"{name}Logs", retention_in_days=731).ref
    function = lambda_.Function(stack, name, environment={**environment, **_VARIABLES}, **props)
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    resource.layers = [layer.ref]
    resource.logging_config = lambda_.CfnFunction.LoggingConfigProperty(log_group=log_group)
    logs.CfnMetricFilter(
        stack,
        f"{name}Filter",
        log_group_name=log_group,
        filter_pattern="{ $.function_shield IS TRUE }",
        metric_transformations=[
            logs.CfnMetricFilter.MetricTransformationProperty(
                metric_name=_METRIC,
                metric_namespace=_NAMESPACE,
                metric_value="1",
                dimensions=[logs.CfnMetricFilter.DimensionProperty(key="function", value="$.function")],
            )
        ],
    )
    cloudwatch.CfnAlarm(
        stack,
        f"{name}Alarm",
        metric_name=_METRIC,
        namespace=_NAMESPACE,
        dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="function", value=function.function_name)],
        statistic="Sum",
        period=60,
        evaluation_periods=1,
        threshold=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        alarm_description=name,
    )
    return function
