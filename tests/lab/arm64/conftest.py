"""These tests are about aarch64 alone: they run where that is the machine under test (`make test-arm64`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from shielded_function_emulator.machine import AARCH64, VARIABLE, architecture
from shielded_function_emulator.sandbox import Sandbox, SandboxError
from shielded_function_runtime.build.native import BINARIES, build

PROMISE = "runtime.aarch64"

INSIDE = Path(__file__).parent / "inside"


@pytest.fixture(scope="session")
def layer() -> Path:
    if architecture() != AARCH64:
        pytest.skip(f"this machine is {architecture()}: `make test-arm64` sets {VARIABLE}={AARCH64}")
    build([f"layer/{AARCH64}"])
    return BINARIES / "layer" / AARCH64


@contextmanager
def entered(task: Path, layer: Path, mounts: Mapping[str, Path]) -> Iterator[Sandbox]:
    """A sandbox that is an aarch64 machine; where there can be none, the test is skipped, with the reason."""
    for path in [task, *task.rglob("*"), *task.parents[:3]]:
        path.chmod(0o755)
    try:
        with Sandbox(task, layer, mounts) as sandbox:
            yield sandbox
    except SandboxError as error:
        pytest.skip(str(error))
