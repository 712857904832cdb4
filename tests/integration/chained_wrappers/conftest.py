"""One app with a function for every wrapper, synthesized once, and the layer that the wrappers are in."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from harness import programs
from harness.compiling import compile_c
from harness.engine import layer
from integration.chained_wrappers.catalogue import CASES, HERE, Case, write_scripts
from runtimes.functions import Described, synthesize
from shielded_function import ShieldPolicy
from shielded_function_emulator.cloud_assembly import CloudAssembly

PROMISE = "child.wrappers"
__all__ = ["layer"]

UNSHIELDED = "Unshielded"


def _make_layer(into: Path) -> Path:
    """The wrappers, an interpreter of their own, and a library to preload, under the names that the cases use."""
    shutil.copytree(HERE / "layer", into, ignore=shutil.ignore_patterns("__pycache__"))
    write_scripts(into / "wrappers")
    interpreter = into / "interpreter" / "bin" / "python3"
    interpreter.parent.mkdir(parents=True)
    shutil.copy2(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}").resolve(), interpreter)
    libraries = sorted({case.library for case in CASES.values() if case.library})
    for name in libraries:
        (into / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
    first = into / "lib" / libraries[0]
    compile_c([HERE / "c" / "interposing.c"], first, "-shared", "-fPIC", target=f"{platform.machine()}-linux-gnu")
    for name in libraries[1:]:
        shutil.copy2(first, into / "lib" / name)
    if file := programs.jemalloc():
        shutil.copy2(file, into / "lib" / file.name)
    return into


def _options(case: Case) -> dict[str, str]:
    return dict(case.environment) | ({"AWS_LAMBDA_EXEC_WRAPPER": case.wrapper} if case.wrapper else {})


@pytest.fixture(scope="session")
def assembly(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """The app, as `cdk synth` writes it."""
    blocked = ShieldPolicy(read_handler="block")
    cases = {name: (case, blocked) for name, case in CASES.items()} | {UNSHIELDED: (CASES["PlainSh"], None)}
    functions = [
        Described(name, lambda_.Runtime.PYTHON_3_13, case.handler, HERE / "code", policy, _options(case))
        for name, (case, policy) in cases.items()
    ]
    return synthesize(tmp_path_factory.mktemp("wrapped") / "cdk.out", functions)


@pytest.fixture(scope="session")
def wrappers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer with all of them."""
    return _make_layer(tmp_path_factory.mktemp("wrappers") / "layer")
