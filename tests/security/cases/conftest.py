"""The layer under test, built if need be; and the cases of a test module, run once for all its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from shielded_function_emulator.machine import architecture
from shielded_function_runtime.build.native import BINARIES, build


@pytest.fixture(scope="session")
def layer() -> Path:
    build([f"layer/{architecture()}"])
    return BINARIES / "layer" / architecture()
