"""Guides with examples that no other test runs: checks.md, other-deployments.md, troubleshooting.md."""

from __future__ import annotations

import re

import yaml

import shielded_function
from harness.checkout import ROOT
from integration.docs.commands import check_commands
from integration.docs.pages import Block, read_page

GUIDE = ROOT / "docs" / "guide"
SOURCES = ("constructs", "monitoring", "runtime_layer")


def block_of(page: str, language: str) -> Block:
    (block,) = [each for each in read_page(GUIDE / page).blocks if each.language == language]
    return block


def text_of(*folders: str) -> str:
    """All source text below the folders, with strings over several lines joined as compilers join them."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*")) if file.is_file()]
    kept = [file for file in files if file.suffix in (".py", ".c", ".h", ".json", ".java", ".js")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in kept)
    return re.sub(r'"[ \\]*\n\s*f?"', "", text).replace('\\"', '"')


def messages() -> list[tuple[str, bool]]:
    """Each quoted message in the first cells of troubleshooting.md, and whether it is the shield's own."""
    found: list[tuple[str, bool]] = []
    is_ours = False
    for line in (GUIDE / "troubleshooting.md").read_text().splitlines():
        cell = line.removeprefix("| ").partition(" | ")[0]
        if cell in ("the reason says", "synthesis says", "a program says"):
            is_ours = cell != "a program says"
        elif line.startswith("| "):
            found += [(message, is_ours) for message in re.findall(r'"([^"]+)"', cell)]
    return found


def test_each_message_is_one_that_code_prints() -> None:
    """The shield's is in its sources; a library's was seen by a test, and is in its record."""
    assert len(messages()) > 25
    texts = {True: text_of(*SOURCES), False: text_of("tests")}
    assert [message for message, is_ours in messages() if message not in texts[is_ours]] == []


def test_the_dockerfile_is_that_of_the_example() -> None:
    example = (ROOT / "examples" / "container_image" / "image" / "Dockerfile").read_text()
    assert block_of("other-deployments.md", "dockerfile").text == example


def test_the_workflow_runs_commands_that_exist() -> None:
    block = block_of("checks.md", "yaml")
    workflow = yaml.safe_load(block.text)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    lines = [line.strip() for step in steps for line in step.get("run", "").splitlines()]
    ours = [line.partition(" >> ")[0] for line in lines if line.startswith("shielded-function ")]
    assert len(ours) == 4
    for line in ours:
        check_commands(Block(block.page, block.line, "sh", line + "\n"))
    assert all("uses" in step or "run" in step for step in steps)
    assert {"check", "staging"} == workflow["jobs"].keys()
    assert workflow["jobs"]["staging"]["needs"] == "check"


def test_the_reference_has_every_name() -> None:
    text = (ROOT / "docs" / "reference" / "shielded_function.md").read_text()
    assert sorted(re.findall(r"^::: shielded_function\.([A-Z]\w+)$", text, re.MULTILINE)) == sorted(
        shielded_function.__all__
    )
