"""Metrics Insights queries, as alarms use them: one number a period for each group of metrics.

    >>> query = parse_query('SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName) '
    ...                     "GROUP BY FunctionName ORDER BY SUM() DESC")
    >>> query.function, query.metric, query.schema, query.group_by
    ('SUM', 'Violations', ('FunctionName',), ('FunctionName',))

Syntax: "Metrics Insights query components and syntax" in the CloudWatch user guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html). The
subset: one SELECT, FROM a namespace or SCHEMA, WHERE with = and != joined by AND, GROUP BY, ORDER BY, LIMIT. All else
is an error that says where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from ..alarm import Statistic
from ..errors import ShieldError
from .metrics import MetricKey, Metrics, Series

MAX_METRICS: Final = 10_000
"""Metrics that a query reads; the rest is left out."""
MAX_SERIES: Final = 500
"""Time series that a query returns.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-limits.html"""
HOURS: Final = 3
"""Hours of the past that an alarm's query reads."""

Function = Literal["AVG", "COUNT", "MAX", "MIN", "SUM"]
_STATISTICS: Final[dict[Function, Statistic]] = {
    "AVG": "Average",
    "COUNT": "SampleCount",
    "MAX": "Maximum",
    "MIN": "Minimum",
    "SUM": "Sum",
}
_KEYWORDS: Final = ("SELECT", "FROM", "SCHEMA", "WHERE", "AND", "GROUP", "BY", "ORDER", "ASC", "DESC", "LIMIT")
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>\d+)|"(?P<quoted>(?:[^"\\]|\\.)+)"
       |'(?P<text>(?:[^'\\]|\\.)*)'|(?P<sign>!=|[=(),]))""",
    re.VERBOSE,
)


class QueryError(ShieldError):
    """Not a Metrics Insights query, or one outside the subset kept here; the message says where."""


@dataclass(frozen=True)
class Condition:
    """`FunctionName != 'legacy'`. A metric without the dimension never meets it."""

    dimension: str
    equal: bool
    value: str

    def holds(self, dimensions: dict[str, str]) -> bool:
        """Whether a metric's dimensions meet it."""
        found = dimensions.get(self.dimension)
        return found is not None and (found == self.value) is self.equal


@dataclass(frozen=True)
class MetricsQuery:
    """A query.

    Attributes:
        function: the statistic of a period's values.
        metric: the metric's name.
        namespace: the metric's namespace.
        schema: exactly these dimensions a metric must have; None: any.
        where: the conditions on its dimensions.
        group_by: one time series for each combination of these dimensions' values; none: one for all.
        descending: ORDER BY ... DESC, ASC, or None without ORDER BY.
        limit: how many time series at most.
    """

    function: Function
    metric: str
    namespace: str
    schema: tuple[str, ...] | None = None
    where: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    descending: bool | None = None
    limit: int | None = None

    @property
    def statistic(self) -> Statistic:
        """The statistic of a period, by the name that alarms use."""
        return _STATISTICS[self.function]

    def could_take(self, key: MetricKey) -> bool:
        """Whether it reads metrics of this name with dimensions of these names, whatever their values."""
        dimensions = {name for name, _ in key.dimensions}
        return (
            (key.namespace, key.name) == (self.namespace, self.metric)
            and (self.schema is None or dimensions == set(self.schema))
            and dimensions >= {*self.group_by, *(condition.dimension for condition in self.where)}
        )

    def takes(self, key: MetricKey) -> bool:
        """Whether it reads this metric."""
        dimensions = dict(key.dimensions)
        return self.could_take(key) and all(condition.holds(dimensions) for condition in self.where)

    def groups(self, metrics: Metrics, since: float) -> dict[tuple[str, ...], list[Series]]:
        """The series of each group that has published something since a moment (seconds since the epoch)."""
        first = since // 60
        found: dict[tuple[str, ...], list[Series]] = {}
        taken = 0
        for key, series in metrics.named(self.namespace, self.metric):
            if series.newest < first or not self.takes(key):
                continue
            taken += 1
            if taken > MAX_METRICS:
                break
            dimensions = dict(key.dimensions)
            found.setdefault(tuple(dimensions[name] for name in self.group_by), []).append(series)
        return found


def parse_query(text: str) -> MetricsQuery:
    """Reads a query.

    Raises:
        QueryError: it is not one of the subset kept here.
    """
    return _Reader(text).query()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split(text))
        self._at = 0

    @staticmethod
    def _split(text: str) -> Iterator[tuple[str, str]]:
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise QueryError(f"query, character {position + 1}: {text[position : position + 20]!r} cannot be read")
            kind = cast(str, match.lastgroup)
            found = match[kind]
            if kind in ("quoted", "text"):
                found = re.sub(r"\\(.)", r"\1", found)
            yield kind, found
            position = match.end()

    def _fail(self, wanted: str) -> QueryError:
        found = self._tokens[self._at][1] if self._at < len(self._tokens) else "the end"
        return QueryError(f"query: expected {wanted}, found {found}: {self._text}")

    def _keyword(self, *words: str) -> bool:
        """Takes these keywords, if they are next."""
        following = self._tokens[self._at : self._at + len(words)]
        if [(kind, found.upper()) for kind, found in following] != [("word", word) for word in words]:
            return False
        self._at += len(words)
        return True

    def _need(self, *words: str) -> None:
        if not self._keyword(*words):
            raise self._fail(" ".join(words))

    def _sign(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False

    def _need_sign(self, sign: str) -> None:
        if not self._sign(sign):
            raise self._fail(sign)

    def _take(self, wanted: str, *kinds: str) -> str:
        if self._at < len(self._tokens):
            kind, found = self._tokens[self._at]
            if kind in kinds and not (kind == "word" and found.upper() in _KEYWORDS):
                self._at += 1
                return found
        raise self._fail(wanted)

    def _name(self, wanted: str) -> str:
        return self._take(wanted, "word", "quoted")

    def _names(self, wanted: str) -> tuple[str, ...]:
        names = [self._name(wanted)]
        while self._sign(","):
            names.append(self._name(wanted))
        return tuple(names)

    def _function(self) -> Function:
        name = self._name("a function").upper()
        if name not in get_args(Function):
            raise QueryError(f"query: {name} is not one of {', '.join(get_args(Function))}: {self._text}")
        return cast(Function, name)

    def query(self) -> MetricsQuery:
        self._need("SELECT")
        function = self._function()
        self._need_sign("(")
        metric = self._name("a metric")
        self._need_sign(")")
        self._need("FROM")
        namespace, schema = self._source()
        where = self._where() if self._keyword("WHERE") else ()
        group_by = self._names("a dimension") if self._keyword("GROUP", "BY") else ()
        descending = self._order(function) if self._keyword("ORDER", "BY") else None
        limit = int(self._take("a number", "number")) if self._keyword("LIMIT") else None
        if self._at != len(self._tokens):
            raise self._fail("the end")
        if schema is not None and (missing := sorted(set(group_by) - set(schema))):
            raise QueryError(f"query: GROUP BY {', '.join(missing)}: not in SCHEMA: {self._text}")
        return MetricsQuery(function, metric, namespace, schema, where, group_by, descending, limit)

    def _source(self) -> tuple[str, tuple[str, ...] | None]:
        if not self._keyword("SCHEMA"):
            return self._name("a namespace or SCHEMA"), None
        self._need_sign("(")
        namespace = self._name("a namespace")
        schema = self._names("a dimension") if self._sign(",") else ()
        self._need_sign(")")
        return namespace, schema

    def _where(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._keyword("AND"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        dimension = self._name("a dimension")
        equal = self._sign("=")
        if not equal:
            self._need_sign("!=")
        return Condition(dimension, equal, self._take("a text in ''", "text"))

    def _order(self, function: Function) -> bool:
        if (ordered := self._function()) != function:
            raise QueryError(f"query: ORDER BY {ordered}() beside SELECT {function}() is not read here: {self._text}")
        self._need_sign("(")
        self._need_sign(")")
        return self._keyword("DESC") or not (self._keyword("ASC") or True)
