"""Presets that what was observed calls for: offered by `learn`, and taken with `--accept preset:NAME`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from shielded_function.policy import ShieldPolicy
from shielded_function.policy.presets import PRESETS
from shielded_function_monitoring.learning import Evidence, FunctionLog, Observation, Offer
from shielded_function_monitoring.learning.questions import Question, question_of
from shielded_function_runtime import core

PREFIX: Final = "preset:"
_EXAMPLES: Final = 3
_EVENTS: Final = ("tmp", "exec", "exec-static", "memory")
"""What presets are about; of all else a policy with presets is the default one."""
_NOT_TELLING: Final = (
    "jpype",  # any JVM keeps its counters by such names
    "python-tempfile",  # `learn` itself knows these, and offers globs that are narrower
)
"""Presets that names in /tmp do not call for."""
_TELLING: Final = re.compile(r"/tmp/[\w.-]{3}")
"""An entry with a name of the library's own: what matches another one may be anybody's."""


def offer_presets(log: FunctionLog, admits: Callable[[Question], bool]) -> list[Offer]:
    """The presets of libraries whose names were seen in /tmp, where the present policy does not admit all of it.

    Args:
        log: what was observed.
        admits: whether the present policy admits something.
    """
    seen = [each for each in log.observations if (question := question_of(each)) and not admits(question)]
    offers = [_offer(name, seen) for name in PRESETS if name not in _NOT_TELLING]
    return [each for each in offers if each]


def _offer(name: str, seen: Sequence[Observation]) -> Offer | None:
    telling = [entry for entry in PRESETS[name].allow_tmp if _TELLING.match(entry)]
    if not telling:
        return None
    own, whole = admitting(ShieldPolicy(allow_tmp=telling)), admitting(ShieldPolicy(presets=[name]))
    covered = [each for each in seen if (question := question_of(each)) and whole(question)]
    paths = sorted({each.path for each in covered if (question := question_of(each)) and own(question)})
    if not paths:
        return None
    count = len({each.path for each in covered})
    evidence = Evidence.of(each.evidence for each in covered)
    return Offer("presets", PREFIX + name, evidence, count, tuple(paths[:_EXAMPLES]), PRESETS[name].meaning)


def admitting(policy: ShieldPolicy) -> Callable[[Question], bool]:
    """Whether a policy's files and programs admit something."""
    known = core.parse(policy.to_lines())

    def admits(question: Question) -> bool:
        try:
            return question.event in _EVENTS and known.decide(*question).allowed
        except ValueError:  # it is no path
            return False

    return admits


def accepted_presets(accept: Sequence[str], offers: Sequence[Offer]) -> list[str]:
    """The names of the presets that were offered and are wanted."""
    return [each.value.removeprefix(PREFIX) for each in offers if each.value in accept]
