"""The outcome of an observation: an entry, an offer, or a decision that a person has to take."""

from __future__ import annotations

from dataclasses import dataclass

from .evidence import Evidence


@dataclass(frozen=True)
class LearnedEntry:
    """An entry that the policy needs.

    Attributes:
        field: of ShieldPolicy: allow_outbound, allow_aws, allow_buckets, allow_tmp or allow_child_process.
        value: the entry.
        evidence: how often it was needed.
        note: a remark on it, or empty.
    """

    field: str
    value: str
    evidence: Evidence
    note: str = ""


@dataclass(frozen=True)
class LearnedPreset:
    """A preset that takes the place of entries.

    Attributes:
        name: of ShieldPolicy(presets=[...]).
        evidence: of all that it settles.
        settles: the targets that it lets through, each once.
        why: the purpose of the library.
    """

    name: str
    evidence: Evidence
    settles: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Offer:
    """An entry with a wildcard, which the user has to choose.

    Attributes:
        field: of ShieldPolicy.
        value: the entry.
        evidence: of all that it would cover.
        covers: how many different names or paths were seen of those that it would cover.
        examples: some of them.
        why: why they are not listed one by one.
    """

    field: str
    value: str
    evidence: Evidence
    covers: int
    examples: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Finding:
    """A target that becomes no entry by itself: a person decides.

    Attributes:
        rule: which kind, such as `metadata-address`: a key of `suspects.RULES`.
        target: of the attempt.
        policy: the violated control.
        evidence: how often.
        reason: why it becomes no entry, and the choices.
        field: the field that an entry would go to; empty when no entry permits it.
        value: that entry; for a mode, the mode.
    """

    rule: str
    target: str
    policy: str
    evidence: Evidence
    reason: str
    field: str = ""
    value: str = ""
