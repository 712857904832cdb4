"""Runs a query over lines, one by one.

Nothing is left out. At most `MAX_GROUPS` groups are in memory: beyond, they go to a temporary file.

Where the guide says nothing: a line without the field of a `by` makes a group without it; aggregates pass over absent
values; `earliest` and `latest` take the value of the line with the first and the last time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Final

from .conditions import Test
from .names import SCALARS, QueryError, Record, read_field, scalar_of
from .query import Aggregate, DateFloor, Fields, Filter, Limit, Query, Sort, Stats, seconds_of
from .query_parser import parse_query
from .records import day_of_text, records, seconds_of_record
from .spilling import Spill

MAX_GROUPS: Final = 25_000
"""Groups that one evaluation keeps in memory: some 50 MB."""

Row = dict[str, str]
"""A row of a result: texts by column, as GetQueryResults has them. A column without a value is absent."""

_Step = Callable[[Record], bool]
_DAY = 86400


class Evaluation:
    """One query, fed line by line."""

    def __init__(self, query: Query, max_groups: int = MAX_GROUPS) -> None:
        """
        Args:
            query: the query.
            max_groups: how many groups are kept in memory.

        Raises:
            QueryError: the commands are in an order that is not evaluated here.
        """
        self._max_groups = max_groups
        self._spill: Spill | None = None
        self._steps: list[_Step] = []
        self._stats: Stats | None = None
        self._columns: list[tuple[str, Callable[[Record], Any]]] = []
        self._rows: list[Record] = []
        self._after: list[Sort | Limit] = []
        for command in query.commands:
            if isinstance(command, Stats):
                self._stats = command
            elif isinstance(command, (Sort, Limit)):
                self._after.append(command)
            elif self._stats or self._after:
                raise QueryError("fields and filter come before stats, sort and limit here")
            elif isinstance(command, Filter):
                self._steps.append(_filtering(command.condition.compile()))
            else:
                self._add_fields(command)
        stats = self._stats
        if stats:
            self._key = _reading_key(stats.by)
            self._aggregates = [_STATES[each.function] for each in stats.aggregates]
            self._reads = [_reading(each) for each in stats.aggregates]
            self._groups: dict[Any, list[Any]] = {}

    def _add_fields(self, command: Fields) -> None:
        for column in command.columns:
            if isinstance(column.value, DateFloor):
                self._steps.append(_adding(column.name, _flooring(seconds_of(column.value.period))))
            elif column.alias:
                self._steps.append(_adding(column.alias, read_field(column.value)))
            self._columns.append((column.name, read_field(column.name)))

    def wants(self, record: Record) -> bool:
        """Whether a line passes the filters; columns that are made on the way are added to it."""
        return all(step(record) for step in self._steps)

    def add(self, record: Record) -> None:
        """Takes one line.

        Raises:
            SpillError: there are more groups than memory holds, and the temporary file cannot be written.
        """
        for step in self._steps:
            if not step(record):
                return
        if not self._stats:
            self._rows.append({name: read(record) for name, read in self._columns})
            return
        key = self._key(record)
        states = self._groups.get(key)
        if states is None:
            if len(self._groups) >= self._max_groups:
                self._write_groups()
            states = self._groups[key] = [state() for state in self._aggregates]
        for state, read in zip(states, self._reads, strict=True):
            state.add(read(record), record)

    def rows(self) -> list[Row]:
        """The result so far."""
        return list(self.stream())

    def stream(self) -> Iterator[Row]:
        """The result so far, row by row: in memory at once only where the query sorts.

        Raises:
            SpillError: the temporary file cannot be read.
        """
        found = self._grouped() if self._stats else iter(self._rows)
        for command in self._after:
            found = islice(found, command.rows) if isinstance(command, Limit) else iter(_sorted(found, command))
        for row in found:
            yield {name: _text(value) for name, value in row.items() if value is not None}

    def _grouped(self) -> Iterator[Record]:
        assert self._stats is not None
        columns = (*self._stats.by, *(each.alias for each in self._stats.aggregates))
        for key, states in self._whole_groups():
            yield dict(zip(columns, (*key, *(state.value() for state in states)), strict=True))

    def _whole_groups(self) -> Iterator[tuple[Sequence[Any], list[Any]]]:
        if self._spill is None:
            yield from self._groups.items()
            return
        self._write_groups()
        for key, parts in self._spill.read():
            states = [state() for state in self._aggregates]
            for part in parts:
                for state, kept in zip(states, part, strict=True):
                    state.take(kept)
            yield key, states

    def _write_groups(self) -> None:
        """Puts the groups that are in memory into the temporary file."""
        if self._spill is None:
            self._spill = Spill()
        self._spill.write((key, [state.keep() for state in states]) for key, states in self._groups.items())
        self._groups.clear()


def evaluate(query: Query, lines: Iterable[str]) -> list[Row]:
    """The rows of a query over the shield's lines among those of a log."""
    evaluation = Evaluation(query)
    for record in records(lines):
        evaluation.add(record)
    return evaluation.rows()


def evaluate_text(text: str, lines: Iterable[str]) -> list[Row]:
    """The same for the text of a query.

    Raises:
        QueryError: it is not in the subset that is evaluated here.
    """
    return evaluate(parse_query(text), lines)


def _filtering(test: Test) -> _Step:
    return test


def _adding(name: str, read: Callable[[Record], Any]) -> _Step:
    def add(record: Record) -> bool:
        record[name] = read(record)
        return True

    return add


def _flooring(period: int) -> Callable[[Record], Any]:
    """The beginning of a period as `2026-11-24 13:00:00.000`."""
    kept: dict[str, str | None] = {}

    def floor(record: Record) -> str | None:
        at = record.get("@timestamp")
        text = record.get("timestamp")
        if at is None and period == _DAY and text.__class__ is str and len(text) == 27:  # pyright: ignore[reportArgumentType]
            day = text[:10]  # pyright: ignore[reportOptionalSubscript]
            if day not in kept:
                known = day_of_text(day)
                kept[day] = None if known is None else f"{known} 00:00:00.000"
            return kept[day]
        seconds = seconds_of_record(record)
        if seconds is None:
            return None
        begun = datetime.fromtimestamp(seconds // period * period, timezone.utc)
        return begun.strftime("%Y-%m-%d %H:%M:%S.000")

    return floor


def _reading_key(by: tuple[str, ...]) -> Callable[[Record], tuple[Any, ...]]:
    # Like read_field, with a call for the deepest fields only: most of the time is spent here.
    paths = [(name, "", None) if name.startswith("@") else _path(name) for name in by]

    def key(record: Record) -> tuple[Any, ...]:
        found = []
        for first, second, read in paths:
            value = record.get(first)
            if read is not None:
                value = None if value is None else read(record)
            elif second:
                value = value.get(second) if value.__class__ is dict else None  # pyright: ignore[reportOptionalMemberAccess]
            found.append(value if value.__class__ in SCALARS else scalar_of(value))
        return tuple(found)

    return key


def _path(name: str) -> tuple[str, str, Callable[[Record], Any] | None]:
    first, _, second = name.partition(".")
    return first, second, read_field(name) if "." in second or second.isdecimal() else None


def _reading(aggregate: Aggregate) -> Callable[[Record], Any]:
    return (lambda _: 1) if aggregate.field == "*" else read_field(aggregate.field)


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, (int, float)) else None


class _Count:
    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found = 0

    def add(self, value: Any, record: Record) -> None:
        if value is not None:
            self._found += 1

    def value(self) -> Any:
        return self._found

    keep = value

    def take(self, kept: int) -> None:
        self._found += kept


class _Sum:
    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: int | float = 0

    def add(self, value: Any, record: Record) -> None:
        if value.__class__ is int or value.__class__ is float:
            try:
                self._found += value
            except OverflowError:  # a forged number is too large for a float
                self._found = math.inf

    def value(self) -> Any:
        return self._found

    keep = value

    def take(self, kept: Any) -> None:
        self.add(kept, {})


class _Least:
    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: int | float | None = None

    def add(self, value: Any, record: Record) -> None:
        number = _number(value)
        if number is not None and (self._found is None or self._better(number, self._found)):
            self._found = number

    def _better(self, new: int | float, old: int | float) -> bool:
        return new < old

    def value(self) -> Any:
        return self._found

    keep = value

    def take(self, kept: Any) -> None:
        self.add(kept, {})


class _Greatest(_Least):
    __slots__ = ()

    def _better(self, new: int | float, old: int | float) -> bool:
        return new > old


class _Distinct:
    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: set[Any] = set()

    def add(self, value: Any, record: Record) -> None:
        if value is not None:
            self._found.add(value)

    def value(self) -> Any:
        return len(self._found)

    def keep(self) -> list[Any]:
        return list(self._found)

    def take(self, kept: list[Any]) -> None:
        self._found.update(kept)


class _Earliest:
    """Times are compared as the lines write them, which sorts as they come; see alert.py for their form."""

    __slots__ = ("_at", "_found")

    def __init__(self) -> None:
        self._at: Any = None
        self._found: Any = None

    def add(self, value: Any, record: Record) -> None:
        if value is None:
            return
        at = record.get("@timestamp")
        if at is None:
            at = record.get("timestamp")
            if at.__class__ is not str:
                return
        if self._at is None or (at.__class__ is self._at.__class__ and self._better(at)):
            self._at, self._found = at, value

    def _better(self, at: Any) -> bool:
        return at < self._at

    def value(self) -> Any:
        return self._found

    def keep(self) -> tuple[Any, Any]:
        return self._at, self._found

    def take(self, kept: tuple[Any, Any]) -> None:
        at, found = kept
        self.add(found, {"@timestamp": at})


class _Latest(_Earliest):
    __slots__ = ()

    def _better(self, at: Any) -> bool:
        return at >= self._at


_STATES: Final[dict[str, Callable[[], Any]]] = {
    "count": _Count,
    "sum": _Sum,
    "min": _Least,
    "max": _Greatest,
    "count_distinct": _Distinct,
    "earliest": _Earliest,
    "latest": _Latest,
}


def _sorted(rows: Iterable[Record], command: Sort) -> list[Record]:
    def key(row: Record) -> tuple[int, Any, str]:
        value = row.get(command.field)
        if isinstance(value, (int, float)):
            return (1, value, "")
        return (0, 0, "") if value is None else (2, 0, str(value))

    return sorted(rows, key=key, reverse=command.descending)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)
