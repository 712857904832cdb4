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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from .states import AlarmRule

MINUTE = 60
"""Seconds: the finest that metric filters publish."""


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


class Statistics(NamedTuple):
    """The statistics of a period's values, by the names that alarms use."""

    SampleCount: int
    Sum: float
    Minimum: float
    Maximum: float

    @property
    def Average(self) -> float:
        return self.Sum / self.SampleCount

    def with_values(self, other: Statistics) -> Statistics:
        """Those of its values and the other's together."""
        count, total = self.SampleCount + other.SampleCount, self.Sum + other.Sum
        return Statistics(count, total, min(self.Minimum, other.Minimum), max(self.Maximum, other.Maximum))


Series = dict[int, Statistics]
"""The data published to one metric, by the minute."""


def datapoints(rule: AlarmRule, series: Sequence[Series], at: float) -> list[float | None]:
    """The datapoints of a rule's evaluation range over some series taken together, oldest first.

    Args:
        rule: the alarm's rule.
        series: of one metric, or of several that a query takes together.
        at: when the alarm is evaluated, in seconds since the epoch; the period that holds it is the newest.

    Returns None where nothing was published.
    """
    newest = math.floor(at / rule.period)
    slots, kept = range(newest - rule.range + 1, newest + 1), [one for one in series if one]
    points: list[float | None] = []
    for slot in slots if kept else ():
        # The minutes that begin in the period.
        minutes = range(-(-slot * rule.period // MINUTE), -(-(slot + 1) * rule.period // MINUTE))
        found = [one[minute] for one in kept for minute in minutes if minute in one]
        points.append(getattr(reduce(Statistics.with_values, found), rule.statistic) if found else None)
    return points or [None] * rule.range


class Metrics:
    """Every metric of an account and region."""

    def __init__(self) -> None:
        self._series: dict[MetricKey, Series] = {}

    def put(self, key: MetricKey, value: float, time: float) -> None:
        """Publishes one value at `time` (seconds since the epoch)."""
        series, minute = self._series.setdefault(key, {}), int(time // MINUTE)
        one = Statistics(1, value, value, value)
        series[minute] = series[minute].with_values(one) if minute in series else one

    def series(self, key: MetricKey) -> Series:
        """A metric's values; none where nothing was published."""
        return self._series.get(key, {})

    def sum(self, key: MetricKey) -> float:
        """All that was published to a metric, added up."""
        return math.fsum(found.Sum for found in self.series(key).values())

    def __iter__(self) -> Iterator[MetricKey]:
        return iter(self._series)
