"""The functions of a synthesized template, one for each version of Java, and what came of each run of them."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from aws_cdk import aws_lambda as lambda_

from runtimes.functions import STACK, Described, synthesize
from runtimes.java import building
from runtimes.java.table import LINES
from shielded_function import ShieldPolicy
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage
from shielded_function_emulator.languages import find, java

PROMISE = "runtime.java"


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    if reason := java.LIBRARIES.missing():
        pytest.skip(reason)
    try:
        building.CODE.fetch()
    except LookupError as error:
        pytest.skip(str(error.args[0]))
    described = [
        Described(
            f"java{line}",
            lambda_.Runtime(java.name_of(line), lambda_.RuntimeFamily.JAVA),
            "attempts.Handler::handle",
            building.CLASSES,
            ShieldPolicy(read_handler="block"),
        )
        for line in LINES
    ]
    return synthesize(tmp_path_factory.mktemp("java") / "cdk.out", described)


@pytest.fixture(scope="session")
def package(assembly: CloudAssembly) -> Callable[[int], FunctionPackage]:
    """The shielded function of a version of Java, with every control at block. Skips where that is not there."""

    @functools.cache
    def of(line: int) -> FunctionPackage:
        if reason := find(java.name_of(line)).missing():
            pytest.skip(reason)
        return assembly.function(STACK, f"java{line}")

    return of
