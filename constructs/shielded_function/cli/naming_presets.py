"""Finds presets that allow a violation: by the name in /tmp, the program, or the library that asked for memory.

The reader of a line computes it, as the line's `allow` has only the exact entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from shielded_function.policy import ShieldPolicy
from shielded_function.policy.presets import PRESETS
from shielded_function_monitoring.frames import Chain
from shielded_function_monitoring.learning import Observation
from shielded_function_monitoring.learning.questions import Question, admits, decide, question_of

PREFIX: Final = "preset:"
"""Before a preset's name, where an entry is possible too."""
_EVENTS: Final = ("tmp", "exec", "exec-static", "memory")
"""The policies of presets; other settings of a policy with presets are the defaults."""
_TELLS_NOTHING: Final = ("find-library", "jpype")
"""Presets whose names in /tmp other libraries share: tempfile's, and the counters of any JVM."""
_TELLING: Final = re.compile(r"/tmp/[*?]*[\w.-]{3}")
"""An entry with the library's own name. Any code may use names that match other entries."""


def presets_for(seen: Observation, chain: Chain = ()) -> list[str]:
    """The names of presets that would allow an observation.

    Args:
        seen: the attempts.
        chain: the calling packages: libffi asks for memory on behalf of many.
    """
    question = question_of(seen)
    if question is None or question.event not in _EVENTS:
        return []
    if question.event == "tmp":
        return calling_presets(question)
    if question.event == "memory":
        return [name for name in PRESETS if is_own_memory(name, question, chain)]
    return [name for name in PRESETS if _runs(name)(question)]


def is_own_memory(preset: str, question: Question, chain: Chain) -> bool:
    """Whether the preset's library asks for executable memory, by its own object or a package of it."""
    if question.event != "memory" or not _asks(preset)(question):
        return False
    asking = [name for name in PRESETS if _asks(name)(question)]
    return asking == [preset] or PRESETS[preset].package in chain


def calling_presets(question: Question) -> list[str]:
    """The presets of whose libraries only one uses this name in /tmp."""
    found: set[str] = set()
    while question.event == "tmp" and (decision := decide(_telling_entries(frozenset(found)), question)):
        if not decision.entry:
            break
        found.add(_owner(decision.entry))
    return [name for name in PRESETS if name in found]


@cache
def _telling_entries(without: frozenset[str]) -> str:
    """A policy of all entries with a library's own name, without those of some presets."""
    every = dict.fromkeys(entry for preset in PRESETS.values() for entry in preset.allow_tmp if _TELLING.match(entry))
    entries = [entry for entry in every if _owner(entry) not in (*_TELLS_NOTHING, *without)]
    return ShieldPolicy(allow_tmp=entries).to_lines()


@cache
def _owner(entry: str) -> str:
    """The preset with an entry and the fewest others: it is about that entry."""
    having = [name for name, preset in PRESETS.items() if (*preset.allow_tmp, *preset.allow_child_process).count(entry)]
    return min(having, key=lambda name: len(PRESETS[name].entries()))


@cache
def _runs(preset: str) -> Callable[[Question], bool]:
    """A function that tells whether the preset's library starts a program."""
    programs = [each for each in PRESETS[preset].allow_child_process if _owner(each) == preset]
    return admitting(ShieldPolicy(allow_child_process=programs))


@cache
def _asks(preset: str) -> Callable[[Question], bool]:
    """A function that tells whether an object asks for executable memory for the preset's library."""
    return admitting(ShieldPolicy(allow_executable_memory=PRESETS[preset].allow_executable_memory))


def admitting(policy: ShieldPolicy) -> Callable[[Question], bool]:
    """A function that tells whether a policy's files, programs and objects admit a question."""
    if not (policy.allow_tmp or policy.allow_child_process or policy.allow_executable_memory):
        return lambda _: False
    lines = policy.to_lines()
    return lambda question: question.event in _EVENTS and admits(lines, question)
