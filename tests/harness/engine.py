"""The engine under test, as fixtures: the layer of this machine's architecture, and a sandbox to run programs in.

A suite's conftest.py imports those that it wants.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.system_calls import kernel_calls
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_runtime.build.native import BINARIES, build

INSIDE = Path(__file__).parent / "inside"


@pytest.fixture(scope="session")
def layer() -> Path:
    build([f"layer/{architecture()}"])
    return BINARIES / "layer" / architecture()


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function's code, for the tests of a module to add to. It has the numbers of this machine's system calls."""
    folder = tmp_path_factory.mktemp("task") / "code"
    shutil.copytree(INSIDE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "numbers.json").write_text(json.dumps(kernel_calls(architecture())))
    return folder


@pytest.fixture(scope="session")
def sandbox(layer: Path) -> Iterator[Sandbox]:
    with Sandbox(task=INSIDE, layers=layer) as box:
        yield box
