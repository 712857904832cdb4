"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import shielded_function_monitoring


@pytest.mark.promise("package.docs")
def test_examples() -> None:
    path, prefix = shielded_function_monitoring.__path__, f"{shielded_function_monitoring.__name__}."
    modules = [importlib.import_module(module.name) for module in pkgutil.walk_packages(path, prefix)]
    results = {module.__name__.removeprefix(prefix): doctest.testmod(module) for module in modules}
    assert [name for name, found in results.items() if found.failed] == []
    assert {"alarm", "alert", "filters", "pattern", "queries"} <= {
        name for name, found in results.items() if found.attempted
    }
