"""Observations of functions: the rows of a query, typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final, NamedTuple
from zlib import crc32

from .evidence import NOT_SEEN, Evidence
from .observation import Observation
from .rest import Rest

MAX_TARGETS: Final = 50_000
"""Targets of all functions that are kept in memory: some 80 MB. The others go to temporary files."""


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
        rest: further targets, where there are more than fit into memory: those of each control that were seen least.
        events: the shield's own, by name: `armed`, of which there is one for each cold start, `refused`, ...
        folded: by control, violations that were counted and not written: their targets are unknown.
        not_written: the same by control and mode, with the times.
        reasons: the last reason of an event that has one.
        armed: `aws`, `buckets` and `hosts` of its `armed` lines; empty where a line has none.
    """

    key: FunctionKey
    by_target: dict[tuple[str, ...], Observation] = field(default_factory=dict[tuple[str, ...], Observation])
    events: dict[str, Evidence] = field(default_factory=dict[str, Evidence])
    folded: dict[str, int] = field(default_factory=dict[str, int])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    armed: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    rest: Rest | None = field(default=None, compare=False)
    not_written: dict[tuple[str, str], Evidence] = field(default_factory=dict[tuple[str, str], Evidence])

    @property
    def observations(self) -> Collection[Observation]:
        """Its violations, each target once, without the rest."""
        return self.by_target.values()

    @property
    def every(self) -> Iterator[Observation]:
        """Its violations, with the rest."""
        return chain(self.by_target.values(), self.rest or ())

    def keep(self, most: int) -> None:
        """Keeps so many targets of each control in memory, those seen most often, and puts the others into the rest.

        Raises:
            TableError: the temporary file cannot be written.
        """
        by_policy: dict[str, list[Observation]] = {}
        for each in self.by_target.values():
            by_policy.setdefault(each.policy, []).append(each)
        for seen in by_policy.values():
            if len(seen) > most:
                # Of equal counts, not those that stand first in the alphabet.
                seen.sort(key=lambda each: (-each.evidence.count, crc32(repr(each.target).encode())))
                self.rest = self.rest or Rest()
                self.rest.add(seen[most:])
                for each in seen[most:]:
                    del self.by_target[each.target]

    def add(self, new: Observation) -> None:
        """Adds observations; those of a known target, to its record."""
        known = self.by_target.get(new.target)
        if known is not None:
            new = replace(known, evidence=Evidence.of((known.evidence, new.evidence)))
        self.by_target[new.target] = new

    def add_event(self, name: str, evidence: Evidence) -> None:
        """Adds events of the shield."""
        known = self.events.get(name)
        self.events[name] = evidence if known is None else Evidence.of((known, evidence))

    def add_not_written(self, policy: str, mode: str, evidence: Evidence) -> None:
        """Adds violations that were counted and not written."""
        known = self.not_written.get((policy, mode))
        self.not_written[policy, mode] = evidence if known is None else Evidence.of((known, evidence))

    @property
    def cold_starts(self) -> int:
        """How often the shield armed."""
        return self.events["armed"].count if "armed" in self.events else 0

    @property
    def days(self) -> int:
        """On how many days at least there was a line."""
        return self.evidence.days

    @property
    def evidence(self) -> Evidence:
        """All of it; `NOT_SEEN` where nothing was."""
        seen = [each.evidence for each in self.observations] + list(self.events.values())
        return Evidence.of(seen) if seen else NOT_SEEN

    @property
    def modes(self) -> set[str]:
        """The modes in which something was reported."""
        rest = {mode for _, mode in self.rest.shares} if self.rest else set[str]()
        return {each.mode for each in self.observations} | rest


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
            TableError: the temporary file cannot be written.
        """
        while sum(len(log.by_target) for log in self.functions.values()) > most:
            counts = Counter((log.key, each.policy) for log in self.functions.values() for each in log.observations)
            limit = max(counts.values()) // 2
            for log in self.functions.values():
                log.keep(limit)
