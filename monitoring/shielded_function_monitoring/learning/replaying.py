"""Plays what was observed against a policy in block mode: what would still be denied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .evidence import Evidence
from .observed import FunctionLog
from .questions import Question, question_of

UNLISTED = ("read_handler", "executable_memory", "self_protection")
"""Policies without a list, or whose line names no entry: only their mode says what becomes of it."""


@dataclass(frozen=True)
class Denied:
    """Something that was observed, and that a policy denies.

    Attributes:
        policy: which policy.
        target: what was attempted.
        evidence: how often.
        allow: the entry that would permit it; empty when none does.
    """

    policy: str
    target: str
    evidence: Evidence
    allow: str = ""


def replay(
    log: FunctionLog,
    decide: Callable[[Question], tuple[str, str]],
    modes: Callable[[str], str],
    wanted: str = "deny",
) -> list[Denied]:
    """What a policy would deny of all that was observed, the most frequent first.

    Args:
        log: what was observed.
        decide: the policy's action ("allow", "alert", "deny" or "unknown") and the entry that would permit it.
        modes: the mode of a policy without a list.
        wanted: the action to look for; "unknown" finds what only a deployment can tell.
    """
    found: dict[tuple[str, str], list[tuple[Evidence, str]]] = {}
    for seen in log.observations:
        question = question_of(seen)
        if question is not None:
            action, allow = decide(question)
        else:
            allow = ""
            action = "deny" if seen.policy not in UNLISTED or modes(seen.policy) == "block" else "allow"
        if action == wanted:
            found.setdefault((seen.policy, seen.describe()), []).append((seen.evidence, allow))
    every = [
        Denied(policy, target, Evidence.of(each for each, _ in seen), next((allow for _, allow in seen if allow), ""))
        for (policy, target), seen in found.items()
    ]
    return sorted(every, key=lambda each: (-each.evidence.count, each.policy, each.target))
