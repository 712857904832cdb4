"""What reads a shielded function's alerts: the line's schema, CloudWatch filter patterns, and alarm evaluation.

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
from .filters import NAMESPACE, metric_name, violations
from .pattern import Pattern, PatternError, all_of, any_of, exists, is_false, is_null, is_true, not_exists, number, text
from .pattern import parse as parse_pattern
from .simulated import SimulatedCloudWatch, SimulationError
from .simulated.log_events import LogEvent
from .template import Monitoring, TemplateError, monitoring_of, shielded_functions

__all__ = [
    "ALARMING_EVENTS",
    "EVENTS",
    "MAX_LINE",
    "MODES",
    "NAMESPACE",
    "POLICIES",
    "AlarmError",
    "AlarmRule",
    "AlarmState",
    "Alert",
    "AlertError",
    "Details",
    "EventName",
    "LogEvent",
    "Mode",
    "Monitoring",
    "Pattern",
    "PatternError",
    "Policy",
    "ShieldEvent",
    "SimulatedCloudWatch",
    "SimulationError",
    "TemplateError",
    "all_of",
    "any_of",
    "exists",
    "is_false",
    "is_null",
    "is_true",
    "metric_name",
    "monitoring_of",
    "not_exists",
    "number",
    "parse_line",
    "parse_pattern",
    "shielded_functions",
    "text",
    "violations",
]
