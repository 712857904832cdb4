"""Presets for observed violations: `alerts` names them, `learn` adds them in place of entries, or offers them.

The reader of a line finds them by the name in /tmp, the program, or the library that asked for memory, as the line's
`allow` has only the exact entry. `learn` adds a preset where names in /tmp belong to its library. It offers one that
brings executable memory, a program that was not observed, or a whole folder, or whose library asked for memory.
`--accept preset:NAME` adds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from shielded_function.policy import ShieldPolicy
from shielded_function.policy.presets import PRESETS, Preset
from shielded_function_monitoring.frames import Chain
from shielded_function_monitoring.learning import Evidence, FunctionLog
from shielded_function_monitoring.learning.evidence import made_by_python
from shielded_function_monitoring.learning.learned import Addition
from shielded_function_monitoring.learning.never_learned import is_search
from shielded_function_monitoring.learning.questions import Observation, Question, admits, decide, question_of
from shielded_function_monitoring.learning.tmp_patterns import uses_tempfile

PREFIX: Final = "preset:"
"""Before a preset's name, where an entry is possible too."""
_EVENTS: Final = ("tmp", "exec", "exec-static", "memory")
"""The policies of presets; other settings of a policy with presets are the defaults."""
_TELLS_NOTHING: Final = ("find-library", "jpype")
"""Presets whose names in /tmp other libraries share: tempfile's, and the counters of any JVM."""
_TELLING: Final = re.compile(r"/tmp/[*?]*[\w.-]{3}")
"""An entry with the library's own name. Any code may use names that match other entries."""
_EXAMPLES: Final = 3
_TEMPFILE: Final = "python-tempfile"
"""`learn` has narrower globs for its names; the preset is for the file with which tempfile tests /tmp."""
_FIND_LIBRARY: Final = "find-library"
"""Only its program indicates it; its names in /tmp are those of python-tempfile."""


def presets_for(seen: Observation, chain: Chain = ()) -> list[str]:
    """The names of presets that would allow an observation.

    Args:
        seen: the attempts.
        chain: the calling packages: libffi asks for memory on behalf of many.
    """
    question = question_of(seen)
    if question is None:
        return []
    if question.event == "tmp":
        return _calling(question)
    return [name for name in PRESETS if _is_own(name, question, chain)]


def _is_own(preset: str, question: Question, chain: Chain) -> bool:
    """Whether the preset's library starts a program, or asks for memory, by its own object or a package of it."""
    if question.event != "memory" or not _own(preset)(question):
        return _own(preset)(question)
    asking = [name for name in PRESETS if _own(name)(question)]
    return asking == [preset] or PRESETS[preset].package in chain


def _calling(question: Question) -> list[str]:
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
def _own(preset: str) -> Callable[[Question], bool]:
    """A function that tells whether a program or an object is one of the preset's library."""
    programs = [each for each in PRESETS[preset].allow_child_process if _owner(each) == preset]
    memory = PRESETS[preset].allow_executable_memory
    return admitting(ShieldPolicy(allow_child_process=programs, allow_executable_memory=memory))


def admitting(policy: ShieldPolicy) -> Callable[[Question], bool]:
    """A function that tells whether a policy's files, programs and objects admit a question."""
    if not (policy.allow_tmp or policy.allow_child_process or policy.allow_executable_memory):
        return lambda _: False
    lines = policy.to_lines()
    return lambda question: question.event in _EVENTS and admits(lines, question)


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
    calling = {name for _, question in files for name in _calling(question)}
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
        called = uses_tempfile(paths)
        if searching and not called:  # where ldconfig is denied, find_library creates a file
            return searching
    called = called or any(
        _is_own(name, question, chain)
        for each, question in files
        if question.event == "memory"
        for chain in [(), *(each.through for each in each.evidence.packages)]
    )
    if not called:
        return []
    whole = admitting(ShieldPolicy(presets=[name]))
    return [each for each, question in files if whole(question)]
