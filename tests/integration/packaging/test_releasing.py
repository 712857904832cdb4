"""The commands of docs/contributing/releasing.md: run here, or read by the AWS CLI itself, which then calls nothing."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from integration.docs.pages import ROOT, read_page

pytestmark = pytest.mark.promise("package.docs")


@pytest.fixture(scope="module")
def commands() -> list[str]:
    blocks = [block.text for block in read_page(ROOT / "docs/contributing/releasing.md").blocks if block.elsewhere]
    return [line for text in blocks for line in text.replace("\\\n", "").splitlines()]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_MAX_ATTEMPTS": "1"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_releasing_writes_layers_and_sboms(commands: list[str], tmp_path: Path) -> None:
    ours = [command for command in commands if command.startswith("shielded-function ")]
    for command in ours:
        done = run(shlex.split(command), tmp_path)
        assert done.returncode == 0, done.stderr
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"x86_64.zip", "x86_64.cdx.json", "arm64.zip", "arm64.cdx.json", "deployed.zip"}


@pytest.mark.long  # each command takes seconds to start
def test_releasing_has_commands_that_aws_understands(commands: list[str], tmp_path: Path) -> None:
    """The AWS CLI checks options and values first, and only then finds that nobody listens."""
    if not shutil.which("aws", path=str(Path(sys.executable).parent)):
        pytest.skip("the AWS CLI is not installed (make setup)")
    (tmp_path / "arm64.zip").touch()
    aws = [shlex.split(command) for command in commands if command.startswith("aws ")]
    assert len(aws) == 6
    for command in aws:
        done = run([*command, "--no-sign-request", "--endpoint-url", "http://127.0.0.1:1"], tmp_path)
        assert "Could not connect to the endpoint URL" in done.stderr, f"{command}: {done.stderr}"
    wrong = run(["aws", "signer", "put-signing-profile", "--profile", "shield", "--no-sign-request"], tmp_path)
    assert "Could not connect" not in wrong.stderr


def test_releasing_builds_by_a_target_that_is_there(commands: list[str], checkout: Path) -> None:
    (target,) = [command for command in commands if command.startswith("make ")]
    done = run([*shlex.split(target), "--dry-run"], checkout)
    assert done.returncode == 0, done.stderr
    assert "hatchling build -d dist" in done.stdout


def test_a_release_refuses_a_placeholder(checkout: Path, tmp_path: Path) -> None:
    """In a tree with contacts and addresses it goes on."""
    script = tmp_path / ".ci" / "release"
    script.parent.mkdir()
    shutil.copy(checkout / ".ci" / "release", script)
    project = tmp_path / "pyproject.toml"
    pages = [tmp_path / name for name in ("SECURITY.md", "project.yaml", "insights.yml", "Dockerfile")]
    for page in pages:
        page.write_text("write to `PLACEHOLDER: security contact`\n")
    project.write_text('[project]\nname = "a"\n')
    done = run([str(script), "--check"], tmp_path)
    assert done.returncode == 1
    assert all(f"{page.name}:1:" in done.stderr for page in pages)
    assert "[project.urls] is missing" in done.stderr
    for page in pages:
        page.write_text("write to security@example.com\n")
    project.write_text('[project.urls]\nRepository = "https://example.com"\n')
    assert run([str(script), "--check"], tmp_path).returncode == 0
