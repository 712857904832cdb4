"""What stands beside each entry: how often and when it was needed, and who needed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Evidence:
    """How often something was seen.

    Attributes:
        count: violations, those that a line stands for included.
        first: the first time, as the lines write it (UTC).
        last: the last time.
        days: on how many days (UTC) at least.
        callers: the shared objects that made the calls.
    """

    count: int
    first: str
    last: str
    days: int = 1
    callers: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Iterable[Evidence]) -> Evidence:
        """All of it as one.

        Days are as many as any has, or as there are among the first and last times: maybe too few, never too many.
        """
        every = list(found)
        ends = {time[:10] for each in every for time in (each.first, each.last)}
        return cls(
            count=sum(each.count for each in every),
            first=min(each.first for each in every),
            last=max(each.last for each in every),
            days=max(len(ends), *(each.days for each in every)),
            callers=tuple(sorted({caller for each in every for caller in each.callers})),
        )


NOT_SEEN: Final = Evidence(0, "", "")
"""Of what is only asked about."""
