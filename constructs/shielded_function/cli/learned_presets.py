"""Presets for observed violations, which `learn` adds in place of entries, or offers.

A preset is added where names in /tmp belong to its library. It is offered where it brings executable memory, a program
that was not observed, or a whole folder, or where the library asked for memory. `--accept preset:NAME` adds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from shielded_function.policy import ShieldPolicy
from shielded_function.policy.presets import PRESETS, Preset
from shielded_function_monitoring.learning import Addition, Evidence, FunctionLog, Observation
from shielded_function_monitoring.learning.evidence import made_by_python
from shielded_function_monitoring.learning.never_learned import is_search
from shielded_function_monitoring.learning.questions import Question, question_of
from shielded_function_monitoring.learning.tmp_patterns import may_be_probe, uses_tempfile

from .naming_presets import PREFIX, admitting, calling_presets, is_own_memory

_EXAMPLES: Final = 3
_TEMPFILE: Final = "python-tempfile"
"""`learn` has narrower globs for its names; the preset is for the file with which tempfile tests /tmp."""
_FIND_LIBRARY: Final = "find-library"
"""Only its program indicates it; its names in /tmp are those of python-tempfile."""


def propose_presets(
    log: FunctionLog, admits: Callable[[Question], bool], accept: Sequence[str] = ()
) -> tuple[list[Addition], list[Addition]]:
    """The presets of observed libraries whose violations the present policy does not all admit: added, and offered.

    Args:
        log: the observations.
        admits: whether the present policy admits a question.
        accept: accepted offers, as `preset:NAME`.
    """
    every = [(each, question_of(each)) for each in log.observations]
    seen = [(each, question) for each, question in every if question is None or not admits(question)]
    files = [(each, question) for each, question in seen if question]
    searching = [each for each, _ in seen if is_search(each)]
    calling = {name for _, question in files for name in calling_presets(question)}
    taken, offered = list[Addition](), list[Addition]()
    # The general preset comes last, as other presets contain some of its names.
    for name, preset in sorted(PRESETS.items(), key=lambda item: item[0] == _TEMPFILE):
        by_others = admitting(ShieldPolicy(presets=[each.value for each in taken]))
        covered = _covered(name, files, searching, calling)
        if all((question := question_of(each)) and by_others(question) for each in covered):
            continue
        evidence = Evidence.of(each.evidence for each in covered)
        targets = tuple(sorted({each.describe() or each.policy for each in covered}))
        if name == _TEMPFILE and all(map(is_search, covered)):
            targets = ("the temporary file that find_library makes where ldconfig is refused",)
        wide = [] if PREFIX + name in accept else _reasons_to_ask(name, preset, targets)
        value, why = (PREFIX + name if wide else name), "; ".join(filter(None, (preset.meaning, " and ".join(wide))))
        found = Addition("presets", value, evidence, why, len(targets), targets[:_EXAMPLES])
        (offered if wide else taken).append(found)
    return taken, offered


def _reasons_to_ask(name: str, preset: Preset, targets: Sequence[str]) -> list[str]:
    """Why a preset is offered, not added: it admits names that an attacker can choose."""
    new = [each for each in preset.allow_child_process if each not in targets]
    folders = [each for each in preset.allow_tmp if each.endswith("/**") and name != _TEMPFILE]
    return [
        *(["code that is written into executable memory runs"] if preset.allow_executable_memory else []),
        *([f"it brings the program {', '.join(new)}"] if new else []),
        *([f"it admits all that is in {', '.join(folders)}"] if folders else []),
    ]


def _covered(
    name: str, files: Sequence[tuple[Observation, Question]], searching: list[Observation], calling: set[str]
) -> list[Observation]:
    """The observed violations that a preset would allow; empty where none indicates its library.

    Args:
        name: of the preset.
        files: the violations that an entry could permit.
        searching: those of find_library.
        calling: the presets whose own names in /tmp were used.
    """
    called = bool(searching) if name == _FIND_LIBRARY else name in calling
    if name == _TEMPFILE:
        paths = [each.path for each, question in files if question.event == "tmp" and made_by_python(each.evidence)]
        called = uses_tempfile(paths) and any(map(may_be_probe, paths))
        if searching and not called:  # where ldconfig is denied, find_library creates a file
            return searching
    called = called or any(
        is_own_memory(name, question, chain)
        for each, question in files
        if question.event == "memory"
        for chain in [(), *(each.through for each in each.evidence.packages)]
    )
    if not called:
        return []
    whole = admitting(ShieldPolicy(presets=[name]))
    return [each for each, question in files if whole(question)]
