"""The verdicts of a policy in block mode on the observed targets of a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from shielded_function.policy import ShieldPolicy
from shielded_function_monitoring.learning import Evidence, FunctionLog
from shielded_function_monitoring.learning.function_log import FunctionKey
from shielded_function_monitoring.learning.learned import Finding
from shielded_function_monitoring.learning.questions import Observation, Question, decide, place_of, question_of

from .listed_hosts import matcher

MAX_DENIED: Final = 10_000
"""Targets that are listed one by one; further ones are only counted."""
_REGION: Final = "us-east-1"
_UNLISTED: Final = ("read_handler", "executable_memory", "self_protection")
"""Controls without a list, or whose line names no entry: only their mode decides."""
_MEANT: Final = ("meant", "")


class Verdicts:
    """The verdicts of one policy about one function.

    Attributes:
        policy: the policy.
        decide: the action on a question, and the entry that would permit it.
        denies: the entry of `deny_outbound` that refuses a host; empty for none.
    """

    def __init__(self, policy: ShieldPolicy, key: FunctionKey) -> None:
        self.policy = policy
        self.decide = lru_cache(maxsize=65536)(_decider(policy, key))
        self.denies = matcher(policy.deny_outbound)

    def admits(self, question: Question) -> bool:
        """Whether it lets something through."""
        return self.decide(question)[0] == "allow"

    def replay(self, log: FunctionLog, wanted: str = "deny") -> list[Finding]:
        """The observed targets that it would deny, the most frequent first.

        Those that `deny_outbound` is meant to deny are left out.

        Args:
            log: the observations.
            wanted: the action to look for; "unknown" finds the targets that only a deployment can decide.
        """
        found: dict[tuple[str, str], list[tuple[Evidence, str]]] = {}
        further: dict[str, tuple[int, Evidence]] = {}
        """By control, the denials beyond the targets that are listed one by one."""
        for seen in log.every:
            action, allow = self._verdict(seen, question_of(seen))
            if action != wanted:
                continue
            target = (seen.policy, seen.describe())
            if target in found or len(found) < MAX_DENIED:
                found.setdefault(target, []).append((seen.evidence, allow))
            else:
                count, before = further.get(seen.policy, (0, seen.evidence))
                further[seen.policy] = (count + 1, Evidence.of([before, seen.evidence]) if count else before)
        denied = [
            Finding(
                "", next((allow for _, allow in every if allow), ""), Evidence.of(each for each, _ in every), *target
            )
            for target, every in found.items()
        ]
        denied += [
            Finding("", "", seen, policy, f"{count:,} further targets") for policy, (count, seen) in further.items()
        ]
        return sorted(denied, key=lambda each: (-each.evidence.count, each.policy, each.target))

    def _verdict(self, seen: Observation, question: Question | None) -> tuple[str, str]:
        if seen.denied or (question is not None and self.denies(question)):
            return _MEANT
        if question is not None:
            return self.decide(question)
        # An unset mode counts as block, as violations were reported.
        mode = (getattr(self.policy, seen.policy, None) or "block") if seen.policy in _UNLISTED else "block"
        return "deny" if mode == "block" else "allow", ""


def _decider(policy: ShieldPolicy, key: FunctionKey) -> Callable[[Question], tuple[str, str]]:
    policy = replace(policy, allow_aws="granted") if policy.allow_aws is None else policy
    place = place_of(key.region, key.account)
    region = key.region if "AWS_REGION" in place else _REGION
    account = key.account if "SHIELD_ACCOUNT_ID" in place else ""
    lines = place_of(region, account) + policy.to_lines() if policy.is_known else ""

    def decide_one(question: Question) -> tuple[str, str]:
        event: Any
        event, target = question
        try:
            decision = (
                decide(lines, question) if lines else policy.decide(event, target, region=region, account=account)
            )
        except ValueError:  # neither a host nor a path
            decision = None
        return (decision.action, decision.allow) if decision else ("deny", "")

    return decide_one
