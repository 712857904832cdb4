"""Answers questions about the shield's lines: they are put into a table, and asked in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from .queries import AT, FIRST, LINES, NUMBER_LENGTH, TIME_LENGTH, Query, Row, as_text
from .records import Record
from .table import Table

_MOST: Final = 2**53
"""Greater numbers are no counts: they are left out, as a sum of them would be no whole number."""
_BETWEEN, _VALUE = "\x1f", "\x1e"
"""Characters between the values of a key, and in front of each; a line has the first as an escape alone."""
_HELD: Final = 20_000
"""Lines in memory that no question can tell from others, and that are one row together."""


class Lines:
    """The shield's lines, for questions that are known beforehand: only their fields are kept."""

    def __init__(self, queries: Iterable[Query]) -> None:
        """Raises ShieldError."""
        queries = list(queries)
        keys = {query.key: query.keys for query in queries if query.by}
        kept = sorted({name for query in queries for name in query.fields})
        fields = sorted({*kept, *(name for names in keys.values() for name in names)})
        self._outer = [name for name in fields if "." not in name]
        self._inner: dict[str, list[str]] = {}
        for name in fields:
            first, dot, rest = name.partition(".")
            if dot:
                self._inner.setdefault(first, []).append(rest)
        inner = (f"{first}.{rest}" for first, every in self._inner.items() for rest in every)
        place = {name: number for number, name in enumerate((*self._outer, *inner))}
        self._keys = [itemgetter(*(place[name] for name in names)) for names in keys.values()]  # each has two or more
        self._kept = itemgetter(*(place[name] for name in kept))
        self._table = Table((*keys, *kept, FIRST, AT, LINES, "count"))
        self._number = 10 ** (NUMBER_LENGTH - 1)
        # Of a time, the part that a question can tell apart.
        periods = {query.period if "period" in query.by else "1d" for query in queries}
        self._told = 10 if periods == {"1d"} else 13
        if any(not query.by for query in queries):
            self._told = TIME_LENGTH + NUMBER_LENGTH

    def add(self, records: Iterable[Record]) -> None:
        """Adds lines, in the order of the log.

        Raises:
            ShieldError: the temporary file cannot be written.
        """
        held: dict[tuple[Any, ...], list[Any]] = {}
        for record in records:
            values, at, count = self._values(record)
            key = (*values, at and at[: self._told], count)
            if (found := held.get(key)) is None:
                if len(held) == _HELD:
                    self._put(held)
                held[key] = [at, at, 1]
            else:
                found[2] += 1
                if at is not None:
                    found[:2] = min(found[0], at), max(found[1], at)
        self._put(held)

    def _put(self, held: dict[tuple[Any, ...], list[Any]]) -> None:
        """Moves lines to the table."""
        self._table.add(
            (
                *(_BETWEEN.join(["" if each is None else _VALUE + each for each in key(values)]) for key in self._keys),
                *self._kept(values),
                *times,
                values[-1],
            )
            for values, times in held.items()
        )
        held.clear()

    def rows(self, query: Query) -> Iterator[Row]:
        """The answer to one of the questions: all rows, in no order; lines with the newest first.

        Raises:
            ShieldError: the temporary file cannot be read.
        """
        keys, columns = query.keys, query.columns
        for values in self._table.select(query.sql(), [_whole(name) for name in query.functions]):
            row: Row = {}
            if keys:
                parts = zip(keys, values[0].split(_BETWEEN), strict=True)
                row = {name: part[1:] for name, part in parts if part}
                values = values[1:]
            found = zip(columns, values, strict=True)
            row |= {n: v if v.__class__ is str else as_text(v) for n, v in found if v is not None}
            yield row

    def _values(self, record: Record) -> tuple[Sequence[Any], str | None, float | None]:
        """The fields, the time with the line's number, and the count."""
        values: list[Any] = list(map(record.get, self._outer))
        for name, names in self._inner.items():
            part = record.get(name)
            if not isinstance(part, dict):
                values += [None] * len(names)
                continue
            if isinstance(through := part.get("through"), list):  # its elements are fields too: `caller.through.1`
                part = {**part, **{f"through.{number}": each for number, each in enumerate(through)}}
            values += map(part.get, names)
        # As Logs Insights shows them: booleans are numbers, and an object or an array is no value.
        values = [v if v is None or v.__class__ is str else _text(v) for v in values]
        count, time, at = record.get("count"), record.get("timestamp"), None
        self._number += 1
        if isinstance(time, str):
            time = time if len(time) == TIME_LENGTH else f"{time:{TIME_LENGTH}.{TIME_LENGTH}}"
            at = time + str(self._number)
        if not isinstance(count, int | float) or not -_MOST < count < _MOST:
            count = None
        message = record["@message"]
        if "\\u" in message or not message.isascii():
            values = [None if each is None else _whole(each) for each in values]
            at = None if at is None else _whole(at)
        return values, at, count


def _text(value: Any) -> str | None:
    return as_text(value) if isinstance(value, int | float) else None


def _whole(text: str) -> str:
    """A text without halves of surrogate pairs, which UTF-8 does not have, and without the mark between keys."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace(_BETWEEN, "\ufffd")
