"""What each test is for: the promises of docs/security/promises.toml, and the tests that name them.

A test names its promises by `@pytest.mark.promise("outbound.tls-name")`. Where it has no such mark, the
`pytestmark` of its file names them; where that has none, `PROMISE` in the conftest.py of its folder, or of the nearest
folder above. A test that docs/security/limits.md or notices.md names shows that limit.

`python -m integration.docs.promises` (in tests/) lists the tests that name nothing, and promises without a test.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness.toml_tables import table
from integration.docs.pages import ROOT
from lab.arm64.limits import LIMITS

PROMISES = ROOT / "docs" / "security" / "promises.toml"
LIMIT_PAGES = [ROOT / "docs" / "security" / name for name in ("limits.md", "notices.md")]
NAMED_TEST = re.compile(r"`((?:[\w./-]+::)?test_\w+(?:\[\w+\])?)`")


class PromiseError(Exception):
    """A test or a promise that is named is not there; the text says which."""


@dataclass(frozen=True)
class Test:
    """A test function.

    Attributes:
        name: the function's.
        file: where it is, relative to the checkout.
        rounds: how it runs, other than once in `make test`: "only long", "race", "aarch64", "only aarch64".
        promises: the ids of the promises that it shows.
        by_itself: whether the function names them, not its file or folder.
    """

    name: str
    file: str
    rounds: tuple[str, ...] = ()
    promises: tuple[str, ...] = field(default=(), compare=False)
    by_itself: bool = field(default=False, compare=False)

    __test__ = False


@cache
def all_tests() -> tuple[Test, ...]:
    """Every test function below tests/, by file."""
    found: list[Test] = []
    folders = _arm64_folders()
    for path in sorted((ROOT / "tests").rglob("test_*.py"), key=str):
        file = path.relative_to(ROOT).as_posix()
        body = ast.parse(path.read_text()).body
        marks_of_file = [
            mark
            for node in body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
            for mark in (node.value.elts if isinstance(node.value, ast.List) else [node.value])
        ]
        of_file = _promises_in(marks_of_file) or _of_folder(path.parent)
        for function in body:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                marks = [ast.unparse(mark) for mark in (*function.decorator_list, *marks_of_file)]
                own = _promises_in(function.decorator_list)
                rounds = tuple(_rounds(function.name, marks, file, folders))
                found.append(Test(function.name, file, rounds, own or of_file, bool(own)))
    return tuple(found)


def _promises_in(marks: Sequence[ast.expr]) -> tuple[str, ...]:
    """The ids in `pytest.mark.promise("...", ...)`."""
    return tuple(
        ast.literal_eval(argument)
        for mark in marks
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.promise"
        for argument in mark.args
    )


@cache
def _of_folder(folder: Path) -> tuple[str, ...]:
    """`PROMISE` in a folder's conftest.py, or in that of the nearest folder above."""
    if folder == ROOT:
        return ()
    conftest = folder / "conftest.py"
    for node in ast.parse(conftest.read_text()).body if conftest.exists() else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PROMISE":
            return (ast.literal_eval(node.value),)
    return _of_folder(folder.parent)


def _arm64_folders() -> list[str]:
    """What `make test-arm64` runs."""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    (listed,) = re.findall(r"^ARM64_TESTS \?= (.*)$", makefile, re.MULTILINE)
    return listed.split()


def _rounds(name: str, marks: list[str], file: str, folders: list[str]) -> Iterator[str]:
    if "pytest.mark.long" in marks:
        yield "only long"
    if "pytest.mark.race" in marks:
        yield "race"
    listed = (f"{file}::{name}", file)
    if any(folder in listed or file.startswith(f"{folder}/") for folder in folders):
        if "/arm64/" in file or any("mark.arm64" in mark for mark in marks):
            yield "only aarch64"
        elif f"{Path(file).name}::{name}" not in LIMITS and not any("x86_64" in mark for mark in marks):
            yield "aarch64"


def find_tests(named: str) -> list[Test]:
    """The tests of a name: `test_x`, or `test_file.py::test_x` where others have it too; `[case]` is left out.

    Raises:
        PromiseError: there is none.
    """
    file, _, name = named.partition("[")[0].rpartition("::")
    found = [test for test in all_tests() if test.name == name and f"/{test.file}".endswith(f"/{file}" if file else "")]
    if not found:
        raise PromiseError(f"no test is called {named}")
    return found


def sections() -> dict[str, dict[str, str]]:
    """promises.toml: the promises by id, by the title of their section."""
    return table(PROMISES.read_text())


def promises() -> dict[str, str]:
    """The promises by id."""
    return {each: says for section in sections().values() for each, says in section.items()}


def limit_tests() -> set[Test]:
    """The tests that limits.md and notices.md name."""
    text = "".join(page.read_text() for page in LIMIT_PAGES)
    return {test for named in NAMED_TEST.findall(text) for test in find_tests(named)}


def problems() -> list[str]:
    """Tests that name nothing, marks of no promise, promises without a test."""
    known, limits = promises(), limit_tests()
    shown = {promise for test in all_tests() for promise in test.promises}
    found = [f"{PROMISES.name}: {promise}: no test shows it" for promise in known if promise not in shown]
    for test in all_tests():
        name = f"{test.file}::{test.name}"
        found += [f"{name}: it names no promise"] if not test.promises and test not in limits else []
        found += [f"{name}: there is no promise {each}" for each in test.promises if each not in known]
    return found


if __name__ == "__main__":
    found = problems()
    print("\n".join(found) or f"{len(all_tests())} tests name their promise, and no promise is without one")
    sys.exit(bool(found))
