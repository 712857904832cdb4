"""The layer under test, built if need be; and the cases of a test module, run once for all its tests."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from shielded_function_runtime.build.native import BINARIES, build


@pytest.fixture(scope="session")
def layer() -> Path:
    build([f"layer/{platform.machine()}"])
    return BINARIES / "layer" / platform.machine()
