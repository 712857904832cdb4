"""What was observed of functions: the rows of a query, typed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .evidence import Evidence


class FunctionKey(NamedTuple):
    """Which function. What its lines do not tell is empty."""

    function: str = ""
    region: str = ""
    account: str = ""

    def __str__(self) -> str:
        return self.function or "(a function that its lines do not name)"


@dataclass(frozen=True)
class Observation:
    """One thing that a function did against its policy, as often as it did it. What is not known is empty, or 0."""

    policy: str
    mode: str
    evidence: Evidence
    host: str = ""
    ip: str = ""
    port: int = 0
    protocol: str = ""
    sni: str = ""
    path: str = ""
    allow: str = ""

    @property
    def target(self) -> tuple[str, ...]:
        """What it is about, without who did it."""
        return (
            self.policy,
            self.mode,
            self.host,
            self.ip,
            str(self.port),
            self.protocol,
            self.sni,
            self.path,
            self.allow,
        )

    def describe(self) -> str:
        """The target in a few words: `api.stripe.com:443`, `/tmp/x`."""
        name = self.sni or self.host or self.path or self.ip
        if not name:
            return self.protocol
        if not self.port:
            return name
        return f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}"


@dataclass
class FunctionLog:
    """All that was observed of one function.

    Attributes:
        key: which.
        by_target: what it did against its policy.
        events: the shield's own, by name: `armed`, of which there is one for each cold start, `refused`, ...
        folded: by policy, violations that were counted and not written: what they were about is not known.
        with_others: by policy, the same of violations that the line of another one counts with itself.
        reasons: the last reason of an event that has one.
    """

    key: FunctionKey
    by_target: dict[tuple[str, ...], Observation] = field(default_factory=dict[tuple[str, ...], Observation])
    events: dict[str, Evidence] = field(default_factory=dict[str, Evidence])
    folded: dict[str, int] = field(default_factory=dict[str, int])
    with_others: dict[str, int] = field(default_factory=dict[str, int])
    reasons: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def observations(self) -> Collection[Observation]:
        """What it did against its policy, each target once."""
        return self.by_target.values()

    def add(self, new: Observation) -> None:
        """Adds what was observed; of the same target, to what is known of it."""
        known = self.by_target.get(new.target)
        if known is not None:
            new = replace(known, evidence=Evidence.of((known.evidence, new.evidence)))
        self.by_target[new.target] = new

    def add_event(self, name: str, evidence: Evidence) -> None:
        """Adds events of the shield."""
        known = self.events.get(name)
        self.events[name] = evidence if known is None else Evidence.of((known, evidence))

    @property
    def unknown(self) -> dict[str, int]:
        """By policy, the violations whose targets are not known: of reading the handler, only those folded.

        One line a minute stands for all reading of a file of the handler: what the others were about is known.
        """
        counts = dict(self.folded)
        for policy, count in self.with_others.items():
            if policy != "read_handler":
                counts[policy] = counts.get(policy, 0) + count
        return counts

    @property
    def cold_starts(self) -> int:
        """How often the shield armed."""
        return self.events["armed"].count if "armed" in self.events else 0

    @property
    def days(self) -> int:
        """On how many days at least there was a line."""
        seen = [each.evidence for each in self.observations] + list(self.events.values())
        return Evidence.of(seen).days if seen else 0

    @property
    def modes(self) -> set[str]:
        """The modes in which something was reported."""
        return {each.mode for each in self.observations}


@dataclass
class Observed:
    """What was observed of all functions.

    Attributes:
        functions: by key.
        malformed: lines that say they are the shield's and do not follow its schema.
        left_out: lines beyond what could be kept apart: the answer is not whole then.
    """

    functions: dict[FunctionKey, FunctionLog] = field(default_factory=dict[FunctionKey, FunctionLog])
    malformed: int = 0
    left_out: int = 0
