"""Plays what was observed against a policy in block mode: what would still be denied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .evidence import Evidence
from .observed import FunctionLog
from .questions import Question, question_of

UNLISTED = ("read_handler", "executable_memory", "self_protection")
"""Policies without a list: only their mode says what becomes of it."""


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
    log: FunctionLog, decide: Callable[[Question], tuple[str, str]], modes: Callable[[str], str]
) -> list[Denied]:
    """What a policy would deny of all that was observed, the most frequent first.

    Args:
        log: what was observed.
        decide: the policy's action ("allow", "alert", "deny" or "unknown") and the entry that would permit it.
        modes: the mode of a policy without a list.
    """
    found: dict[tuple[str, str], list[tuple[Evidence, str]]] = {}
    for seen in log.observations:
        question = question_of(seen)
        if question is not None:
            action, allow = decide(question)
            denied = action == "deny"
        else:
            allow = ""
            denied = seen.policy not in UNLISTED or modes(seen.policy) == "block"
        if denied:
            found.setdefault((seen.policy, seen.describe()), []).append((seen.evidence, allow))
    every = [
        Denied(policy, target, Evidence.of(each for each, _ in seen), next((allow for _, allow in seen if allow), ""))
        for (policy, target), seen in found.items()
    ]
    return sorted(every, key=lambda each: (-each.evidence.count, each.policy, each.target))
