"""docs/guide/runtimes.md: each cell of the matrix leads to a test that is there, about that runtime and policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.arm64.packages import JAVAS, NODES
from lab.dotnet import table as dotnet_table
from lab.ruby import test_ruby
from runtimes.java import table as java
from runtimes.node import table as node
from runtimes.node.conftest import LINES as NODE_LINES
from shielded_function_emulator.languages import dotnet
from shielded_function_emulator.languages import java as java_language
from shielded_function_emulator.languages.python_versions import VERSIONS
from shielded_function_monitoring.alert import POLICIES

DOCUMENT = Path(__file__).parents[2] / "docs" / "guide" / "runtimes.md"
TEXT = DOCUMENT.read_text()
CELLS = TEXT.partition("## Tested cell by cell")[2]
LINKS = {
    label: (target, test) for label, target, test in re.findall(r'^\[([\w-]+)\]: (\S+) "(\w+)"$', TEXT, re.MULTILINE)
}
HEADINGS, *_ = ROWS = [
    [cell.strip() for cell in line.strip()[1:-1].split("|")] for line in CELLS.splitlines() if line.startswith("| ")
]
MATRIX = {
    name: dict(zip(HEADINGS, row, strict=True))
    for row in ROWS[1:]
    for name in row[0].split(", ")
    if re.match(r"(python|nodejs|java|dotnet|ruby)\d", name)
}
TRIED = {
    "nodejs": {attempt.policy for attempt in node.ATTEMPTS},
    "java": {attempt.policy for attempt in java.ATTEMPTS},
    "dotnet": {attempt.policy for attempt in dotnet_table.ATTEMPTS},
    "ruby": {attempt.policy for attempt in test_ruby.ATTEMPTS},
}


def test_the_matrix_has_every_runtime_that_is_tried() -> None:
    pythons = [f"python{version}" for version in VERSIONS]
    nodes, javas = [f"nodejs{line}.x" for line in NODE_LINES], [java_language.name_of(line) for line in java.LINES]
    assert list(MATRIX) == [
        *pythons,
        *nodes,
        *javas,
        *(f"dotnet{line}" for line in dotnet.VERSIONS),
        *(f"ruby{line}" for line in test_ruby.VERSIONS),
    ]


@pytest.mark.parametrize("label", LINKS)
def test_a_link_leads_to_a_test(label: str) -> None:
    target, name = LINKS[label]
    assert name.startswith("test_")
    assert f"def {name}(" in (DOCUMENT.parent / target).read_text()


@pytest.mark.parametrize("runtime", MATRIX)
def test_each_cell_has_a_link(runtime: str) -> None:
    for heading, cell in MATRIX[runtime].items():
        if heading != "runtime" and cell:
            labels = re.findall(r"\[([\w-]+)\](?!\[)", cell)
            assert labels, f"{heading}: {cell}"
            assert set(labels) <= LINKS.keys()
    assert MATRIX[runtime]["the four controls"]
    for policy in POLICIES[:4]:
        language = re.sub(r"\d.*", "", runtime)
        assert language not in TRIED or policy in TRIED[language]


def test_what_is_said_of_aarch64() -> None:
    told = {runtime for runtime, row in MATRIX.items() if row["aarch64"]}
    there = {"python3.11", *(f"nodejs{line}.x" for line in NODES), *(f"java{line}" for line in JAVAS)}
    assert told == there
