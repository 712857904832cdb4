"""The VPC's query log, the metric filter on look-ups that DNS Firewall blocked, and its alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53resolver as route53resolver
from constructs import Construct

from shielded_function_monitoring.filters import NAMESPACE
from shielded_function_monitoring.pattern import Pattern, all_of, any_of, text

from ..alarms import making
from ..alarms.watches import Counter

if TYPE_CHECKING:
    from ..alarms.alarm_options import ControlAlarm
    from ..shield.log_group import LogOptions

METRIC: Final = "PerimeterViolations"
_ACTION: Final = "$.firewall_rule_action"
_UNUSED: Final = ("except_paths", "except_programs", "mode", "severity", "name")
"""Options of `ControlAlarm` without effect on a query log."""


def pattern_of(alarm: ControlAlarm) -> Pattern:
    """The lines of a query log that count: queries that a rule blocked or reported, except the alarm's `except_hosts`.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
    """
    stopped = any_of(text(_ACTION, "=", "BLOCK"), text(_ACTION, "=", "ALERT"))
    # A name in the log ends with a dot.
    excepted = [text("$.query_name", "!=", f"{host.rstrip('.')}.") for host in alarm.except_hosts]
    return all_of(stopped, *excepted) if excepted else stopped


def unused_options(alarm: ControlAlarm) -> list[str]:
    """Given options that have no effect here."""
    return [name for name in _UNUSED if getattr(alarm, name)]


def make_log_group(scope: Construct, options: LogOptions) -> logs.ILogGroup:
    """Creates a log group."""
    stack = cdk.Stack.of(scope)
    return options.make(scope, options.name_for(scope.node.path, lambda: stack.stack_name))[0]


def log_queries(scope: Construct, vpc_id: str | None, group: logs.ILogGroup) -> None:
    """Writes all queries of a VPC to a log group; without an id, none."""
    config = route53resolver.CfnResolverQueryLoggingConfig(scope, "QueryLog", destination_arn=group.log_group_arn)
    if vpc_id is not None:
        route53resolver.CfnResolverQueryLoggingConfigAssociation(
            scope, "QueryLogOfVpc", resolver_query_log_config_id=config.attr_id, resource_id=vpc_id
        )


def make_filter(scope: Construct, group: logs.ILogGroup, alarm: ControlAlarm) -> logs.MetricFilter:
    """Counts look-ups that DNS Firewall blocked, by VPC.

    Raises:
        PatternError: the pattern is longer than CloudWatch accepts.
    """
    counter = Counter("Violations", pattern_of(alarm).render(), METRIC, {"VpcId": "$.vpc_id"}, "1")
    return making.make_filter(scope, counter, group)


def metric_of(vpc_id: str | None, **options: Any) -> cloudwatch.Metric:
    """The metric of `make_filter`; of no VPC without an id."""
    given = {"period": making.one_minute(), "statistic": "Sum", **options}
    dimensions = {"VpcId": vpc_id or "none"}
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=METRIC, dimensions_map=dimensions, **given)


def make_alarm(scope: Construct, vpc_id: str | None, alarm: ControlAlarm, path: str, mode: str) -> cloudwatch.Alarm:
    """Creates an alarm on blocked look-ups: by default on one a minute."""
    happened = "stopped" if mode == "block" else "saw"
    lines = [
        f"DNS Firewall {happened} a look-up that no policy of {path} lists.",
        "1. Read query_name and srcaddr of the lines with firewall_rule_action in the query log.",
        "2. Look for the alert of the function's shield, which blocks such a look-up first.",
        "3. Without an alert, look for code that bypasses the shield, and for other resources in the VPC.",
        *([alarm.runbook] if alarm.runbook else []),
    ]
    return making.make_alarm(
        scope,
        "Alarm",
        metric_of(vpc_id, period=alarm.period or making.one_minute()),
        alarm.actions,
        alarm.ok_actions,
        alarm.insufficient_data_actions,
        alarmDescription="\n".join(lines),
        evaluationPeriods=alarm.evaluation_periods or 1,
        datapointsToAlarm=alarm.datapoints,
        threshold=alarm.threshold or 1,
    )
