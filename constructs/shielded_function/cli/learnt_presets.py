"""Presets that what was observed calls for: taken in place of entries, or offered by `learn`.

A preset is taken where names in /tmp are its library's own. One that needs executable memory is offered, however, as
such memory is a decision. It is offered too where the library's own object asked for the memory, or a package of it, as
far as the lines tell. `--accept preset:NAME` takes what is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from shielded_function.policy import ShieldPolicy
from shielded_function.policy.presets import PRESETS
from shielded_function_monitoring.learning import Evidence, FunctionLog, LearntPreset, Observation, Offer
from shielded_function_monitoring.learning.questions import Question, question_of
from shielded_function_monitoring.learning.wildcards import probe_of, uses_tempfile

from .naming_presets import PREFIX, admitting, calls_for, is_own_memory

_EXAMPLES: Final = 3
_TEMPFILE: Final = "python-tempfile"
"""`learn` itself knows its names, by narrower globs: the preset is for the file with which tempfile tries /tmp."""


class Proposed(NamedTuple):
    """The presets that are taken, and those that are offered."""

    taken: list[LearntPreset]
    offered: list[Offer]

    @property
    def names(self) -> list[str]:
        """Of those that are taken."""
        return [each.name for each in self.taken]


def propose(log: FunctionLog, admits: Callable[[Question], bool], accept: Sequence[str] = ()) -> Proposed:
    """The presets of libraries that were seen, where the present policy does not admit all that they did.

    Args:
        log: what was observed.
        admits: whether the present policy admits something.
        accept: what is offered and wanted, as `preset:NAME`.
    """
    seen = [each for each in log.observations if (question := question_of(each)) is None or not admits(question)]
    proposed = Proposed([], [])
    for name, preset in PRESETS.items():
        covered = _covered(name, seen)
        if not covered:
            continue
        evidence = Evidence.of(each.evidence for each in covered)
        targets = tuple(sorted({each.describe() or each.policy for each in covered}))
        if preset.allow_executable_memory and PREFIX + name not in accept:
            examples = targets[:_EXAMPLES]
            proposed.offered.append(
                Offer("presets", PREFIX + name, evidence, len(targets), examples, f"{preset.meaning}; {_MEMORY}")
            )
        else:
            proposed.taken.append(LearntPreset(name, evidence, targets, preset.meaning))
    return proposed


_MEMORY: Final = "what it is told to write into executable memory runs"


def _covered(name: str, seen: Sequence[Observation]) -> list[Observation]:
    """What a preset would let through of all that was observed; nothing where nothing calls for it."""
    files = [(each, question) for each in seen if (question := question_of(each))]
    own = calls_for(name)
    called = any(own(question) for _, question in files)
    if name == _TEMPFILE:
        paths = [each.path for each, question in files if question.event == "tmp"]
        called = uses_tempfile(paths) and any(map(probe_of, paths))
    called = called or any(
        is_own_memory(name, question, chain.through) for each, question in files for chain in each.evidence.packages
    )
    called = called or any(is_own_memory(name, question, ()) for _, question in files)
    if not called:
        return []
    whole = admitting(ShieldPolicy(presets=[name]))
    return [each for each, question in files if whole(question)]
