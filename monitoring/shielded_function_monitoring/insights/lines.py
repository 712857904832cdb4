"""Answers questions about the shield's lines: they are put into a table, and asked in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from .queries import AT, NUMBER_LENGTH, TIME_LENGTH, Query, Row, as_text
from .records import Record
from .table import Table

_MOST: Final = 2**53
"""Greater numbers are no counts: they are left out, as a sum of them would be no whole number."""


class Lines:
    """The shield's lines, for questions that are known beforehand: only their fields are kept."""

    def __init__(self, queries: Iterable[Query]) -> None:
        """Raises ShieldError."""
        fields = sorted({name for query in queries for name in query.fields} - {"count"})
        self._outer = [name for name in fields if "." not in name]
        self._inner: dict[str, list[str]] = {}
        for name in fields:
            first, dot, rest = name.partition(".")
            if dot:
                self._inner.setdefault(first, []).append(rest)
        inner = (f"{first}.{rest}" for first, every in self._inner.items() for rest in every)
        self._table = Table((*self._outer, *inner, AT, "count"))
        self._number = 10 ** (NUMBER_LENGTH - 1)

    def add(self, records: Iterable[Record]) -> None:
        """Adds lines, in the order of the log.

        Raises:
            ShieldError: the temporary file cannot be written.
        """
        self._table.add(map(self._values, records))

    def rows(self, query: Query) -> Iterator[Row]:
        """The answer to one of the questions: all rows, in no order; lines with the newest first.

        Raises:
            ShieldError: the temporary file cannot be read.
        """
        columns = query.columns
        for values in self._table.select(query.sql(), [_whole(name) for name in query.functions]):
            yield {
                name: value if value.__class__ is str else as_text(value)
                for name, value in zip(columns, values, strict=True)
                if value is not None
            }

    def _values(self, record: Record) -> Sequence[Any]:
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
        values = [v if v.__class__ is str else as_text(v) if isinstance(v, int | float) else None for v in values]
        count, time, at = record.get("count"), record.get("timestamp"), None
        self._number += 1
        if isinstance(time, str):
            time = time if len(time) == TIME_LENGTH else f"{time:{TIME_LENGTH}.{TIME_LENGTH}}"
            at = time + str(self._number)
        if not isinstance(count, int | float) or not -_MOST < count < _MOST:
            count = None
        values.append(at)
        message = record["@message"]
        if "\\u" in message or not message.isascii():
            values = [None if each is None else _whole(each) for each in values]
        values.append(count)
        return values


def _whole(text: str) -> str:
    """A text without halves of surrogate pairs, which UTF-8 does not have."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
