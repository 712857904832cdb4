"""The cases as tests: those of one module's sections run together, as starting a process for each would take minutes.

`make cases` runs every case in every way. `make test` blocks each, and tries a sample in the other modes and another
in the late way; `make test-long` tries the rest of them in the other modes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.thinning import long_but
from security.cases.catalogue import MODES, WAYS, Case, cases
from security.cases.suite import Result, Suite
from shielded_function_emulator.sandbox import SandboxError

LATE_SAMPLE, LATE_SHORT, MODES_SAMPLE = 6, 18, 24  # one of so many; the second in `make test`
BLOCK, OTHERS, ALL = "block", "alert and allow", "every mode"
_MODES_OF: Mapping[str, Sequence[str]] = {BLOCK: ("block",), OTHERS: ("alert", "allow"), ALL: MODES}


def of_section(*sections: str, begin: str | tuple[str, ...] = "") -> list[Case]:
    """The cases of these sections whose names begin so."""
    return [case for case in cases() if case.section in sections and case.name.startswith(begin)]


def _late(sample: int = LATE_SAMPLE) -> list[Case]:
    """A sample of those that can share a process; cases of a kind are near each other in the list."""
    return [case for case in cases() if not case.alone and case.box == "lambda"][::sample]


def _in_other_modes() -> list[Case]:
    return list(cases())[::MODES_SAMPLE]


def _rows(chosen: list[Case]) -> list[Any]:
    sampled = {(case.name, WAYS[0], OTHERS) for case in _in_other_modes()}
    blocked = [(case.name, WAYS[0], BLOCK) for case in chosen]
    others = [(case.name, WAYS[0], OTHERS) for case in chosen]
    late = [(case.name, WAYS[1], ALL) for case in _late() if case in chosen]
    often = {(case.name, WAYS[1], ALL) for case in _late(LATE_SHORT)}
    return long_but({*blocked, *sampled, *often}, [*blocked, *others, *late])


class Results:
    """Runs all that belongs together as soon as a test asks for one of it."""

    def __init__(self, suite: Suite, chosen: Sequence[Case]) -> None:
        self._suite, self._chosen = suite, chosen
        self._found: dict[tuple[str, str, bool], dict[str, Result]] = {}

    def of(self, name: str, way: str, modes: str) -> Result:
        sample = [case for case in (_late(LATE_SHORT) if way == WAYS[1] else _in_other_modes()) if case in self._chosen]
        is_sampled = modes != BLOCK and any(case.name == name for case in sample)
        key = (way, modes, is_sampled)
        if key not in self._found:
            tried = [case for case in (_late() if way == WAYS[1] else cases()) if case in self._chosen]
            rest = tried if modes == BLOCK else [case for case in tried if case not in sample]
            self._found[key] = self._run(sample if is_sampled else rest, way, _MODES_OF[modes])
        return self._found[key][name]

    def _run(self, chosen: Sequence[Case], way: str, modes: Sequence[str]) -> dict[str, Result]:
        try:
            return {result.case.name: result for result in self._suite.run(chosen, [way], modes)}
        except SandboxError as error:
            pytest.skip(str(error))


def results_of(chosen: Sequence[Case]) -> Any:
    """The fixture `results` of a file with these cases."""

    @pytest.fixture(scope="module", name="results")
    def results(layer: Path) -> Iterator[Results]:
        with Suite(layer) as suite:
            yield Results(suite, chosen)

    return results


def each_of(chosen: list[Case]) -> pytest.MarkDecorator:
    """A test's parameters: name, way of attaching, and in which modes."""
    return pytest.mark.parametrize(("name", "attach", "modes"), _rows(chosen))


def check(result: Result) -> None:
    if result.impossible is not None and result.case.unless:
        pytest.skip(f"{result.impossible} ({result.case.unless})")
    assert result.as_expected, result.impossible or result.verdicts
