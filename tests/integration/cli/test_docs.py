"""The shell blocks of the pages about the command line run as they stand, from top to bottom."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path

import pytest
from typer.main import get_command

from integration.cli.moto_account import moto_account
from integration.cli.running import shell
from shielded_function.cli.app import app

pytestmark = pytest.mark.promise("package.docs")

PAGES = ("command-line.md", "other-deployments.md", "runbook.md")

GUIDE = Path(__file__).parents[3] / "docs" / "guide"


def blocks(page: str) -> list[str]:
    """A block may be part of a list, and indented."""
    text = (GUIDE / page).read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(r"^ *```shell\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)]


def test_the_page_of_sam_and_terraform(tmp_path: Path) -> None:
    found = blocks("other-deployments.md")
    assert len(found) >= 4
    done = shell("\n".join(found), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"checkout.policy", "layer.zip", "template.yaml", "checkout.tf"}
    text = (GUIDE / "other-deployments.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert set(lines.splitlines()) <= set((tmp_path / "template.yaml").read_text().splitlines())


@pytest.mark.long
def test_the_break_glass_section(tmp_path: Path) -> None:
    if not shutil.which("aws"):
        pytest.skip("the page uses the AWS CLI: install it")
    with moto_account() as (here, client):
        client.publish_version(FunctionName="checkout")
        client.create_alias(FunctionName="checkout", Name="live", FunctionVersion="1")
        printed: list[str] = []
        for block in blocks("runbook.md"):
            done = shell(block, tmp_path, **here)
            assert done.returncode == 0, block + done.stdout + done.stderr
            printed.append(done.stdout)
        assert json.loads(printed[-1])["SHIELD_OUTBOUND_CONNECTIVITY"] == "block"
        assert client.get_alias(FunctionName="checkout", Name="live")["FunctionVersion"] == "2"


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_name_commands_and_options_that_exist(page: str) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    text = (GUIDE / page).read_text(encoding="utf-8")
    used = re.findall(r"^ *shielded-function ([a-z-]+)(.*)$", text, re.MULTILINE)
    assert used
    for name, rest in used:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, name


def test_the_page_names_every_command() -> None:
    text = (GUIDE / "command-line.md").read_text(encoding="utf-8")
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, (?:or )?)?)+) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z][a-z-]*)`", row)}
    assert commands <= named
