"""Combines the results of one query for several log groups or several times.

A result has 10,000 rows at most. Where one is full, the query is repeated for each half of its time, and the rows of a
group are merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .queries import TIME_LENGTH, Aggregate, Row, as_text, number_of
from .table import Table

_DAY: Final = 86400
_WITHIN_A_DAY: Final = {"sum": "sum", "count": "sum", "count_distinct": "max", "earliest": "min", "latest": "max"}
_OF_ALL: Final = {**_WITHIN_A_DAY, "count_distinct": "sum"}


class CombinedRows:
    """The results of one query for parts of a time, as one."""

    def __init__(self, aggregates: tuple[Aggregate, ...], by: tuple[str, ...]) -> None:
        """Raises ShieldError. Of the query: its aggregates, and the fields that it groups by."""
        self._aggregates, self._by = aggregates, by
        self._times = {
            each.alias: next((a.alias for a in aggregates if (a.function, a.field) == (each.function, "timestamp")), "")
            for each in aggregates
            if each.function in ("earliest", "latest")
        }
        self._table = Table((*by, *(each.alias for each in aggregates), "begun"))

    def add(self, rows: Iterable[Row], since: int = 1) -> None:
        """Adds a result.

        Args:
            rows: the result.
            since: the beginning of the result's part of the time, in seconds since the epoch. The days that
                `count_distinct` counted add up for parts that begin on different days (UTC), as these must share no
                day; for parts that begin on the same day, the largest number is taken, which may be too small.

        Raises:
            ShieldError: the temporary file cannot be written.
        """
        self._table.add(
            (*map(row.get, self._by), *(self._value(row, each) for each in self._aggregates), since // _DAY)
            for row in rows
        )

    def stream(self) -> Iterator[Row]:
        """The rows, one for each group.

        Raises:
            ShieldError: the temporary file cannot be read.
        """
        names = [f"`{name}`" for name in self._by]
        for values in self._table.select(
            f"SELECT {', '.join([*names, *self._each(_OF_ALL)])} FROM (SELECT {', '.join(names)}"
            f"{''.join(f', {each} AS {each[4:-1]}' for each in self._each(_WITHIN_A_DAY))} FROM rows"
            f" GROUP BY {', '.join([*names, 'begun'])}) GROUP BY {', '.join(names)}"
        ):
            named = zip((*self._by, *(each.alias for each in self._aggregates)), values, strict=True)
            yield {
                name: value[TIME_LENGTH:] if name in self._times else as_text(value)
                for name, value in named
                if value is not None
            }

    def _each(self, functions: dict[str, str]) -> list[str]:
        return [f"{functions[each.function]}(`{each.alias}`)" for each in self._aggregates]

    def _value(self, row: Row, aggregate: Aggregate) -> str | float | None:
        """A number; of a first or last value, its text behind the time, so that the texts are in the times' order."""
        found = row.get(aggregate.alias)
        if found is None or aggregate.alias not in self._times:
            return found if found is None else number_of(found)
        return f"{row.get(self._times[aggregate.alias], ''):{TIME_LENGTH}.{TIME_LENGTH}}{found}"
