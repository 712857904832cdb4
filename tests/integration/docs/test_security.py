"""docs/security: tests and promises name each other, each limit names a test that is there, the model is one page."""

from __future__ import annotations

import pytest

from integration.docs.attempts import attempts
from integration.docs.matrix import PAGE, page
from integration.docs.pages import ROOT
from integration.docs.promises import (
    NAMED_TEST,
    PromiseError,
    all_tests,
    find_tests,
    limit_tests,
    problems,
    promises,
    sections,
)

SECURITY = ROOT / "docs" / "security"
LIMITS = (SECURITY / "limits.md").read_text()


def test_the_matrix_is_current() -> None:
    assert PAGE.read_text() == page(), "run `python -m integration.docs.matrix` in tests/"


def test_each_test_has_a_promise_and_each_promise_a_test() -> None:
    assert problems() == []
    assert len({test.file for test in all_tests()}) > 200


def test_every_promise_is_said_once() -> None:
    said = [promise["says"] for section in sections() for promise in section["promise"]]
    assert len(said) == len(set(said)) == len(promises()) > 70


def test_every_program_that_attempts_something_has_a_promise() -> None:
    found = attempts()
    assert found.get("") is None
    assert "tmp_rename" in found["tmp.judged"]["security/cases/inside/tmp_calls.py"]
    assert "queries_that_carry_more" in found["outbound.bare-queries"]["harness/inside/evasion.py"]


@pytest.mark.parametrize("name", sorted(file.name for file in SECURITY.glob("*.md")))
def test_every_test_that_a_page_names_exists(name: str) -> None:
    missing: list[str] = []
    for named in NAMED_TEST.findall((SECURITY / name).read_text()):
        try:
            find_tests(named)
        except PromiseError as error:
            missing.append(str(error))
    assert missing == []


def test_every_limit_names_a_test() -> None:
    rows = [line for line in LIMITS.splitlines() if line.startswith("| ") and "| shown by |" not in line]
    assert len(rows) > 40
    assert [row for row in rows if not NAMED_TEST.search(row.rpartition(" | ")[2])] == []


def test_every_known_limit_is_told() -> None:
    """The tests of what is not stopped: each is in a row."""
    shown = [test for test in all_tests() if test.file.endswith("/test_threat_model.py")]
    assert shown
    assert [test for test in shown if not test.promises and test not in limit_tests()] == []


def test_the_model_is_one_page() -> None:
    text = (SECURITY / "model.md").read_text()
    assert len(text.split()) <= 750
    assert "foreign-function interface" in text.partition("## ")[0]


def test_a_name_that_is_no_test() -> None:
    with pytest.raises(PromiseError, match=r"no test is called test_clients\.py::test_nothing_of_the_kind"):
        find_tests("test_clients.py::test_nothing_of_the_kind")
    with pytest.raises(PromiseError, match="no test is called"):
        find_tests("test_core.py::test_the_matrix_is_current")
    (found,) = find_tests("test_security.py::test_the_matrix_is_current[case]")
    assert found.file.endswith("/test_security.py")
    assert found.rounds == ()
