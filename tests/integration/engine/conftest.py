"""The engine under test."""

from collections.abc import Iterator

import pytest

from harness.engine import layer, sandbox, task
from harness.running import whole_sandbox
from shielded_function_emulator.sandbox import Sandbox

PROMISE = "shield.transparent"

__all__ = ["layer", "sandbox", "task"]


@pytest.fixture(scope="module")
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """With the programs of harness/inside. A module that has more of them (`fill_task`), or that Lambda's filter would
    keep from its attempts (`FILTERED = False`), has a box of its own."""
    fill, filtered = getattr(request.module, "fill_task", bool), getattr(request.module, "FILTERED", True)
    if filtered and fill is bool:
        yield request.getfixturevalue("sandbox")
        return
    task = request.getfixturevalue("task")
    fill(task)
    with whole_sandbox(task, request.getfixturevalue("layer"), filtered=filtered) as sandbox:
        yield sandbox
