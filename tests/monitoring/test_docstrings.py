"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import shielded_function_monitoring

_PACKAGE = "shielded_function_monitoring."
MODULES = [
    module.name.removeprefix(_PACKAGE)
    for module in pkgutil.walk_packages(shielded_function_monitoring.__path__, _PACKAGE)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"{_PACKAGE}{name}"))
    assert results.failed == 0


def test_there_are_examples() -> None:
    assert {"alarm", "alert", "filters", "pattern"} <= set(MODULES)
