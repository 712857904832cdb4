"""The entry of a list that admits one target and nothing else, whatever a forged line holds."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from shielded_function_monitoring.frames import Chain
from shielded_function_runtime import core

from .observation import Observation
from .questions import Question, question_of

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
    try:
        entry = _of_nothing().decide(*question).allow
        if not entry or not entry.isprintable():
            return ""
        if question.event == "tmp" and entry == question.target and _PLAIN.fullmatch(entry):
            return entry
        alone = core.parse(f"{_NOTHING}{_SETTINGS[question.event]}={entry}\n")
        return entry if alone.decide(*question).allowed else ""
    except (core.PolicyError, core.TargetError):
        return ""


@lru_cache(maxsize=1)
def _of_nothing() -> core.Policy:
    return core.parse(_NOTHING)


@lru_cache(maxsize=65536)
def entry_by(entry: str, packages: str) -> str:
    """The entry of a host with packages behind it, `requests>app or boto3`; as it is where it does not take them."""
    value = f"{entry}{_BY}{packages}"
    try:
        if "," not in packages and packages.isprintable():  # a forged line: it would be another entry
            core.parse(f"{_NOTHING}SHIELD_ALLOW_OUTBOUND={value}\n")
            return value
    except core.PolicyError:
        pass
    return entry


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
