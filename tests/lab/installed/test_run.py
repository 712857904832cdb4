"""`shielded-function run` from the wheel, in a new environment: no checkout, no PATH, a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from integration.cli import shop
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a virtual environment with `shielded-function[run]`, whose files lost their modes."""
    with Sandbox() as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(f"no namespaces on this machine: {sandbox.isolation.note}")
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-compile", f"{wheel}[run]"]
    subprocess.run(pip, check=True, stdin=subprocess.DEVNULL)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in ("shielded_function_emulator/bootstrap.sh", "shielded_function_runtime/binaries"):
        for file in [packages / name, *(packages / name).rglob("*")]:
            if file.is_file():
                file.chmod(0o644)
    return folder


def test_a_function_is_tried_out(installed: Path, tmp_path: Path) -> None:
    assembly, cache = shop.synthesize(tmp_path), tmp_path / "cache"
    environment = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment |= {"PATH": "/nowhere", "HOME": os.environ.get("HOME", "/"), "XDG_CACHE_HOME": str(cache)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [str(installed / "bin" / "shielded-function"), "run", str(assembly), *arguments]
        event = json.dumps(shop.EVENT)
        return subprocess.run(
            program, cwd="/", env=environment, input=event, capture_output=True, text=True, check=False
        )

    # as docs/guide/command-line.md has it
    first = run("Shop/Checkout", "--event", "-", "--json")
    assert first.returncode == 3, first.stdout + first.stderr
    (line,) = first.stderr.splitlines()
    assert line.startswith("shielded-function: fetching AWS's Lambda runtime interface emulator")
    assert line.endswith(f"into {cache / 'shielded-function'}")
    told = json.loads(first.stdout)
    policies = {"outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler"}
    assert {alert["policy"] for alert in told["alerts"]} == policies
    assert [said.partition(":")[0] for said in told["result"].values()] == ["failed"] * 6
    assert told["alarms"][0]["after"] == "ALARM"

    again = run("Shop/Checkout", "--event", "-", "--alert")
    assert (again.returncode, again.stderr) == (3, "")
    assert "collector.evil.example:80" in again.stdout
