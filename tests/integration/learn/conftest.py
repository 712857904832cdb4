"""The promise of the tests here that name no other. They need a sandbox."""

from __future__ import annotations

import pytest

from shielded_function_emulator.sandbox import Sandbox

PROMISE = "cli.learn"


@pytest.fixture(scope="module", autouse=True)
def _sandbox() -> None:
    with Sandbox() as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(f"no namespaces on this machine: {sandbox.isolation.note}")
