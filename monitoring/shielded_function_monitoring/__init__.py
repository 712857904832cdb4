"""Reads a shielded function's alerts: the line's schema, CloudWatch filter patterns, and alarm evaluation.

Pure functions, without AWS and without the CDK. The constructs use them to write metric filters, the demo and the
tests to run those same filters over real lines.
"""

from __future__ import annotations

from .alarm import AlarmError, AlarmRule, AlarmState
from .alert import (
    ALARMING_EVENTS,
    EVENTS,
    MAX_LINE,
    MODES,
    POLICIES,
    Alert,
    AlertError,
    Details,
    EventName,
    Mode,
    Policy,
    ShieldEvent,
    parse_line,
)
from .filters import (
    COUNTED,
    LEVELS,
    METRIC,
    NAMESPACE,
    PLATFORM_PROGRAMS,
    SEVERITIES,
    VALUE,
    Counted,
    Severity,
    fleet_query,
    level_of,
    metric_name,
    severity_of,
    violations,
    violations_by_policy,
    violations_of,
)
from .frames import Frame
from .pattern import Pattern, PatternError, all_of, any_of, exists, is_false, is_null, is_true, not_exists, number, text
from .pattern import parse as parse_pattern
from .queries import QUERIES, Query
from .simulated import SimulatedCloudWatch, SimulationError
from .simulated.log_events import LogEvent
from .template import Monitoring, TemplateError, monitoring_of, shielded_functions

__all__ = [
    "ALARMING_EVENTS",
    "COUNTED",
    "EVENTS",
    "LEVELS",
    "MAX_LINE",
    "METRIC",
    "MODES",
    "NAMESPACE",
    "PLATFORM_PROGRAMS",
    "POLICIES",
    "QUERIES",
    "SEVERITIES",
    "VALUE",
    "AlarmError",
    "AlarmRule",
    "AlarmState",
    "Alert",
    "AlertError",
    "Counted",
    "Details",
    "EventName",
    "Frame",
    "LogEvent",
    "Mode",
    "Monitoring",
    "Pattern",
    "PatternError",
    "Policy",
    "Query",
    "Severity",
    "ShieldEvent",
    "SimulatedCloudWatch",
    "SimulationError",
    "TemplateError",
    "all_of",
    "any_of",
    "exists",
    "fleet_query",
    "is_false",
    "is_null",
    "is_true",
    "level_of",
    "metric_name",
    "monitoring_of",
    "not_exists",
    "number",
    "parse_line",
    "parse_pattern",
    "severity_of",
    "shielded_functions",
    "text",
    "violations",
    "violations_by_policy",
    "violations_of",
]
