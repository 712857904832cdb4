"""A simulated CloudWatch: metric filters, metrics, Metrics Insights queries, alarms and their actions.

Pure Python, without AWS and without the CDK: `SimulatedCloudWatch` reads a synthesized template, is given log lines,
and reports the firing alarms and the messages of their actions. `MotoCloudWatch` does the same inside moto, so that a
test sees the message in a queue. `shielded_function.testing` offers both for a CDK app.
"""

from __future__ import annotations

from .alarms import Actions, Alarm, CompositeAlarm, Contributor, MetricAlarm, Place, QueryAlarm
from .cloudwatch import SimulatedCloudWatch, SimulationError
from .composite import RuleError, parse_rule
from .filters import FilterError, MetricFilter
from .log_events import LogEvent, alert_line
from .metrics import MetricKey, Metrics
from .metrics_insights import MetricsQuery, QueryError, parse_query
from .moto import MotoCloudWatch
from .notifications import Notification, Transition
from .template_reader import LoggedFunction, Problem, ReadTemplate, read_templates

__all__ = [
    "Actions",
    "Alarm",
    "CompositeAlarm",
    "Contributor",
    "FilterError",
    "LogEvent",
    "LoggedFunction",
    "MetricAlarm",
    "MetricFilter",
    "MetricKey",
    "Metrics",
    "MetricsQuery",
    "MotoCloudWatch",
    "Notification",
    "Place",
    "Problem",
    "QueryAlarm",
    "QueryError",
    "ReadTemplate",
    "RuleError",
    "SimulatedCloudWatch",
    "SimulationError",
    "Transition",
    "alert_line",
    "parse_query",
    "parse_rule",
    "read_templates",
]
