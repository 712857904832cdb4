"""The evidence for each entry: how often and when it was needed, and by which code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from shielded_function_monitoring.frames import Chain, chain_text


@dataclass(frozen=True)
class PackageCount:
    """How often one chain of packages did something.

    Attributes:
        count: violations.
        through: the packages, from the one that made the call outward; empty where the lines do not tell.
    """

    count: int
    through: Chain = ()


@dataclass(frozen=True)
class Evidence:
    """How often something was seen.

    Attributes:
        count: violations, those that a line stands for included.
        first: the first time, as the lines write it (UTC).
        last: the last time.
        days: on how many days (UTC) at least.
        callers: the shared objects that made the calls.
        packages: the packages that made them, the most frequent first; one item stands for all unknown ones.
        first_version: the function's version the first time, where the lines tell; `last_version`: the last time.
        place: the line of the function's own code that did it last, `/var/task/app.py:73`, where the lines tell.
        starts: two of the starts that it was seen in, or the only one: log streams, or times of `armed` lines.
        pid: the process that did it last; 0 where it is not known.
        severity: the severity in its last line, where the lines tell.
    """

    count: int
    first: str
    last: str
    days: int = 1
    callers: tuple[str, ...] = ()
    packages: tuple[PackageCount, ...] = ()
    first_version: str = ""
    last_version: str = ""
    place: str = ""
    starts: tuple[str, ...] = ()
    pid: int = 0
    severity: str = field(default="", compare=False)

    @property
    def chains(self) -> list[str]:
        """The known packages, as text."""
        return [chain_text(each.through) for each in self.packages if each.through]

    @property
    def who(self) -> str:
        """The packages; where none is known, the shared objects."""
        return ", ".join(self.chains or self.callers)

    @property
    def when(self) -> str:
        """`2026-11-18 to 2026-11-24`."""
        first, last = self.first[:10], self.last[:10]
        return first if first == last else f"{first} to {last}"

    @property
    def summary(self) -> str:
        """`412 times on 6 days, 2026-11-18 to 2026-11-24, by _socket.so, for app > requests > urllib3`."""
        by = f", by {', '.join(self.callers)}" if self.callers else ""
        through = f", for {', '.join(self.chains)}" if self.chains else ""
        return f"{times(self.count, 'time')} on {times(self.days, 'day')}, {self.when}{by}{through}"

    @classmethod
    def of(cls, found: Iterable[Evidence]) -> Evidence:
        """The sum of all evidence.

        Days are the largest number of any, or of different first and last days: maybe too few, never too many.
        """
        every = sorted(found, key=lambda each: each.last, reverse=True)
        if len(every) == 1:
            return every[0]
        counts: Counter[Chain] = Counter()
        for part in (part for each in every for part in each.packages):
            counts[part.through] += part.count
        packages = (PackageCount(count, through) for through, count in counts.items())
        earliest = min(every, key=lambda each: each.first)
        ends = {time[:10] for each in every for time in (each.first, each.last)}
        return cls(
            count=sum(each.count for each in every),
            first=earliest.first,
            last=every[0].last,
            days=max(len(ends), *(each.days for each in every)),
            callers=tuple(sorted({caller for each in every for caller in each.callers})),
            packages=tuple(sorted(packages, key=lambda each: (-each.count, each.through))),
            first_version=earliest.first_version,
            last_version=every[0].last_version,
            place=next((each.place for each in every if each.place), ""),
            starts=tuple(sorted({start for each in every for start in each.starts})[:2]),
            pid=every[0].pid,
            severity=next((each.severity for each in every if each.severity), ""),
        )


def times(count: int, noun: str) -> str:
    """`1 day`, `1,200 days`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def made_by_python(evidence: Evidence) -> bool:
    """Whether Python may have made the calls, by the lines; without an object, any code may have."""
    return not evidence.callers or any(
        name.startswith(("python", "libpython")) or ".cpython-" in name for name in evidence.callers
    )


NOT_SEEN: Final = Evidence(0, "", "", 0)
"""Of targets that are only asked about."""
