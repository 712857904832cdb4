"""Every example, synthesized once where a test asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from harness.checkout_app import synthesized
from harness.in_moto import aws as aws
from integration.examples.catalogue import FOLDER
from shielded_function_emulator.sandbox import Sandbox

PROMISE = "construct.examples"

Assembly = Callable[[str], Path]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The folder that `cdk synth` wrote for an example, by the example's name."""
    return cache(lambda name: synthesized(tmp_path_factory, FOLDER / name).directory)


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skips where this machine gives none."""
    with Sandbox():
        pass
