"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import shielded_function_monitoring

pytestmark = pytest.mark.promise("package.docs")

PREFIX = f"{shielded_function_monitoring.__name__}."
MODULES = [
    module.name.removeprefix(PREFIX) for module in pkgutil.walk_packages(shielded_function_monitoring.__path__, PREFIX)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"shielded_function_monitoring.{name}"))
    assert results.failed == 0


def test_there_are_examples() -> None:
    wanted = {"alarm", "alert", "filters", "pattern", "queries", "simulated.composite", "simulated.metrics"}
    assert wanted <= set(MODULES)
