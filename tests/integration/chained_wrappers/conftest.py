"""One app with a function for every wrapper, synthesized once, and the layer that the wrappers are in."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from harness import programs
from harness.compiling import compile_c
from harness.engine import layer
from integration.chained_wrappers.catalogue import CASES, HERE, Case, write_scripts
from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function_emulator.cloud_assembly import CloudAssembly

PROMISE = "child.wrappers"
__all__ = ["layer"]

STACK, UNSHIELDED = "Wrapped", "Unshielded"
_ARCHITECTURE = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}


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
    folder = tmp_path_factory.mktemp("wrapped")
    app = cdk.App(
        outdir=str(folder / "cdk.out"), analytics_reporting=False, context={"aws:cdk:enable-path-metadata": True}
    )
    stack = cdk.Stack(app, STACK)
    code = lambda_.Code.from_asset(str(HERE / "code"), exclude=["**/__pycache__"])
    common: Any = {"runtime": lambda_.Runtime.PYTHON_3_13, "code": code}
    common |= {"architecture": _ARCHITECTURE[platform.machine()], "timeout": cdk.Duration.seconds(30)}

    def version(name: str, content: Path) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(stack, name, code=lambda_.Code.from_asset(str(content)))

    wrappers, adapter = version("Wrappers", _make_layer(folder / "layer")), version("Adapter", HERE / "adapter")
    for name, case in CASES.items():
        ShieldedFunction(
            stack,
            name,
            handler=case.handler,
            environment=_options(case),
            layers=[wrappers, adapter] if case.adapter else [wrappers],
            policy=ShieldPolicy(read_handler="block"),
            **common,
        )
    lambda_.Function(
        stack,
        UNSHIELDED,
        handler="app.handler",
        environment=_options(CASES["PlainSh"]),
        layers=[wrappers],
        **common,
    )
    app.synth()
    return CloudAssembly(folder / "cdk.out")
