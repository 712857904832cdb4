"""Outcomes of tests, and where those of two runs differ. Nothing is run here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# From harmless to bad: a test that says several things (one for each subtest) counts as the worst of them.
_SEVERITY = ("did not run", "skipped", "passed", "failed as expected", "passed unexpectedly", "failed", "error")
# What an alert may be about; a `folded` line tells of those that were left out.
ALERTS = (
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "read_handler",
    "executable_memory",
    "self_protection",
    "folded",
)
DID_NOT_RUN, DID_NOT_END = "did not run", "did not end"
UNSHIELDED = "unshielded"  # the mode without the shield
_WORST = (*_SEVERITY, DID_NOT_END)
BAD = ("failed", "error", "passed unexpectedly", DID_NOT_END)


@dataclass
class Run:
    """One module in one mode: each test's outcome and what is behind it. `starts` programs were started for it."""

    outcomes: dict[str, str] = field(default_factory=dict[str, str])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0
    status: int = 0
    output: str = ""
    events: Counter[str] = field(default_factory=Counter[str])
    starts: int = 1

    def of(self, test: str) -> str:
        """The outcome of one test."""
        return self.outcomes.get(test, DID_NOT_RUN)

    @property
    def alerts(self) -> Counter[str]:
        """The shield's lines that are about a violation, by policy."""
        return Counter({event: count for event, count in self.events.items() if event in ALERTS})

    @property
    def failures(self) -> list[str]:
        """The tests that failed, in whatever way."""
        return sorted(test for test, outcome in self.outcomes.items() if outcome in BAD)


def read_record(lines: Iterable[str]) -> Run:
    """What record.py wrote."""
    run = Run()
    for line in lines:
        said: dict[str, str] = json.loads(line)
        test, outcome = said["id"], said["outcome"]
        before = run.outcomes.get(test, DID_NOT_RUN)
        if before == DID_NOT_END or _WORST.index(outcome) >= _WORST.index(before):
            run.outcomes[test] = outcome
            run.texts[test] = said["text"]
    return run


@dataclass
class Difference:
    """One test whose outcome the shield seems to change: outcomes of the first run and of those that followed."""

    test: str
    unshielded: list[str]
    shielded: list[str]
    text: str = ""

    @property
    def stands(self) -> bool:
        """Whether no outcome was ever the same with the shield and without."""
        return not set(self.unshielded) & set(self.shielded)

    @property
    def is_of_note(self) -> bool:
        """False when it only fell victim to another test, which took the time or the process away."""
        return any(outcome in BAD for outcome in (*self.unshielded, *self.shielded))

    @property
    def kind(self) -> str:
        """In words, what differs."""
        before, after = self.unshielded[0], self.shielded[0]
        if after in BAD and before not in BAD:
            return "fails only shielded"
        if before in BAD and after not in BAD:
            return "fails only unshielded"
        if "skipped" in (before, after):
            return "skipped differently"
        return "ends differently"

    def __str__(self) -> str:
        return f"{self.test}: {counted(self.unshielded)} unshielded, {counted(self.shielded)} shielded"


def counted(outcomes: Iterable[str]) -> str:
    """`failed`, or `passed 2, failed 1` where they vary."""
    counts = Counter(outcomes)
    return next(iter(counts)) if len(counts) == 1 else ", ".join(f"{what} {n}" for what, n in counts.most_common())


def compare(unshielded: Run, shielded: Run) -> list[Difference]:
    """The tests whose outcomes differ, each with the text of the run in which it went worse."""
    found: list[Difference] = []
    for test in sorted({*unshielded.outcomes, *shielded.outcomes}):
        before, after = unshielded.of(test), shielded.of(test)
        if before != after:
            texts: Mapping[str, str] = shielded.texts if after in BAD or before not in BAD else unshielded.texts
            found.append(Difference(test, [before], [after], texts.get(test, "")))
    return found
