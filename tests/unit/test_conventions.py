"""What CONTRIBUTING.md and tests/README.md ask of a test's name, and of what a comment refers to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.checkout import ROOT, committed

pytestmark = pytest.mark.promise("package.tree")

LONGEST = 60
# Documents are named in capitals where they stand beside README.md.
DOCUMENT = re.compile(r"\b[A-Z][A-Z_]+\.md\b")
TEXTS = ("*.py", "*.[chS]", "*.md", "*.java", "*.js", "*.mjs", "*.cs", "*.toml", "Makefile", ".ci/run")


def names_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_names_of_tests_are_short() -> None:
    """Longer ones are cut in reports. The sentence that a name cannot hold is the test's docstring."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    names = {f"{file.name}::{name}" for file in files for name in names_in(file.read_text(encoding="utf-8"))}
    assert len(names) > 1000
    assert [name for name in sorted(names) if len(name.partition("::")[2]) > LONGEST] == []


HEAD = re.compile(r"\A(?:/\*.*?\*/|(?://.*\n)+)", re.DOTALL)


def test_a_c_file_names_its_tests() -> None:
    """The first comment of each file names the tests that hold it."""
    files = committed("runtime_layer/native/*.c")
    assert len(files) > 100
    for file in files:
        head = HEAD.match((ROOT / file).read_text(encoding="utf-8"))
        named = re.findall(r"tests/[\w./]+\w", head[0].partition("Tests: ")[2] if head else "")
        assert named, file
        assert [name for name in named if not (ROOT / name).is_file()] == [], file


def test_a_document_that_is_named_is_there() -> None:
    there = {Path(name).name for name in committed("*.md")}
    assert "README.md" in there
    missing = {
        (file, name)
        for file in committed(*TEXTS)
        for name in DOCUMENT.findall((ROOT / file).read_text(encoding="utf-8"))
        if name not in there
    }
    assert missing == set()
