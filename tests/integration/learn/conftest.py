"""The promise of the tests here that name no other. They need a sandbox."""

from __future__ import annotations

import pytest

from shielded_function_emulator.sandbox import Sandbox

PROMISE = "cli.learn"


@pytest.fixture(scope="module", autouse=True)
def _sandbox() -> None:
    with Sandbox():
        pass  # skips where this machine gives no namespaces
