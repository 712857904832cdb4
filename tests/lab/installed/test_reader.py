"""What a reader of README.md does: a new CDK app, `pip install`, the first example pasted, `cdk synth`."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shielded_function_emulator import node_program as node

pytestmark = [pytest.mark.promise("package.docs"), pytest.mark.long]

_SECONDS = 600


def blocks(language: str, text: str) -> list[str]:
    """The fenced blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


class Reader:
    """A shell in a project's folder, with its virtual environment activated as `source .venv/bin/activate` does."""

    def __init__(self, project: Path, cdk: Path, settings: Mapping[str, str]) -> None:
        self.project = project
        bin_folder = project.parent / "bin"
        bin_folder.mkdir()
        (bin_folder / "cdk").symlink_to(cdk)
        path = [project / ".venv" / "bin", bin_folder, node.choose().parent, "/usr/local/bin", "/usr/bin", "/bin"]
        kept = ("PIP_", "LANG", "TMPDIR", "HOME")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name.startswith(kept)},
            **settings,
            "CDK_HOME": str(project.parent),
            "PATH": os.pathsep.join(str(folder) for folder in path),
            "VIRTUAL_ENV": str(project / ".venv"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }

    def types(self, commands: str) -> str:
        """Runs commands with a shell that stops at the first failure; returns what they printed."""
        shell, quiet = ["bash", "-euo", "pipefail", "-c", commands], subprocess.DEVNULL
        pipes: Any = {"stdin": quiet, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(shell, cwd=self.project, env=self.environment, timeout=_SECONDS, check=False, **pipes)
        assert done.returncode == 0, f"{commands}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def readme(checkout: Path) -> str:
    return (checkout / "README.md").read_text()


@pytest.fixture(scope="module")
def reader(checkout: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A reader who has made an app with the CDK's own command and installed what its requirements.txt names."""
    cdk = checkout / "node_modules" / ".bin" / "cdk"
    if not cdk.exists() or not shutil.which("bash"):
        pytest.skip("there is no bash, or no CDK command line in node_modules (make setup)")
    project = tmp_path_factory.mktemp("reader") / "shop"
    project.mkdir()
    cache = subprocess.check_output([sys.executable, "-m", "pip", "cache", "dir"], text=True).strip()
    # The index that pip asks is the machine's; this package alone comes from where it was built.
    found = " ".join(filter(None, [str(wheel.parent), os.environ.get("PIP_FIND_LINKS")]))
    reader = Reader(project, cdk, {"PIP_CACHE_DIR": cache, "PIP_FIND_LINKS": found})
    reader.types("cdk init app --language python --generate-only")
    subprocess.run([sys.executable, "-m", "venv", str(project / ".venv")], check=True)
    reader.types("pip install --quiet -r requirements.txt")
    return reader


def test_a_reader_of_the_readme_gets_a_shielded_function(reader: Reader, readme: str, checkout: Path) -> None:
    install, *_ = [block for block in blocks("sh", readme) if "pip install" in block]
    assert shlex.split(install) == ["pip", "install", "shielded-function"]
    reader.types(install)
    installed = reader.types("python -c 'import shielded_function; print(shielded_function.__file__)'").strip()
    assert Path(installed).is_relative_to(reader.project)
    assert Path(installed).read_bytes() == (checkout / "constructs/shielded_function/__init__.py").read_bytes()

    (reader.project / "app.py").write_text(blocks("python", readme)[0])
    (reader.project / "src").mkdir()
    (reader.project / "src" / "app.py").write_text("def handler(event, context):\n    return 'done'\n")
    printed = reader.types("cdk synth")
    assert "AWS_LAMBDA_EXEC_WRAPPER: /opt/shielded-function/shield" in printed

    template = json.loads((reader.project / "cdk.out" / "Shop.template.json").read_text())
    (function,) = of_type(template, "AWS::Lambda::Function")
    variables = function["Environment"]["Variables"]
    assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/shielded-function/shield"
    assert variables["SHIELD_ALLOW_OUTBOUND"] == "api.stripe.com:443"
    assert variables["SHIELD_OUTBOUND_CONNECTIVITY"] == "alert"
    assert len(function["Layers"]) == 1
    assert len(of_type(template, "AWS::Logs::MetricFilter")) == 1
    assert len(of_type(template, "AWS::CloudWatch::Alarm")) == 2
    (layer,) = (reader.project / "cdk.out").glob("asset.*.zip")
    with zipfile.ZipFile(layer) as archive:
        assert archive.getinfo("shielded-function/shield").external_attr >> 16 & 0o777 == 0o755


def test_the_installed_commands_answer(reader: Reader, readme: str) -> None:
    """The command is on the reader's PATH after `pip install` alone, and says what it needs."""
    reader.types("pip install --quiet shielded-function")
    assert reader.types("shielded-function --version || echo $?").splitlines() == [
        "shielded-function: the command line needs boto3, jinja2, rich, typer: pip install 'shielded-function[cli]'",
        "2",
    ]
    _, install, *_ = [block for block in blocks("sh", readme) if "pip install" in block]
    reader.types(install)
    assert reader.types("shielded-function --version").startswith("shielded-function ")
    assert " demo " not in reader.types("shielded-function --help")
    allowed = "SHIELD_ALLOW_OUTBOUND=api.stripe.com:443 shielded-function decide connect api.stripe.com:443"
    assert reader.types(allowed).startswith("allow")
    assert "0 errors" in reader.types("shielded-function audit cdk.out")


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]
