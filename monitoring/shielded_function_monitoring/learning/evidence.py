"""The evidence for each entry: how often and when it was needed, and by which code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shielded_function_monitoring.frames import NOT_TOLD, Chain, chain_text, outermost


@dataclass(frozen=True)
class PackageCount:
    """How often one chain of packages did something.

    Attributes:
        count: violations.
        through: the packages, from the one that made the call outward; empty where the lines do not tell.
        object: where they do not: the shared object that made the call, when known.
    """

    count: int
    through: Chain = ()
    object: str = ""

    @property
    def package(self) -> str:
        """The package that it is counted for (`frames.outermost`); empty where it is not told."""
        return outermost(self.through)

    @property
    def text(self) -> str:
        """`app > requests > urllib3`, or `(not told) _socket.so`."""
        return chain_text(self.through) if self.through else f"{NOT_TOLD} {self.object}".rstrip()


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
        """The packages that are told, as text."""
        return [each.text for each in self.packages if each.through]

    @property
    def who(self) -> str:
        """The packages; where none is told, the shared objects."""
        return ", ".join(self.chains or self.callers)

    @classmethod
    def of(cls, found: Iterable[Evidence]) -> Evidence:
        """The sum of all evidence.

        Days are the largest number of any, or of different first and last days: maybe too few, never too many.
        """
        every = list(found)
        by_last = sorted(every, key=lambda each: each.last, reverse=True)
        ends = {time[:10] for each in every for time in (each.first, each.last)}
        return cls(
            count=sum(each.count for each in every),
            first=min(each.first for each in every),
            last=max(each.last for each in every),
            days=max(len(ends), *(each.days for each in every)),
            callers=tuple(sorted({caller for each in every for caller in each.callers})),
            packages=_added(part for each in every for part in each.packages),
            first_version=min(every, key=lambda each: each.first).first_version,
            last_version=by_last[0].last_version,
            place=next((each.place for each in by_last if each.place), ""),
            starts=tuple(sorted({start for each in every for start in each.starts})[:2]),
            pid=by_last[0].pid,
            severity=next((each.severity for each in by_last if each.severity), ""),
        )


def _added(parts: Iterable[PackageCount]) -> tuple[PackageCount, ...]:
    counts: dict[tuple[Chain, str], int] = {}
    for each in parts:
        key = (each.through, each.object)
        counts[key] = counts.get(key, 0) + each.count
    return _most_first(counts)


def _most_first(counts: Mapping[tuple[Chain, str], int]) -> tuple[PackageCount, ...]:
    found = [PackageCount(count, *key) for key, count in counts.items()]
    return tuple(sorted(found, key=lambda each: (-each.count, each.through, each.object)))


def made_by_python(evidence: Evidence) -> bool:
    """Whether Python may have made the calls, by the lines; without an object, any code may have."""
    return not evidence.callers or any(
        name.startswith(("python", "libpython")) or ".cpython-" in name for name in evidence.callers
    )


NOT_SEEN: Final = Evidence(0, "", "", 0)
"""Of targets that are only asked about."""
