"""The cases as tests. Those of one module that are asked for run together: a process for each would take minutes.

`make cases` tries each in every mode and in both ways of attaching. `make test` blocks each, and tries a sample in the
other modes and another in the late way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.thinning import long_but
from security.cases.catalogue import WAYS, Case, cases
from security.cases.suite import Result, Suite
from shielded_function_emulator.sandbox import SandboxError

LATE_SAMPLE, MODES_SAMPLE = 18, 24  # one of so many, in `make test`
BLOCK, OTHERS = "block", "alert and allow"
_MODES_OF: Mapping[str, Sequence[str]] = {BLOCK: ("block",), OTHERS: ("alert", "allow")}
Row = tuple[str, str, str]  # name, way of attaching, modes


def of_section(*sections: str, begin: str | tuple[str, ...] = "") -> list[Case]:
    """The cases of these sections whose names begin so."""
    return [case for case in cases() if case.section in sections and case.name.startswith(begin)]


def _rows(chosen: Sequence[Case]) -> list[Any]:
    rows = [(case.name, way, modes) for way in WAYS for modes in _MODES_OF for case in chosen if way in case.attach]
    # Cases of a kind are near each other in the list. In the late way, of those that can share a process.
    late = [case for case in cases() if not case.alone and case.box == "lambda"][::LATE_SAMPLE]
    often = {(case.name, WAYS[0], BLOCK) for case in chosen}
    often |= {(case.name, WAYS[0], OTHERS) for case in cases()[::MODES_SAMPLE]}
    return long_but(often | {(case.name, WAYS[1], modes) for case in late for modes in _MODES_OF}, rows)


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, layer: Path) -> Mapping[Row, Result]:
    """What came of each row that is to run in this module."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    specs = [item.callspec.params for item in items if item.module is request.module and hasattr(item, "callspec")]
    asked: list[Row] = [(str(spec["name"]), str(spec["attach"]), str(spec["modes"])) for spec in specs]
    found: dict[Row, Result] = {}
    with ExitStack() as stack:
        suite = Suite(layer, stack)
        for way, modes in dict.fromkeys(row[1:] for row in asked):
            chosen = [case for case in cases() if (case.name, way, modes) in asked]
            try:
                found |= {(r.case.name, way, modes): r for r in suite.run(chosen, way, _MODES_OF[modes])}
            except SandboxError as error:
                pytest.skip(str(error))
    return found


@pytest.fixture
def result(results: Mapping[Row, Result], name: str, attach: str, modes: str) -> Result:
    """What came of a test's row, if it can be tried at all."""
    found = results[name, attach, modes]
    if found.not_tried:
        pytest.skip(found.not_tried)
    return found


def each_of(chosen: Sequence[Case]) -> pytest.MarkDecorator:
    """A test's rows: a case's name, the way of attaching, and in which modes."""
    return pytest.mark.parametrize(("name", "attach", "modes"), _rows(chosen))


def check(result: Result) -> None:
    assert result.as_expected, result.impossible or result.verdicts
