"""The entry of a list that admits one target and nothing else, whatever a forged line holds."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from shielded_function_monitoring.frames import Chain

from .observation import Observation
from .questions import Question, admits, decide, question_of

_SETTINGS: Final = {
    **dict.fromkeys(("connect", "udp", "resolve"), "SHIELD_ALLOW_OUTBOUND"),
    "tmp": "SHIELD_ALLOW_TMP",
    **dict.fromkeys(("exec", "exec-static"), "SHIELD_ALLOW_CHILD_PROCESS"),
    "memory": "SHIELD_ALLOW_EXECUTABLE_MEMORY",
}
_NOTHING: Final = "SHIELD_ALLOW_AWS=none\n"
_PLAIN: Final = re.compile(r"/tmp/[A-Za-z0-9_./-]+", re.ASCII)
"""A path that a list cannot read as anything else."""
_BY: Final = " by "


@lru_cache(maxsize=65536)
def entry_for(question: Question) -> str:
    """The entry that would admit it, as the core words it; empty when none would, or the target is malformed.

    It was tried: a policy with this entry alone admits the target. A text that a list would read as something else,
    with a space at its end or the end of a line in it, has no entry.
    """
    decision = decide(_NOTHING, question)
    entry = decision.allow if decision and decision.allow.isprintable() else ""
    if not entry or (question.event == "tmp" and entry == question.target and _PLAIN.fullmatch(entry)):
        return entry
    return entry if admits(f"{_NOTHING}{_SETTINGS[question.event]}={entry}\n", question) else ""


@lru_cache(maxsize=65536)
def entry_by(entry: str, packages: str) -> str:
    """The entry of a host with packages behind it, `requests>app or boto3`; as it is where it does not take them."""
    value = f"{entry}{_BY}{packages}"
    if "," in packages or not packages.isprintable():  # a forged line: it would be another entry
        return entry
    is_taken = decide(f"{_NOTHING}SHIELD_ALLOW_OUTBOUND={value}\n", Question("resolve", "example.com")) is not None
    return value if is_taken else entry


def is_by_others(seen: Observation) -> bool:
    """Whether the call is allowed, and came through other packages than its entry names."""
    return seen.policy == "outbound_connectivity" and _BY in seen.allow


def entry_of(seen: Observation, chain: Chain = ()) -> str:
    """The entry that would admit the attempt; empty when none would, as where `deny_outbound` refused it.

    A line has one itself (`allow`), which any writer of the log can forge: this one comes from the attempt. Its
    packages are the chain's, or the line's where that is not known.
    """
    question = question_of(seen)
    entry = entry_for(question) if question and not seen.denied else ""
    if not (entry and is_by_others(seen)):
        return entry
    return entry_by(entry, ">".join(chain) or seen.allow.partition(_BY)[2])
