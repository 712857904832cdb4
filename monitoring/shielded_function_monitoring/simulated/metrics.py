"""Metrics as CloudWatch keeps them: one series for each namespace, name and set of dimensions, by the minute.

    >>> metrics = Metrics()
    >>> key = MetricKey.of("ShieldedFunction", "Violations", {"FunctionName": "checkout"})
    >>> metrics.put(key, 2, time=61)
    >>> metrics.put(key, 3, time=119)
    >>> metrics.sum(key), str(key)
    (5.0, 'ShieldedFunction Violations {FunctionName=checkout}')

A metric with other dimensions, or with fewer, is another metric, and has nothing of this one: CloudWatch does not
add up over dimensions (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..errors import ShieldError

MINUTE = 60
"""Seconds: the finest that metric filters publish."""
Series = dict[int, list[float]]
"""The values published to one metric, by the minute."""


class SimulationError(ShieldError):
    """A request or a part of a template is not simulated, or its object does not exist; the message names it."""


@dataclass(frozen=True)
class MetricKey:
    """The identity of a metric. `dimensions` are sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> MetricKey:
        """The metric with these dimensions, given in any order."""
        return cls(namespace, name, tuple(sorted((dimensions or {}).items())))

    def __str__(self) -> str:
        dimensions = ", ".join(f"{name}={value}" for name, value in self.dimensions)
        return f"{self.namespace} {self.name}" + (f" {{{dimensions}}}" if dimensions else "")


class Metrics:
    """Every metric of an account and region."""

    def __init__(self) -> None:
        self._series: dict[MetricKey, Series] = {}

    def put(self, key: MetricKey, value: float, time: float) -> None:
        """Publishes one value at `time` (seconds since the epoch)."""
        self._series.setdefault(key, {}).setdefault(int(time // MINUTE), []).append(value)

    def series(self, key: MetricKey) -> Series:
        """A metric's values; none where nothing was published."""
        return self._series.get(key, {})

    def sum(self, key: MetricKey) -> float:
        """All that was published to a metric, added up."""
        return math.fsum(value for values in self.series(key).values() for value in values)

    def __iter__(self) -> Iterator[MetricKey]:
        return iter(self._series)
