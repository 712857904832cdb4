"""The engine under test."""

import pytest

from harness.engine import layer, sandbox, task
from shielded_function_emulator.sandbox import Sandbox

PROMISE = "shield.transparent"

__all__ = ["layer", "sandbox", "task"]


@pytest.fixture(scope="module")
def box(sandbox: Sandbox) -> Sandbox:
    """With the programs of harness/inside; modules with more in /var/task have a box of their own."""
    return sandbox
