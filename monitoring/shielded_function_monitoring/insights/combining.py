"""Puts results together that one query gave for parts of what was asked: other log groups, or other times.

A result has 10,000 rows at most. Where one is full, its time is asked for in two halves, and the rows of a group are
made one again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from .evaluating import Row
from .query import Aggregate, Stats


def combine(stats: Stats, parts: Iterable[Iterable[Row]], apart: bool) -> list[Row]:
    """The rows of all parts, those of one group as one.

    Args:
        stats: the query's.
        parts: the results, in the order of their times.
        apart: whether no day is in two of the parts: then what `count_distinct` counted by day adds up. Otherwise the
            largest stands for them, which may be too small.
    """
    merged: dict[tuple[str | None, ...], Row] = {}
    for part in parts:
        for row in part:
            key = tuple(row.get(name) for name in stats.by)
            before = merged.get(key)
            merged[key] = row if before is None else _merge(stats.aggregates, before, row, apart)
    return list(merged.values())


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
    """A number of a result, which Insights may write as `12`, `12.0` or `1.2E7`; 0 for what is none, or infinite."""
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


# What was seen first and last goes by the times as the lines write them, which sort as they come.
_TEXTS: Final[dict[str, Callable[..., tuple[str, str]]]] = {"earliest": min, "latest": max}
_NUMBERS: Final[dict[str, Callable[[float, float], float]]] = {
    "count": lambda old, new: old + new,
    "sum": lambda old, new: old + new,
    "min": min,
    "max": max,
}
