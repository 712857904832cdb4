"""Metric filters: the metric and the value that a log line is published with.

Rules: "Creating metrics from log events using filters" in the CloudWatch Logs user guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html) and its section on dimensions.
Where the guide says nothing, nothing is published: a test that passes here shall not fail in AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ..pattern import Pattern, Selector
from .metrics import MetricKey

MAX_VALUE: Final = 2**360
"""A metric takes values from -2^360 to 2^360 (MetricDatum, `Value`)."""


@dataclass(frozen=True)
class MetricFilter:
    """One metric filter with its transformation.

    Attributes:
        name: its name in messages.
        log_group: the name of the log group that it is on.
        pattern: which lines it counts.
        namespace: of the metric.
        metric: the metric's name.
        value: the value of each line: a number, or the field that holds it (`$.count`).
        dimensions: name -> the field that holds the value.
    """

    name: str
    log_group: str
    pattern: Pattern
    namespace: str
    metric: str
    value: float | Selector = 1.0
    dimensions: tuple[tuple[str, Selector], ...] = ()

    def publishes(self, line: Mapping[str, Any]) -> tuple[MetricKey, float] | None:
        """The data that it publishes for a line that `pattern.read_line` has read: a metric and a value, or nothing.

        A line that matches publishes nothing where the value is not a number, or where the field of a dimension is
        missing, or is null, an object or an array.
        """
        if not self.pattern.holds(line):
            return None
        value = self.value if isinstance(self.value, (int, float)) else _number(_one(self.value, line))
        if value is None:
            return None
        dimensions: list[tuple[str, str]] = []
        for name, selector in self.dimensions:
            found = _text(_one(selector, line))
            if found is None:
                return None
            dimensions.append((name, found))
        return MetricKey.of(self.namespace, self.metric, dict(dimensions)), value

    @property
    def some_key(self) -> MetricKey:
        """A metric as it publishes, with its dimensions' names and empty values."""
        return MetricKey.of(self.namespace, self.metric, {name: "" for name, _ in self.dimensions})


def _one(selector: Selector, line: Mapping[str, Any]) -> Any:
    if selector.only_field is not None:
        return line.get(selector.only_field)
    found = selector.select(line)
    return found[0] if len(found) == 1 else None


def _number(found: Any) -> float | None:
    return float(found) if isinstance(found, Decimal) and abs(found) <= MAX_VALUE else None


def _text(found: Any) -> str | None:
    if isinstance(found, str):
        return found or None
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, Decimal) else None
