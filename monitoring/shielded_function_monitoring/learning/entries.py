"""The entry of a list that admits one thing, and nothing that its text could smuggle in."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

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


@lru_cache(maxsize=65536)
def entry_for(question: Question) -> str:
    """The entry that would admit it, as the core words it; empty when none would, or the target is malformed.

    It was tried: a policy with this entry alone admits the target. A text that a list would read as something else,
    with a space at its end or the end of a line in it, has no entry.
    """
    try:
        entry = core.parse(_NOTHING).decide(*question).allow
        if not entry or not entry.isprintable():
            return ""
        alone = core.parse(f"{_NOTHING}{_SETTINGS[question.event]}={entry}\n")
        return entry if alone.decide(*question).allowed else ""
    except (core.PolicyError, core.TargetError):
        return ""


def entry_of(seen: Observation) -> str:
    """The entry that would admit the attempt; empty when none would, as where `deny_outbound` refused it.

    A line has one itself (`allow`), which any writer of the log can forge: this one comes from the attempt.
    """
    question = question_of(seen)
    return entry_for(question) if question and not seen.denied else ""
