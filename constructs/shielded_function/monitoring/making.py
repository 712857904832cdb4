"""Makes the filter and the alarm of a watch. Each call into the CDK costs, so each is made once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from shielded_function_monitoring.filters import NAMESPACE, VALUE, Severity, fleet_query

from .watches import Counter, Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from ..alarms import AlarmAction


def make_filter(scope: Construct, counter: Counter, log_group: logs.ILogGroup) -> logs.MetricFilter:
    """The metric filter of a counter."""
    return logs.MetricFilter(
        scope,
        f"{counter.key}Filter",
        log_group=log_group,
        filter_pattern=_pattern(counter.pattern),
        metric_namespace=NAMESPACE,
        metric_name=counter.metric,
        metric_value=VALUE,
        dimensions=counter.dimensions,
    )


def metric_of(counter: Counter, function_name: str, policy: str | None, **options: Any) -> cloudwatch.Metric:
    """What a counter counts of one function, with the filter's own dimensions: CloudWatch does not sum over them."""
    dimensions = {"FunctionName": function_name, "Policy": policy}
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=counter.metric,
        **{
            "dimensions_map": {name: dimensions[name] for name in counter.dimensions},
            "statistic": "Sum",
            "period": one_minute(),
            **options,
        },
    )


def fleet_metric(watch: Watch) -> cloudwatch.MathExpression:
    """What a watch's counter counts over all functions, by function."""
    return cloudwatch.MathExpression(
        expression=fleet_query(watch.counter.metric), using_metrics={}, period=watch.period or one_minute()
    )


def make_alarm(
    scope: Construct,
    construct_id: str,
    watch: Watch,
    metric: cloudwatch.IMetric,
    *,
    severity: Severity | None,
    description: str,
    name: str | None,
) -> cloudwatch.Alarm:
    """The alarm of a watch."""
    more = {"alarm_name": name, "datapoints_to_alarm": watch.datapoints}
    alarm = cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        alarm_description=description,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=watch.evaluation_periods,
        threshold=watch.threshold,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        **{key: value for key, value in more.items() if value is not None},
    )
    add_actions(alarm, watch.actions_for(severity), watch.ok_actions, watch.insufficient_data_actions)
    return alarm


def add_actions(
    alarm: cloudwatch.AlarmBase,
    actions: Sequence[AlarmAction],
    ok_actions: Sequence[AlarmAction] = (),
    insufficient_data_actions: Sequence[AlarmAction] = (),
) -> None:
    """Gives an alarm its actions; nothing is called where there are none."""
    firing: Any = actions
    over: Any = ok_actions
    unknown: Any = insufficient_data_actions
    if firing:
        alarm.add_alarm_action(*firing)
    if over:
        alarm.add_ok_action(*over)
    if unknown:
        alarm.add_insufficient_data_action(*unknown)


@cache
def one_minute() -> cdk.Duration:
    """The period of an alarm that has no other."""
    return cdk.Duration.minutes(1)


@cache
def _pattern(text: str) -> logs.IFilterPattern:
    return logs.FilterPattern.literal(text)
