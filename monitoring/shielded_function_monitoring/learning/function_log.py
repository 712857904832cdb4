"""The log of each function: its observations, in memory and in a temporary file, and the shield's events."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar
from zlib import crc32

from shielded_function_monitoring.insights.table import Table

from .evidence import NOT_SEEN, Evidence
from .questions import Observation

MAX_TARGETS: Final = 50_000
"""Targets of all functions that are kept in memory: some 80 MB. The others go to temporary files."""

_AT_ONCE: Final = 500
"""Targets of one row of such a file."""

_Key = TypeVar("_Key", bound=Hashable)


class FunctionKey(NamedTuple):
    """The identity of a function. A part that its lines lack is empty."""

    function: str = ""
    region: str = ""
    account: str = ""

    def __str__(self) -> str:
        return self.function or "(a function that its lines do not name)"


@dataclass
class FunctionLog:
    """All observations of one function.

    Attributes:
        key: which.
        by_target: its violations: the targets that decide its entries.
        rest: of further targets, where there are more than fit into memory (those of each control that were seen
            least): by control and mode, how many they are, and how often and when they were seen.
        events: the shield's own, by name: `armed`, of which there is one for each cold start, `refused`, ...
        not_written: violations that were counted and not written, by control and mode: their targets are unknown.
        reasons: the last reason of an event that has one.
        armed: `aws`, `buckets` and `hosts` of its `armed` lines; empty where a line has none.
    """

    key: FunctionKey
    by_target: dict[tuple[Any, ...], Observation] = field(default_factory=dict[tuple[Any, ...], Observation])
    rest: dict[tuple[str, str], tuple[int, Evidence]] = field(default_factory=dict[Any, Any])
    _table: Table | None = field(default=None, compare=False)
    events: dict[str, Evidence] = field(default_factory=dict[str, Evidence])
    not_written: dict[tuple[str, str], Evidence] = field(default_factory=dict[tuple[str, str], Evidence])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    armed: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])

    @property
    def observations(self) -> Collection[Observation]:
        """Its violations, each target once, without the rest."""
        return self.by_target.values()

    @property
    def every(self) -> Iterator[Observation]:
        """Its violations, with the rest.

        Raises:
            ShieldError: the temporary file cannot be read.
        """
        yield from self.observations
        for (seen,) in self._table.select("SELECT seen FROM rows") if self._table else ():
            yield from pickle.loads(seen)  # no other process can write to this file

    def add(self, new: Observation) -> None:
        """Adds observations; those of a known target, to its record."""
        known = self.by_target.get(new.target)
        if known is not None:
            new = new._replace(evidence=Evidence.of((known.evidence, new.evidence)))
        self.by_target[new.target] = new

    def put_away(self, every: Sequence[Observation]) -> None:
        """Moves targets of one control to the temporary file.

        Raises:
            ShieldError: it cannot be written.
        """
        self._table = self._table or Table(("seen",))
        self._table.add((pickle.dumps(every[at : at + _AT_ONCE]),) for at in range(0, len(every), _AT_ONCE))
        for key in {(seen.policy, seen.mode) for seen in every}:
            new = [seen.evidence for seen in every if (seen.policy, seen.mode) == key]
            number, *known = self.rest.get(key, (0,))
            count = sum(each.count for each in (*known, *new))
            first, last = min(each.first for each in (*known, *new)), max(each.last for each in (*known, *new))
            self.rest[key] = (number + len(new), Evidence(count, first, last))
        for seen in every:
            del self.by_target[seen.target]

    @property
    def folded(self) -> dict[str, int]:
        """By control, violations that were counted and not written: their targets are unknown."""
        counts: dict[str, int] = {}
        for (policy, _), evidence in self.not_written.items():
            counts[policy] = counts.get(policy, 0) + evidence.count
        return counts

    @property
    def cold_starts(self) -> int:
        """How often the shield armed."""
        return self.events.get("armed", NOT_SEEN).count

    @property
    def evidence(self) -> Evidence:
        """All of it; `NOT_SEEN` where nothing was."""
        seen = [each.evidence for each in self.observations] + list(self.events.values())
        return Evidence.of(seen) if seen else NOT_SEEN


def add_to(found: dict[_Key, Evidence], key: _Key, evidence: Evidence) -> None:
    """Adds evidence to that of a key."""
    known = found.get(key)
    found[key] = evidence if known is None else Evidence.of((known, evidence))


@dataclass
class Observed:
    """The observations of all functions.

    Attributes:
        functions: by key.
        malformed: lines that say they are the shield's and do not follow its schema.
        whole: False where the logs hold more than was read.
    """

    functions: dict[FunctionKey, FunctionLog] = field(default_factory=dict[FunctionKey, FunctionLog])
    malformed: int = 0
    whole: bool = True

    def fit(self, most: int = MAX_TARGETS) -> None:
        """Keeps at most so many targets in memory: the controls with most of them give theirs to the rest first.

        Raises:
            ShieldError: the temporary file cannot be written.
        """
        logs = self.functions.values()
        while sum(len(log.by_target) for log in logs) > most:
            groups: dict[tuple[FunctionKey, str], list[Observation]] = {}
            for log in logs:
                for each in log.observations:
                    groups.setdefault((log.key, each.policy), []).append(each)
            limit = max(map(len, groups.values())) // 2
            for (key, _), seen in groups.items():
                if len(seen) > limit:
                    # Of equal counts, not those that stand first in the alphabet.
                    seen.sort(key=lambda each: (-each.evidence.count, crc32(each.describe().encode(errors="replace"))))
                    self.functions[key].put_away(seen[limit:])
