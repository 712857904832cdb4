"""The functions of a synthesized template, one for each version of Java, and what came of each run of them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimes.java import building
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.synthesis import synthesize


@pytest.fixture(scope="session")
def code() -> building.Code:
    if reason := java.LIBRARIES.missing():
        pytest.skip(reason)
    try:
        return building.build()
    except LookupError as error:
        pytest.skip(str(error.args[0]))


@pytest.fixture(scope="session")
def assembly(code: building.Code, tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    output = tmp_path_factory.mktemp("java") / "cdk.out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "JAVA_CODE", str(code.classes))
        synthesize(Path(__file__).parent / "app", output)
    return CloudAssembly(output)


@pytest.fixture(scope="session")
def package(assembly: CloudAssembly) -> Callable[[int], FunctionPackage]:
    """The shielded function of a version of Java, with the default policy. Skips where that is not there."""

    @functools.cache
    def of(line: int) -> FunctionPackage:
        if reason := find(f"java{line}").missing():
            pytest.skip(reason)
        return assembly.function("Java", f"java{line}")

    return of
