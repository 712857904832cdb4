"""Replays observations against a policy in block mode, and finds the denied ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .evidence import Evidence
from .function_log import FunctionLog
from .observation import Observation
from .questions import Question, question_of

MAX_DENIED: Final = 10_000
"""Targets that are listed one by one; further ones are only counted."""


@dataclass(frozen=True)
class Denied:
    """An observed target that a policy denies.

    Attributes:
        policy: which control.
        target: of the attempt.
        evidence: how often.
        allow: the entry that would permit it; empty when none does.
    """

    policy: str
    target: str
    evidence: Evidence
    allow: str = ""


def replay(
    log: FunctionLog, decide: Callable[[Observation, Question | None], tuple[str, str]], wanted: str = "deny"
) -> list[Denied]:
    """The observed targets that a policy would deny, the most frequent first.

    Args:
        log: the observations.
        decide: the policy's action ("allow", "alert", "deny" or "unknown") on an observation, and the entry that would
            permit it. Another action leaves it out.
        wanted: the action to look for; "unknown" finds the targets that only a deployment can decide.
    """
    found: dict[tuple[str, str], list[tuple[Evidence, str]]] = {}
    further: dict[str, tuple[int, Evidence]] = {}
    """By control, the denials beyond the targets that are listed one by one."""
    for seen in log.every:
        action, allow = decide(seen, question_of(seen))
        if action != wanted:
            continue
        target = (seen.policy, seen.describe())
        if target in found or len(found) < MAX_DENIED:
            found.setdefault(target, []).append((seen.evidence, allow))
        else:
            count, before = further.get(seen.policy, (0, seen.evidence))
            further[seen.policy] = (count + 1, Evidence.of([before, seen.evidence]) if count else before)
    denied = [
        Denied(*target, Evidence.of(each for each, _ in every), next((allow for _, allow in every if allow), ""))
        for target, every in found.items()
    ]
    denied += [Denied(policy, f"{count:,} further targets", seen) for policy, (count, seen) in further.items()]
    return sorted(denied, key=lambda each: (-each.evidence.count, each.policy, each.target))
