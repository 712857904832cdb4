"""Creates the filter and the alarm of a watch."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from shielded_function_monitoring.filters import NAMESPACE, Severity, fleet_query

from ..reading.batching import create, new
from .watches import Counter, Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from .alarm_options import AlarmAction


def make_filter(scope: Construct, counter: Counter, log_group: logs.ILogGroup) -> logs.MetricFilter:
    """The metric filter of a counter."""
    return logs.MetricFilter(
        scope,
        f"{counter.key}Filter",
        log_group=log_group,
        filter_pattern=logs.FilterPattern.literal(counter.pattern),
        metric_namespace=NAMESPACE,
        metric_name=counter.metric,
        metric_value=counter.value,
        dimensions=counter.dimensions,
    )


def metric_of(
    counter: Counter, function_name: str, policy: str | None = None, level: str | None = None, *, period: Any = None
) -> dict[str, Any]:
    """The count of one function, for `create`, with the filter's dimensions, as CloudWatch does not sum over them."""
    known = {"FunctionName": function_name, "Policy": policy, "Level": level}
    return new(
        "aws_cloudwatch.Metric",
        namespace=NAMESPACE,
        metricName=counter.metric,
        dimensionsMap={name: known[name] for name in counter.dimensions},
        statistic="Sum",
        period=period or one_minute(),
    )


def make_watch_alarm(
    scope: Construct,
    construct_id: str,
    watch: Watch,
    function_name: str | None,
    severity: Severity | None,
    description: str,
    name: str,
) -> cloudwatch.Alarm:
    """The alarm of a watch, on one function or, without a name, on a fleet."""
    period = watch.option("period") or one_minute()
    if function_name is None:
        by = "FunctionName" if watch.alarms.contributors else None
        query = fleet_query(watch.counter.metric, watch.level, by=by)
        metric = new("aws_cloudwatch.MathExpression", expression=query, usingMetrics={}, period=period)
    else:
        metric = metric_of(watch.counter, function_name, watch.policy, watch.level, period=period)
    evaluated, needed = watch.periods
    return make_alarm(
        scope,
        construct_id,
        metric,
        watch.actions_for(severity),
        *(watch.option(f"{state}_actions") for state in ("ok", "insufficient_data")),
        alarmName=name,
        alarmDescription=description,
        evaluationPeriods=evaluated,
        datapointsToAlarm=needed,
        threshold=watch.option("threshold"),
    )


def make_alarm(
    scope: Construct, construct_id: str, metric: Any, *actions: Sequence[AlarmAction] | None, **options: Any
) -> cloudwatch.Alarm:
    """An alarm from its threshold on, which is quiet without data; made with its metric in one message.

    Args:
        scope: its parent.
        construct_id: its id in `scope`.
        metric: its metric or math expression.
        actions: its actions when it starts, when it ends, and when data are missing.
        options: further properties of `Alarm`, by their names in TypeScript; their types are not checked.
    """
    alarm: cloudwatch.Alarm = create(
        new(
            "aws_cloudwatch.Alarm",
            scope,
            construct_id,
            metric=metric,
            comparisonOperator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treatMissingData=cloudwatch.TreatMissingData.NOT_BREACHING,
            **options,
        )
    )
    adds: Any = (alarm.add_alarm_action, alarm.add_ok_action, alarm.add_insufficient_data_action)
    for add, given in zip(adds, actions, strict=False):
        if given:
            add(*given)
    return alarm


@cache
def one_minute() -> cdk.Duration:
    """The default period of an alarm."""
    return cdk.Duration.minutes(1)
