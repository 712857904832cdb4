"""A query: commands, one after the other.

>>> query = Query(
...     Filter(IsPresent("policy")),
...     Stats((Aggregate("sum", "count", "violations"),), by=("function",)),
...     Sort("violations"),
... )
>>> print(query.render())
filter ispresent(policy)
| stats sum(`count`) as violations by function
| sort violations desc
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from .conditions import Condition, IsPresent
from .names import PLAIN, QueryError, write_name

__all__ = [
    "MAX_LENGTH",
    "MAX_ROWS",
    "Aggregate",
    "Column",
    "Command",
    "DateFloor",
    "Fields",
    "Filter",
    "IsPresent",
    "Limit",
    "Query",
    "QueryError",
    "Sort",
    "Stats",
]

MAX_LENGTH: Final = 10_000
"""Characters in a query (StartQuery, `queryString`)."""
MAX_ROWS: Final = 10_000
"""Rows of a result (StartQuery, `limit`)."""

Function = Literal["count", "sum", "min", "max", "count_distinct", "earliest", "latest"]
FUNCTIONS: Final[tuple[Function, ...]] = get_args(Function)
PERIODS: Final = {"m": 60, "h": 3600, "d": 86400}
"""Seconds of a period's unit."""
_PERIOD = re.compile(r"([1-9]\d*)([mhd])")


def seconds_of(period: str) -> int:
    """The seconds of `1h`, `30m`, `1d`.

    Raises:
        QueryError: it is no period.
    """
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise QueryError(f"{period} is no period: write a number and m, h or d")
    return int(found[1]) * PERIODS[found[2]]


@dataclass(frozen=True)
class DateFloor:
    """`datefloor(@timestamp, 1d)`: the beginning of the period that a line is in, in UTC."""

    period: str

    def render(self) -> str:
        seconds_of(self.period)
        return f"datefloor(@timestamp, {self.period})"


@dataclass(frozen=True)
class Column:
    """A field to show, or a new one (`alias`) that later commands may use."""

    value: str | DateFloor
    alias: str = ""

    @property
    def name(self) -> str:
        """Its name in the result."""
        return self.alias or (self.value if isinstance(self.value, str) else self.value.render())

    def render(self) -> str:
        text = self.value.render() if isinstance(self.value, DateFloor) else write_name(self.value)
        return f"{text} as {_alias(self.alias)}" if self.alias else text


def _alias(name: str) -> str:
    if not PLAIN.fullmatch(name) or "." in name or write_name(name) != name:
        raise QueryError(f"{name!r} cannot be the name of a column")
    return name


@dataclass(frozen=True)
class Fields:
    """`fields`: columns."""

    columns: tuple[Column, ...]

    def render(self) -> str:
        return "fields " + ", ".join(each.render() for each in self.columns)


@dataclass(frozen=True)
class Filter:
    """`filter`: the lines that go on."""

    condition: Condition

    def render(self) -> str:
        return f"filter {self.condition.render()}"


@dataclass(frozen=True)
class Aggregate:
    """`sum(field) as alias`. Of `count`, the field may be `*`."""

    function: Function
    field: str
    alias: str

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise QueryError(f"{self.function} is not one of {', '.join(FUNCTIONS)}")
        if self.field == "*" and self.function != "count":
            raise QueryError(f"{self.function}(*): only count takes *")

    def render(self) -> str:
        field = "*" if self.field == "*" else write_name(self.field)
        return f"{self.function}({field}) as {_alias(self.alias)}"


@dataclass(frozen=True)
class Stats:
    """`stats`: one row for each group of lines that have the same values in `by`."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [each.alias for each in self.aggregates] + list(self.by)
        if not self.aggregates or len(set(names)) < len(names):
            raise QueryError(f"stats: give each column its own name, and at least one; found {', '.join(names)}")

    def render(self) -> str:
        text = "stats " + ", ".join(each.render() for each in self.aggregates)
        return f"{text} by {', '.join(map(write_name, self.by))}" if self.by else text


@dataclass(frozen=True)
class Sort:
    """`sort`: by one column; a number is compared as a number."""

    field: str
    descending: bool = True

    def render(self) -> str:
        return f"sort {write_name(self.field)} {'desc' if self.descending else 'asc'}"


@dataclass(frozen=True)
class Limit:
    """`limit`: how many rows at most."""

    rows: int

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= MAX_ROWS:
            raise QueryError(f"limit {self.rows}: 1 to {MAX_ROWS}")

    def render(self) -> str:
        return f"limit {self.rows}"


Command = Fields | Filter | Stats | Sort | Limit


@dataclass(frozen=True)
class Query:
    """Commands, at most one `stats` among them."""

    commands: tuple[Command, ...]

    def __init__(self, *commands: Command) -> None:
        object.__setattr__(self, "commands", commands)
        if sum(isinstance(each, Stats) for each in commands) > 1:
            raise QueryError("a query has at most one stats here")

    @property
    def stats(self) -> Stats | None:
        """Its `stats`, if it has one."""
        return next((each for each in self.commands if isinstance(each, Stats)), None)

    @property
    def limit(self) -> int:
        """How many rows it may give."""
        return next((each.rows for each in self.commands if isinstance(each, Limit)), MAX_ROWS)

    def apart_by(self, field: str) -> Query:
        """The same query, whose groups differ by one field more; without `stats`, itself."""
        return Query(
            *(replace(each, by=(*each.by, field)) if isinstance(each, Stats) else each for each in self.commands)
        )

    def unlimited(self) -> Query:
        """The same query without `sort` and `limit`: all of its groups, in any order."""
        return Query(*(each for each in self.commands if not isinstance(each, (Sort, Limit))))

    def render(self) -> str:
        """Its text, as StartQuery takes it.

        Raises:
            QueryError: it has more than 10,000 characters, or a name or value that cannot be written.
        """
        text = "\n| ".join(command.render() for command in self.commands)
        if len(text) > MAX_LENGTH:
            raise QueryError(f"the query has {len(text)} characters; Logs Insights takes {MAX_LENGTH}")
        return text

    def __str__(self) -> str:
        return self.render()
