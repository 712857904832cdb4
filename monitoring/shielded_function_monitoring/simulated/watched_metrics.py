"""The metrics that an alarm watches: one metric, or those of a Metrics Insights query.

    >>> query = parse_query('SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName) '
    ...                     "GROUP BY FunctionName ORDER BY SUM() DESC")
    >>> query.metric, query.schema, query.group_by
    ('Violations', ('FunctionName',), ('FunctionName',))

Syntax: "Metrics Insights query components and syntax" in the CloudWatch user guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html). Read
is the form that `filters.fleet_query` writes for alarms; another form is an error that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ..cfn.template import as_mappings
from .metrics import MetricKey, Metrics, Series, SimulationError

MAX_METRICS: Final = 10_000
"""Metrics that a query reads; the rest is left out."""
MAX_SERIES: Final = 500
"""Time series that a query returns.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-limits.html"""
HOURS: Final = 3
"""Hours of the past that an alarm's query reads."""

_NAME: Final = r'(?:[A-Za-z_]\w*|"[^"\\]+")'
_NAMES: Final = rf"{_NAME}(?:\s*,\s*{_NAME})*"
_WHERE: Final = re.compile(rf"({_NAME})\s*=\s*'([^'\\]*)'")
_QUERY: Final = re.compile(
    rf"""\s*SELECT\s+SUM\s*\(\s*(?P<metric>{_NAME})\s*\)
    \s+FROM\s+SCHEMA\s*\(\s*(?P<namespace>{_NAME})\s*(?:,\s*(?P<schema>{_NAMES})\s*)?\)
    (?:\s+WHERE\s+(?P<where>{_WHERE.pattern}(?:\s+AND\s+{_WHERE.pattern})*))?
    (?:\s+GROUP\s+BY\s+(?P<group>{_NAMES})\s+ORDER\s+BY\s+SUM\s*\(\s*\)\s+DESC)?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_FORM: Final = (
    "SELECT SUM(metric) FROM SCHEMA(\"namespace\", dimensions) WHERE dimension = 'value' AND ... GROUP BY dimensions "
    "ORDER BY SUM() DESC"
)


@dataclass(frozen=True)
class MetricsQuery:
    """A query for the sum of a metric; or one metric, as a query for all of its dimensions.

    Attributes:
        metric: the metric's name.
        namespace: the metric's namespace.
        schema: exactly these dimensions a metric must have.
        where: the values of dimensions that it must have.
        group_by: one time series for each combination of these dimensions' values; none: one for all.
    """

    metric: str
    namespace: str
    schema: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    group_by: tuple[str, ...] = ()

    @classmethod
    def of_metric(cls, written: Mapping[str, Any]) -> MetricsQuery:
        """One metric, as the properties of an alarm have it."""
        dimensions = as_mappings(written.get("Dimensions"))
        where = {str(each.get("Name")): str(each.get("Value")) for each in dimensions}
        metric, namespace = str(written.get("MetricName")), str(written.get("Namespace"))
        return cls(metric, namespace, tuple(where), tuple(sorted(where.items())))

    @cached_property
    def only(self) -> MetricKey | None:
        """The one metric that it reads; None where there may be several."""
        is_one = {name for name, _ in self.where} == set(self.schema) and not self.group_by
        return MetricKey.of(self.namespace, self.metric, dict(self.where)) if is_one else None

    def could_take(self, key: MetricKey) -> bool:
        """Whether it reads metrics of this name with dimensions of these names, whatever their values."""
        named = (key.namespace, key.name) == (self.namespace, self.metric)
        return named and {name for name, _ in key.dimensions} == set(self.schema)

    def takes(self, key: MetricKey) -> bool:
        """Whether it reads this metric."""
        return self.could_take(key) and set(self.where) <= set(key.dimensions)

    def groups(self, metrics: Metrics, since: float) -> dict[tuple[str, ...], list[Series]]:
        """The series of each group that has published something since a moment (seconds since the epoch)."""
        if only := self.only:
            return {(): [metrics.series(only)]}
        first = since // 60
        found: dict[tuple[str, ...], list[Series]] = {}
        for taken, key in enumerate(filter(self.takes, metrics)):
            series, dimensions = metrics.series(key), dict(key.dimensions)
            if taken == MAX_METRICS:
                break
            if any(minute >= first for minute in reversed(series)):
                found.setdefault(tuple(dimensions[name] for name in self.group_by), []).append(series)
        return found


def parse_query(text: str) -> MetricsQuery:
    """Reads a query.

    Raises:
        SimulationError: it is of another form.
    """
    if (found := _QUERY.fullmatch(text)) is None:
        raise SimulationError(f"Metrics: a query is read here in the form {_FORM}, not {text}")
    schema, group_by = _names(found["schema"]), _names(found["group"])
    where = tuple((_names(name)[0], value) for name, value in _WHERE.findall(found["where"] or ""))
    if missing := sorted({*group_by, *(name for name, _ in where)} - set(schema)):
        raise SimulationError(f"Metrics: {', '.join(missing)}: not in the query's SCHEMA: {text}")
    (metric,), (namespace,) = _names(found["metric"]), _names(found["namespace"])
    return MetricsQuery(metric, namespace, schema, where, group_by)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip('"') for name in re.findall(_NAME, text or ""))
