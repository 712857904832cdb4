"""A few of the workloads, live: block mode does what results.json has of it, and what it needs is enough.

`make workloads` runs all, in all four ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.thinning import long_but
from lab.workloads import packages, results
from lab.workloads.catalogue import WORKLOADS, Language, Workload
from lab.workloads.judging import behaviour_of, differs
from lab.workloads.learning import learn
from lab.workloads.running import Functions
from shielded_function import ShieldPolicy
from shielded_function_emulator import languages
from shielded_function_emulator.languages import java

# Of each language; of what works, of what is refused, and of presets, hosts, programs and threads.
_SAMPLE: dict[Language, tuple[str, ...]] = {
    "Python": ("cffi", "requests", "tempfile"),
    "Node.js": ("esbuild", "pino-transport", "child_process"),
    "Java": ("snappy-java", "http-client-of-java"),
}
_RUNTIMES: dict[Language, str] = {"Python": "python3.13", "Node.js": "nodejs22.x", "Java": "java21"}
SAMPLE = [row for row in WORKLOADS if row.name in _SAMPLE[row.language]]
OFTEN = [row for row in SAMPLE if row.name in ("requests", "child_process", "snappy-java")]
# Uploads, a library that is searched for, a repository, and a preset.
_LEARNED = ("flask", "fastapi-upload", "python-magic", "gitpython", "formidable", "snappy-java")


def _missing(language: Language) -> str:
    if language == "Java":
        try:
            java.oldest_compiler()
        except LookupError as error:
            return str(error.args[0])
    return languages.find(_RUNTIMES[language]).missing() or packages.missing(language)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """A function for each language that can be had."""
    there: list[Language] = [language for language in _SAMPLE if not _missing(language)]
    scratch = tmp_path_factory.mktemp("workloads")
    code: dict[Language, Path] = {one: packages.code_of(one, scratch / one, _SAMPLE[one]) for one in there}
    with Functions(code) as made:
        yield made


@pytest.mark.long
@pytest.mark.parametrize("workload", [row for row in WORKLOADS if row.name in _LEARNED], ids=lambda row: row.name)
def test_what_is_learned_in_alert_mode_is_enough_in_block_mode(functions: Functions, workload: Workload) -> None:
    if reason := _missing(workload.language):
        pytest.skip(reason)
    _, rows = results.read()
    row = rows[workload.language, workload.name]
    _, log = functions.observe(workload, ShieldPolicy.report_only(), {})
    learned = learn(functions, workload, row.unshielded, log)
    assert learned.verdict != "not green", learned.why
    assert (learned.status, learned.accept) == (row.learned.status, row.learned.accept)


@pytest.mark.parametrize("workload", long_but(OFTEN, SAMPLE), ids=lambda row: f"{row.language}-{row.name}")
def test_a_workload_does_what_was_recorded(functions: Functions, workload: Workload) -> None:
    if reason := _missing(workload.language):
        pytest.skip(reason)
    _, rows = results.read()
    row = rows[workload.language, workload.name]
    block = functions.run(workload, ShieldPolicy(), {})
    assert behaviour_of(row.unshielded, block) == behaviour_of(row.unshielded, row.block), block
    if row.needs.any:
        listed = functions.run(workload, row.needs.policy(), row.needs.environment())
        assert differs(row.unshielded, listed) == "", listed
        assert [asked.policy for asked in listed.alerts] == [asked.policy for asked in row.listed.alerts]
