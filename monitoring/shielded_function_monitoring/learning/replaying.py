"""Replays observations against a policy in block mode, and finds the denied ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .evidence import Evidence
from .function_log import FunctionLog
from .observation import Observation
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
    further: dict[str, tuple[int, Evidence]] = {}
    """By control, the denials beyond the targets that are listed one by one."""
    for seen in log.every:
        question = question_of(seen)
        if is_meant(seen, question):
            continue
        if question is not None:
            action, allow = decide(question)
        else:
            is_denied = seen.policy not in UNLISTED or modes(seen.policy) == "block"
            action, allow = "deny" if is_denied else "allow", ""
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
