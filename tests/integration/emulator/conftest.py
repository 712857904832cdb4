"""A function, and sandboxes of each kind that this machine can make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shielded_function_emulator.cloud_assembly import FunctionPackage, InlineCode
from shielded_function_emulator.sandbox import Sandbox

PROMISE = "cli.run"

PACKAGE = FunctionPackage(
    logical_id="Fn",
    name="fn",
    code=InlineCode("app.py", "def handler(event, context):\n    return 1"),
    layers=(),
    handler="app.handler",
    runtime="python3.13",
    memory_mb=128,
    timeout_seconds=20,
    environment={},
)
KINDS = ("root", "user-namespace")


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A /var/task with one file."""
    folder = tmp_path_factory.mktemp("task")
    folder.chmod(0o755)
    (folder / "app.py").write_text("print('hello')\n")
    return folder


@pytest.fixture(scope="module", params=KINDS)
def sandbox(request: pytest.FixtureRequest, task: Path) -> Iterator[Sandbox]:
    """A whole sandbox of one kind."""
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    with Sandbox(task=task, ways=(request.param,)) as made:
        yield made
