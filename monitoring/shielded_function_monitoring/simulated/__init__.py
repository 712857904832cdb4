"""A simulated CloudWatch: metric filters, metrics, Metrics Insights queries, alarms and their actions.

Pure Python, without AWS and without the CDK: `SimulatedCloudWatch` reads a synthesized template, is given log lines,
and reports the firing alarms and the messages of their actions. `shielded_function.testing` offers it for a CDK app.
"""

from __future__ import annotations

from .cloudwatch import SimulatedCloudWatch
from .log_events import LogEvent, alert_line
from .metrics import MetricKey, SimulationError
from .template_reader import read_templates

__all__ = ["LogEvent", "MetricKey", "SimulatedCloudWatch", "SimulationError", "alert_line", "read_templates"]
