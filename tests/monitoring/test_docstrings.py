"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import shielded_function_monitoring

MODULES = [module.name for module in pkgutil.iter_modules(shielded_function_monitoring.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"shielded_function_monitoring.{name}"))
    assert results.failed == 0


def test_there_are_examples() -> None:
    assert {"alarm", "alert", "filters", "pattern", "queries"} <= set(MODULES)
