"""docs/security: the matrix is what the tests say, each limit names a test that is there, the model is one page."""

from __future__ import annotations

import re

import pytest

from integration.docs.matrix import PAGE, MatrixError, find_tests, known_tests, page, sections
from integration.docs.pages import ROOT

SECURITY = ROOT / "docs" / "security"
LIMITS = (SECURITY / "limits.md").read_text()
_NAMED = re.compile(r"`((?:[\w./-]+::)?test_\w+(?:\[\w+\])?)`")


def test_the_matrix_is_current() -> None:
    assert PAGE.read_text() == page(), "run `python -m integration.docs.matrix` in tests/"


def test_every_promise_is_said_once() -> None:
    said = [promise["says"] for section in sections() for promise in section["promise"]]
    assert len(said) == len(set(said)) > 70
    assert all(promise["tests"] for section in sections() for promise in section["promise"])


@pytest.mark.parametrize("name", sorted(file.name for file in SECURITY.glob("*.md")))
def test_every_test_that_a_page_names_exists(name: str) -> None:
    missing: list[str] = []
    for named in _NAMED.findall((SECURITY / name).read_text()):
        try:
            find_tests(named)
        except MatrixError as error:
            missing.append(str(error))
    assert missing == []


def test_every_limit_names_a_test() -> None:
    rows = [line for line in LIMITS.splitlines() if line.startswith("| ") and "| shown by |" not in line]
    assert len(rows) > 40
    assert [row for row in rows if not _NAMED.search(row.rpartition(" | ")[2])] == []


def test_every_known_limit_is_told() -> None:
    """The tests of what is not stopped: each is in a row."""
    told = {test for named in _NAMED.findall(LIMITS) for test in find_tests(named)}
    promised = {
        t for section in sections() for promise in section["promise"] for n in promise["tests"] for t in find_tests(n)
    }
    shown = {test for tests in known_tests().values() for test in tests if test.file.endswith("/test_threat_model.py")}
    assert shown
    assert shown - told - promised == set()


def test_the_model_is_one_page() -> None:
    text = (SECURITY / "model.md").read_text()
    assert len(text.split()) <= 750
    assert "foreign-function interface" in text.partition("## ")[0]


def test_a_name_that_is_no_test() -> None:
    with pytest.raises(MatrixError, match=r"no test is called test_clients\.py::test_nothing_of_the_kind"):
        find_tests("test_clients.py::test_nothing_of_the_kind")
    with pytest.raises(MatrixError, match="no test is called"):
        find_tests("test_core.py::test_the_matrix_is_current")
    (found,) = find_tests("test_security.py::test_the_matrix_is_current[case]")
    assert found.file.endswith("/test_security.py")
    assert found.rounds == ()
