"""What is recorded, and how it is judged."""

from __future__ import annotations

import re

import pytest

from harness.checkout import ROOT
from lab.workloads import results
from lab.workloads.catalogue import WORKLOADS
from lab.workloads.judging import Needs, behaviour_of, differs, is_denial, needs_of
from lab.workloads.page import alarming, tables
from lab.workloads.running import Asked, Outcome, Run

WORKS, DENIED = Outcome("works", "1"), Outcome("raises", "PermissionError", "[Errno 13] Permission denied: '/tmp/a'")
WORDS, ENDS = Outcome("raises", "ValueError", "no cache"), Outcome("ends", "Runtime.ExitError", "signal: segmentation")
TMP = Asked("read_write_tmp", "/tmp/a", "/tmp/a")


def _run(*outcomes: Outcome, alerts: tuple[Asked, ...] = ()) -> Run:
    return Run(outcomes, alerts)


def test_every_workload_is_recorded_and_named_once() -> None:
    _, rows = results.read()
    keys = [(row.language, row.name) for row in WORKLOADS]
    assert len(keys) == len(set(keys))
    assert list(rows) == keys, "run `make workloads WORKLOADS_ARGS=--new`"


def test_a_workload_works_unshielded_or_its_row_says_why() -> None:
    _, rows = results.read()
    failing = {
        row.workload.name for row in rows.values() if {each.kind for each in row.unshielded.outcomes} != {"works"}
    }
    assert failing == {row.name for row in WORKLOADS if row.note.endswith("fails unshielded too")}


def test_no_workload_has_a_defect() -> None:
    _, rows = results.read()
    for row in rows.values():
        assert behaviour_of(row.unshielded, row.block) != "defect", row.workload
        assert differs(row.unshielded, row.alert) == "", row.workload
        assert differs(row.unshielded, row.listed) == "", row.workload


def test_the_default_alarm_counts_nothing_of_what_is_listed() -> None:
    """Of a library that is searched for and is not there, a compiler is asked where the machine has one."""
    _, rows = results.read()
    assert alarming(rows.values()) == ["cairosvg"]


# What takes more of a machine than most: a roll-out by `learn` has to work for these.
DEMANDING = (
    *("anthropic", "langchain-openai", "matplotlib", "deltalake", "platform", "pdfbox", "jna", "numba", "flask"),
    *("fastapi-upload", "ddtrace", "python-magic", "cairosvg", "cffi-find-library", "catboost", "pulp", "gitpython"),
    *("formidable", "playwright-core"),
)


def test_what_learn_writes_works() -> None:
    """At once, or with the options that it prints; a compiler that find_library asks for is never among them."""
    _, rows = results.read()
    demanding = [row for row in rows.values() if row.workload.name in DEMANDING]
    assert len(demanding) == len(DEMANDING)
    assert [row.workload.name for row in demanding if row.learned.verdict == "not green"] == ["cairosvg"]
    for row in rows.values():
        assert row.learned.status in (0, 3)
        assert (row.learned.status == 0) <= (row.learned.verdict == "green"), row.learned


def test_the_page_has_what_is_recorded() -> None:
    """The counts in the page's text are those above the tables, which the site makes, in the same order."""
    page = (ROOT / "docs" / "guide" / "runtimes.md").read_text(encoding="utf-8").partition("\n## Libraries\n")[2]
    said = re.findall(r"(?<=[ :])\d+(?= uses| \||\s(?:run|more|do) )", page.partition("\nThe site has")[0])
    told = re.findall(r"\b\d+(?= uses| work| fail| with an| of those| more| do not)", tables())
    assert said == told[:8]
    assert len(said) == 8


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (_run(WORKS, WORKS), "works"),
        (_run(WORKS, WORKS, alerts=(TMP,)), "goes on"),
        (_run(DENIED, DENIED, alerts=(TMP,)), "refused"),
        (_run(DENIED, WORDS, alerts=(TMP,)), "refused"),
        (_run(WORKS, DENIED, alerts=(TMP,)), "refused"),
        (_run(WORDS, WORDS, alerts=(TMP,)), "reworded"),
        (_run(WORDS, WORDS), "defect"),
        (_run(DENIED, ENDS, alerts=(TMP,)), "defect"),
        (_run(Outcome("hangs", ""), WORKS, alerts=(TMP,)), "defect"),
    ],
)
def test_how_block_mode_is_judged(block: Run, expected: str) -> None:
    assert behaviour_of(_run(WORKS, WORKS), block) == expected


def test_what_fails_unshielded_too_may_fail_alike() -> None:
    nobody = _run(Outcome("raises", "OSError", "refused"), Outcome("raises", "OSError", "refused"))
    assert behaviour_of(nobody, nobody) == "works"
    assert behaviour_of(nobody, _run(*nobody.outcomes, alerts=(TMP,))) == "refused"
    assert differs(nobody, _run(WORKS, WORKS)) == "invocation 1: works (1)"
    assert differs(nobody, nobody) == ""


@pytest.mark.parametrize("text", ["connect EACCES 1.2.3.4:443", "getaddrinfo ENOTFOUND a", "Permission denied"])
def test_what_counts_as_a_denial(text: str) -> None:
    assert is_denial(Outcome("raises", "Error", text))
    assert not is_denial(Outcome("ends", "", text))
    assert not is_denial(WORDS)


def test_a_preset_is_taken_where_it_covers() -> None:
    asked = [
        Asked("executable_memory", "_cffi_backend", ""),
        Asked("read_write_tmp", "/tmp/numba/a", "/tmp/numba/a"),
        Asked("executable_memory", "libllvmlite", ""),
        Asked("read_write_tmp", "/tmp/mine", "/tmp/mine"),
        Asked("read_handler", "", "/var/task/app.py"),
    ]
    assert needs_of("Python", ["cffi"], asked) == Needs(("numba", "cffi"), {"allow_tmp": ("/tmp/mine",)})
    assert needs_of("Node.js", [], asked[:1]).entries == {"allow_executable_memory": ("_cffi_backend",)}


def test_names_that_vary_are_listed_by_a_glob() -> None:
    asked = [TMP, Asked("read_write_tmp", "/tmp/work123.txt", "/tmp/work123.txt")]
    assert needs_of("Java", [], asked, ("/tmp/work*.txt", "/tmp/other*")).entries == {
        "allow_tmp": ("/tmp/a", "/tmp/work*.txt")
    }


@pytest.mark.parametrize(("package", "preset"), [("lightgbm", "lightgbm"), ("anything", "ctypes")])
def test_of_equal_presets_the_librarys_own_is_taken(package: str, preset: str) -> None:
    assert needs_of("Python", [package], [Asked("executable_memory", "libffi", "")]).presets == (preset,)
