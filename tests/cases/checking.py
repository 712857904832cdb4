"""The cases as tests: those of one module's sections run together, as starting a process for each would take minutes.

`make cases` runs every case in every way; here the late way is tried with a sample.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.catalogue import WAYS, Case, cases
from cases.suite import Result, Suite
from shielded_function_emulator.sandbox import SandboxError

LATE_SAMPLE = 6  # one of so many

Results = dict[tuple[str, str], Result]


def of_section(*sections: str) -> list[Case]:
    return [case for case in cases() if case.section in sections]


def _late() -> list[Case]:
    """A sample of those that can share a process; cases of a kind are near each other in the list."""
    return [case for case in cases() if not case.alone and case.box == "lambda"][::LATE_SAMPLE]


def rows(chosen: list[Case]) -> list[tuple[str, str]]:
    """What a test is parametrized with: name and way of attaching."""
    return [(case.name, WAYS[0]) for case in chosen] + [(case.name, WAYS[1]) for case in _late() if case in chosen]


def run_all(layer: Path, chosen: list[Case]) -> Results:
    try:
        with Suite(layer) as suite:
            results = [*suite.run(chosen, WAYS[:1]), *suite.run([case for case in _late() if case in chosen], WAYS[1:])]
    except SandboxError as error:
        pytest.skip(str(error))
    return {(result.case.name, result.way): result for result in results}


def check(result: Result) -> None:
    if result.impossible is not None and result.case.unless:
        pytest.skip(f"{result.impossible} ({result.case.unless})")
    assert result.as_expected, result.impossible or result.verdicts
