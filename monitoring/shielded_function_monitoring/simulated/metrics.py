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

from ..alarm import AlarmRule, Statistic, points_of_range

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


class StatisticSet:
    """The values of a period: how many, their sum, the least and the greatest."""

    __slots__ = ("count", "maximum", "minimum", "sum")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf

    def add(self, value: float) -> None:
        """Takes in one value."""
        self.count += 1
        self.sum += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)

    def merge(self, other: StatisticSet) -> None:
        """Takes in the values of another."""
        self.count += other.count
        self.sum += other.sum
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)

    def value(self, statistic: Statistic) -> float:
        """One statistic of the values, of which there is at least one."""
        if statistic == "Sum":
            return self.sum
        if statistic == "Average":
            return self.sum / self.count
        return {"SampleCount": self.count, "Minimum": self.minimum, "Maximum": self.maximum}[statistic]


class Series:
    """The data published to one metric, by the minute."""

    def __init__(self) -> None:
        self.minutes: dict[int, StatisticSet] = {}
        self.newest = -1
        """The last minute with a value."""

    def add(self, value: float, time: float) -> None:
        """Takes in one value, published at `time` (seconds since the epoch)."""
        minute = int(time // MINUTE)
        found = self.minutes.get(minute)
        if found is None:
            found = self.minutes[minute] = StatisticSet()
            self.newest = max(self.newest, minute)
        found.add(value)


def datapoints(rule: AlarmRule, series: Sequence[Series], at: float) -> list[float | None]:
    """The datapoints of a rule's evaluation range over some series taken together, oldest first.

    Args:
        rule: the alarm's rule.
        series: of one metric, or of several that a query takes together.
        at: when the alarm is evaluated, in seconds since the epoch; the period that holds it is the newest.

    Returns None where nothing was published.
    """
    newest = math.floor(at / rule.period)
    slots = range(newest - points_of_range(rule) + 1, newest + 1)
    if rule.period == MINUTE and len(series) == 1:  # nearly every alarm: nothing to take together
        if series[0].newest < slots[0]:
            return [None] * len(slots)
        kept = [series[0].minutes.get(slot) for slot in slots]
        return [None if found is None else found.value(rule.statistic) for found in kept]
    points: list[float | None] = []
    for slot in slots:
        # The minutes that begin in the period.
        first, end = -(-slot * rule.period // MINUTE), -(-(slot + 1) * rule.period // MINUTE)
        merged = StatisticSet()
        for one in series:
            for minute in range(first, end):
                if (found := one.minutes.get(minute)) is not None:
                    merged.merge(found)
        points.append(merged.value(rule.statistic) if merged.count else None)
    return points


class Metrics:
    """Every metric of an account and region."""

    def __init__(self) -> None:
        self._series: dict[MetricKey, Series] = {}

    def put(self, key: MetricKey, value: float, time: float) -> None:
        """Publishes one value at `time` (seconds since the epoch)."""
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series()
        series.add(value, time)

    def series(self, key: MetricKey) -> Series:
        """A metric's values; none where nothing was published."""
        return self._series.get(key, _NOTHING)

    def sum(self, key: MetricKey) -> float:
        """All that was published to a metric, added up."""
        return math.fsum(found.sum for found in self.series(key).minutes.values())

    def named(self, namespace: str, name: str) -> Iterator[tuple[MetricKey, Series]]:
        """The metrics of a name, whatever their dimensions."""
        for key, series in self._series.items():
            if (key.namespace, key.name) == (namespace, name):
                yield key, series

    def forget(self, before: float) -> None:
        """Deletes data published before a moment, as CloudWatch does after 15 days, and metrics left empty."""
        first = int(before // MINUTE)
        for key, series in list(self._series.items()):
            series.minutes = {minute: found for minute, found in series.minutes.items() if minute >= first}
            if not series.minutes:
                del self._series[key]

    def __iter__(self) -> Iterator[MetricKey]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)


_NOTHING = Series()
