"""Creates the filter and the alarm of a watch, with few calls into the CDK, as each takes time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from shielded_function_monitoring.filters import NAMESPACE, Severity, fleet_query

from ..batching import create, create_alarms
from .watches import Counter, Watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from ..alarms import AlarmAction


def make_filter(scope: Construct, counter: Counter, log_group: logs.ILogGroup) -> logs.MetricFilter:
    """The metric filter of a counter."""
    return create(
        "aws_logs",
        "MetricFilter",
        scope,
        f"{counter.key}Filter",
        {
            "logGroup": log_group,
            "filterPattern": {"logPatternString": counter.pattern},  # an IFilterPattern
            "metricNamespace": NAMESPACE,
            "metricName": counter.metric,
            "metricValue": counter.value,
            "dimensions": dict(counter.dimensions),
        },
    )


def metric_of(counter: Counter, function_name: str, policy: str | None = None, **options: Any) -> cloudwatch.Metric:
    """The count of one function, with the filter's dimensions, as CloudWatch does not sum over them."""
    given = {
        "dimensions_map": _dimensions(counter, function_name, policy),
        "statistic": "Sum",
        "period": one_minute(),
        **options,
    }
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=counter.metric, **given)


class WantedAlarm(NamedTuple):
    """The alarm of a watch, on one function or, without a name, on a fleet."""

    construct_id: str
    watch: Watch
    function_name: str | None
    severity: Severity | None
    description: str
    name: str


def make_alarms(scope: Construct, wanted: Sequence[WantedAlarm]) -> list[cloudwatch.Alarm]:
    """Creates the alarms in a construct by one request."""
    made = create_alarms(scope, [(each.construct_id, *_properties(each)) for each in wanted])
    for alarm, (_, watch, _, severity, _, _) in zip(made, wanted, strict=True):
        add_actions(alarm, watch.actions_for(severity), watch.ok_actions, watch.insufficient_data_actions)
    return made


def _properties(wanted: WantedAlarm) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """An alarm's metric, and its other properties."""
    watch = wanted.watch
    if wanted.function_name is None:
        query = fleet_query(watch.counter.metric, watch.level, by="FunctionName" if watch.contributors else None)
        metric: Mapping[str, Any] = {"expression": query, "usingMetrics": {}}
    else:
        metric = {
            "namespace": NAMESPACE,
            "metricName": watch.counter.metric,
            "dimensionsMap": _dimensions(watch.counter, wanted.function_name, watch.policy, watch.level),
            "statistic": "Sum",
        }
    evaluated, needed = watch.periods
    props = {
        "alarmDescription": wanted.description,
        "comparisonOperator": cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        "evaluationPeriods": evaluated,
        "threshold": watch.threshold,
        "treatMissingData": cloudwatch.TreatMissingData.NOT_BREACHING,
        "alarmName": wanted.name,
        "datapointsToAlarm": needed,
    }
    given = {key: value for key, value in props.items() if value is not None}
    return {**metric, "period": watch.period or one_minute()}, given


def add_actions(
    alarm: cloudwatch.AlarmBase,
    actions: Sequence[AlarmAction],
    ok_actions: Sequence[AlarmAction] = (),
    insufficient_data_actions: Sequence[AlarmAction] = (),
) -> None:
    """Gives an alarm its actions, without a request for none."""
    firing: Any = actions
    over: Any = ok_actions
    unknown: Any = insufficient_data_actions
    if firing:
        alarm.add_alarm_action(*firing)
    if over:
        alarm.add_ok_action(*over)
    if unknown:
        alarm.add_insufficient_data_action(*unknown)


def _dimensions(counter: Counter, function_name: str, policy: str | None, level: str | None = None) -> dict[str, Any]:
    given = {"FunctionName": function_name, "Policy": policy, "Level": level}
    return {name: given[name] for name in counter.dimensions}


@cache
def one_minute() -> cdk.Duration:
    """The default period of an alarm."""
    return cdk.Duration.minutes(1)
