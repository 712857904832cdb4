"""These tests are about aarch64 alone: they run where that is the machine under test (`make test-arm64`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulated_lambda.machine import AARCH64, VARIABLE, architecture
from emulated_lambda.sandbox import Sandbox
from shielded_function_runtime.build.native import BINARIES, build

INSIDE = Path(__file__).parent / "inside"


@pytest.fixture(scope="session")
def layer() -> Path:
    if architecture() != AARCH64:
        pytest.skip(f"this machine is {architecture()}: `make test-arm64` sets {VARIABLE}={AARCH64}")
    build([f"layer/{AARCH64}"])
    return BINARIES / "layer" / AARCH64


def open_sandbox(task: Path, layer: Path, **mounts: Path) -> Sandbox:
    """A sandbox to enter, with each of `mounts` below /var.

    Raises SandboxError where aarch64 cannot be emulated.
    """
    for path in [task, *task.rglob("*"), *task.parents[:3]]:
        path.chmod(0o755)
    return Sandbox(task, layer, {f"/var/{name}": path for name, path in mounts.items()})
