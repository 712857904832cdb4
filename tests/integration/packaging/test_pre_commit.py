"""`.pre-commit-config.yaml` and `make lint` run the same tools in the same way."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.checkout import committed

pytestmark = pytest.mark.promise("construct.checks")


@pytest.fixture(scope="module")
def hooks(checkout: Path) -> list[dict[str, Any]]:
    (repository,) = yaml.safe_load((checkout / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    return repository["hooks"]


def lint_commands(makefile: str) -> list[str]:
    """The recipe of `lint`, with make's variables as they are on every machine."""
    variables = dict(re.findall(r"^(VENV|BIN|RUN) := (.*)$", makefile, re.MULTILINE))
    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    commands = recipe.replace(" $(C_FILES)", "")
    while found := re.search(r"\$\((\w+)\)", commands):
        commands = commands.replace(found[0], variables[found[1]])
    return [line.removeprefix("\t@") for line in commands.splitlines()]


def test_pre_commit_runs_what_lint_runs(checkout: Path, hooks: list[dict[str, Any]]) -> None:
    assert [hook["entry"] for hook in hooks] == lint_commands((checkout / "Makefile").read_text())


def test_pre_commit_takes_the_configuration(checkout: Path) -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_pre_commit_checks_the_c_that_lint_checks(checkout: Path, hooks: list[dict[str, Any]]) -> None:
    (hook,) = [hook for hook in hooks if hook["id"] == "clang-format"]
    checked = {name for name in committed("*.c", "*.h") if not re.search(hook["exclude"], name)}
    listing = "include Makefile\nlisted:\n\t@echo $(C_FILES)\n"
    made = subprocess.run(
        ["make", "-s", "-f", "-", "listed"], cwd=checkout, input=listing, capture_output=True, text=True
    )
    assert checked == set(made.stdout.split())
