"""Replays observations against a policy in block mode, and finds the denied ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .evidence import Evidence
from .observation import Observation
from .observed import FunctionLog
from .questions import Question, question_of

UNLISTED = ("read_handler", "executable_memory", "self_protection")
"""Controls without a list, or whose line names no entry: only their mode decides."""

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
    log: FunctionLog,
    decide: Callable[[Question], tuple[str, str]],
    modes: Callable[[str], str],
    wanted: str = "deny",
    is_meant: Callable[[Observation, Question | None], bool] = lambda seen, _: seen.denied,
) -> list[Denied]:
    """The observed targets that a policy would deny, the most frequent first.

    Args:
        log: the observations.
        decide: the policy's action ("allow", "alert", "deny" or "unknown") and the entry that would permit it.
        modes: the mode of a control without a list.
        wanted: the action to look for; "unknown" finds the targets that only a deployment can decide.
        is_meant: whether something is to be denied, as `deny_outbound` lists it: it is left out.
    """
    found: dict[tuple[str, str], list[tuple[Evidence, str]]] = {}
    further: dict[str, Evidence] = {}
    """By control, the denials beyond the targets that are listed one by one."""
    counts: Counter[str] = Counter()
    for seen in log.every:
        question = question_of(seen)
        if is_meant(seen, question):
            continue
        if question is not None:
            action, allow = decide(question)
        else:
            allow = ""
            action = "deny" if seen.policy not in UNLISTED or modes(seen.policy) == "block" else "allow"
        if action != wanted:
            continue
        target = (seen.policy, seen.describe())
        if target not in found and len(found) >= MAX_DENIED:
            counts[seen.policy] += 1
            before = further.get(seen.policy)
            further[seen.policy] = Evidence.of([before, seen.evidence]) if before else seen.evidence
            continue
        found.setdefault(target, []).append((seen.evidence, allow))
    every = [
        Denied(policy, target, Evidence.of(each for each, _ in seen), next((allow for _, allow in seen if allow), ""))
        for (policy, target), seen in found.items()
    ]
    every += [Denied(each, f"{counts[each]:,} further targets", seen) for each, seen in further.items()]
    return sorted(every, key=lambda each: (-each.evidence.count, each.policy, each.target))
