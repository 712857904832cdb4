"""Combines the results of one query for several log groups or several times.

A result has 10,000 rows at most. Where one is full, the query is repeated for each half of its time, and the rows of a
group are merged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from .evaluating import MAX_GROUPS, Row
from .query import Aggregate, Stats
from .spilling import Spill

_DAY: Final = 86400


class CombinedRows:
    """The results of one query for parts of a time, as one."""

    def __init__(self, stats: Stats, most: int = MAX_GROUPS) -> None:
        """
        Args:
            stats: the query's.
            most: the number of rows that are kept in memory; further ones are written to a temporary file.
        """
        self._stats = stats
        self._most = most
        self._held: list[tuple[list[str | None], list[Any]]] = []
        self._spill: Spill | None = None

    def add(self, rows: Iterable[Row], since: int = 1) -> None:
        """Adds a result.

        Args:
            rows: the result.
            since: the beginning of the result's part of the time, in seconds since the epoch. Where that is midnight,
                the days that `count_distinct` counted add up; otherwise the largest number is taken, which may be too
                small.

        Raises:
            SpillError: the temporary file cannot be written.
        """
        for row in rows:
            told = {name: value for name, value in row.items() if name not in self._stats.by}
            self._held.append(([row.get(name) for name in self._stats.by], [since, told]))
            if len(self._held) >= self._most:
                self._write()

    def stream(self) -> Iterator[Row]:
        """The rows, one for each group.

        Raises:
            SpillError: the temporary file cannot be read.
        """
        for key, parts in self._groups():
            named = {name: value for name, value in zip(self._stats.by, key, strict=True) if value is not None}
            merged: Row | None = None
            for since, told in sorted(parts, key=itemgetter(0)):
                merged = told if merged is None else _merge(self._stats.aggregates, merged, told, since % _DAY == 0)
            yield {**named, **(merged or {})}

    def _groups(self) -> Iterator[tuple[list[Any], list[Any]]]:
        if self._spill is not None:
            self._write()
            yield from self._spill.read()
            return
        found: dict[tuple[str | None, ...], list[Any]] = {}
        for key, part in self._held:
            found.setdefault(tuple(key), []).append(part)
        for key, parts in found.items():
            yield list(key), parts

    def _write(self) -> None:
        self._spill = self._spill or Spill()
        self._spill.write(self._held)
        self._held.clear()


def _merge(aggregates: tuple[Aggregate, ...], before: Row, after: Row, apart: bool) -> Row:
    row = dict(before)
    for each in aggregates:
        old, new = before.get(each.alias), after.get(each.alias)
        if old is None or new is None:
            found = new if old is None else old
        elif each.function in _TEXTS:
            at = next(
                (a.alias for a in aggregates if (a.function, a.field) == (each.function, "timestamp")), each.alias
            )
            found = _TEXTS[each.function]((before.get(at, ""), old), (after.get(at, ""), new))[1]
        else:
            name = each.function if each.function != "count_distinct" else ("sum" if apart else "max")
            found = _written(_NUMBERS[name](number_of(old), number_of(new)))
        if found is not None:
            row[each.alias] = found
    return row


def number_of(text: str) -> float:
    """A number of a result, which Insights may write as `12`, `12.0` or `1.2E7`; 0 where it is none, or infinite."""
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


# First and last are decided by the lines' times as texts, which sort chronologically.
_TEXTS: Final[dict[str, Callable[..., tuple[str, str]]]] = {"earliest": min, "latest": max}
_NUMBERS: Final[dict[str, Callable[[float, float], float]]] = {
    "count": lambda old, new: old + new,
    "sum": lambda old, new: old + new,
    "min": min,
    "max": max,
}
