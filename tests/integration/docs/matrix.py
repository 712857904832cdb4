"""The test matrix: each promise of docs/security/promises.toml, and where the tests that show it run.

`python -m integration.docs.matrix` (in tests/) writes docs/security/test-matrix.md anew.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from integration.docs.pages import ROOT
from lab.arm64.limits import LIMITS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

PROMISES = ROOT / "docs" / "security" / "promises.toml"
PAGE = ROOT / "docs" / "security" / "test-matrix.md"

HEAD = """\
# Test matrix

Every promise in full, and the tests that show it. `python -m integration.docs.matrix` (in `tests/`) makes this page
from `docs/security/promises.toml` and the tests; a test fails when it is stale. The [model](model.md) is the short
version, [limits](limits.md) is what is not promised.

`make test` runs these tests, and a sample where a test has very many cases; `make test-long` runs all cases. A test
marked *race* repeats an attempt to win a race, for three seconds in `make test-long`. One marked *aarch64* runs as an
aarch64 program too, in `make test-arm64` (under qemu-user); *only aarch64* means nowhere else.
"""


class MatrixError(Exception):
    """A test that is named is not there; the text says where it is named."""


@dataclass(frozen=True)
class Test:
    """A test function.

    Attributes:
        name: the function's.
        file: where it is, relative to the checkout.
        rounds: how it runs, other than once in `make test`: "only long", "race", "aarch64", "only aarch64".
    """

    name: str
    file: str
    rounds: tuple[str, ...] = ()

    __test__ = False


@cache
def known_tests() -> dict[str, list[Test]]:
    """Every test function below tests/, by name."""
    found: dict[str, list[Test]] = defaultdict(list)
    folders = _arm64_folders()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        body = ast.parse(path.read_text()).body
        of_all = [node.value for node in body if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)]
        for function in body:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                marks = [ast.unparse(mark) for mark in (*function.decorator_list, *of_all)]
                rounds = tuple(_rounds(function.name, marks, file, folders))
                found[function.name].append(Test(function.name, file, rounds))
    return found


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
        MatrixError: there is none.
    """
    file, _, name = named.partition("[")[0].rpartition("::")
    found = [test for test in known_tests().get(name, []) if not file or f"/{test.file}".endswith(f"/{file}")]
    if not found:
        raise MatrixError(f"no test is called {named}")
    return found


def sections() -> list[dict[str, Any]]:
    """promises.toml."""
    return tomllib.loads(PROMISES.read_text())["section"]


def _link(test: Test) -> str:
    rounds = f" *{', '.join(test.rounds)}*" if test.rounds else ""
    return f"[`{test.name}`](../../{test.file}){rounds}"


def page() -> str:
    """docs/security/test-matrix.md.

    Raises:
        MatrixError: promises.toml names tests that are not there; the text names them all.
    """
    missing: list[str] = []
    lines = [HEAD]
    for section in sections():
        lines.append(f"## {section['title']}\n\n| promise | shown by |\n|---|---|")
        for promise in section["promise"]:
            tests: list[Test] = []
            for named in promise["tests"]:
                try:
                    tests += find_tests(named)
                except MatrixError as error:
                    missing.append(f"{error} ({PROMISES.name}, {promise['says']!r})")
            cells = "<br>".join(_link(test) for test in dict.fromkeys(tests))
            lines.append(f"| {promise['says']} | {cells} |")
        lines.append("")
    if missing:
        raise MatrixError("\n".join(missing))
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    try:
        PAGE.write_text(page())
    except MatrixError as error:
        sys.exit(str(error))
    print(f"{PAGE.relative_to(ROOT)}: {sum(len(section['promise']) for section in sections())} promises")
