"""A function in C#, compiled when it is tested, and described in one synthesized app in each mode."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from lab.dotnet.table import ATTEMPTS
from runtimes.attempts import MODES
from runtimes.functions import AUTHORITY, STACK, Described, Run, attempt_all, policy_of, synthesize
from shielded_function import ShieldPolicy
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage
from shielded_function_emulator.languages import dotnet
from shielded_function_runtime.build.native import build

PROMISE = "runtime.dotnet"

HERE = Path(__file__).parent
LINE = 8
RUNTIME = dotnet.VERSIONS[LINE]
DEFAULT = "default"
# Where AWS's bootstrap finds `Function.dll`: it may be named with its ending, without, and with the handler's method.
HANDLERS = ("Function.dll", "Function", "Function::Function::Handle")
# What that bootstrap makes of the second and third; the handler is one more argument here, which nobody reads.
BY_BOOTSTRAP = {"EMULATED_LAMBDA_COMMAND": "/var/lang/bin/dotnet exec /var/task/Function.dll"}


def _compile(sources: Path, out: Path) -> None:
    compiler = dotnet.COMPILER.folder
    command = [sys.executable, HERE / "compiler.py", dotnet.home(LINE), compiler / "roslyn", out]
    done = subprocess.run(
        [*command, *sorted(sources.glob("*.cs"))],
        env={**os.environ, "PYTHONPATH": str(compiler / "python")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function's folder: its assembly, and that of a program that it may start."""
    if reason := RUNTIME.missing() or dotnet.COMPILER.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("dotnet") / "code"
    folder.mkdir()
    _compile(HERE / "handler", folder / "Function.dll")
    _compile(HERE / "child", folder / "Child.dll")
    return folder


@pytest.fixture(scope="session")
def assembly(code: Path, tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    build([f"layer/{platform.machine()}"])
    runtime = lambda_.Runtime(f"dotnet{LINE}", lambda_.RuntimeFamily.DOTNET_CORE)
    policies = {mode: policy_of(mode) for mode in MODES} | {DEFAULT: ShieldPolicy()}
    described = [Described(id, runtime, HANDLERS[0], code, policy) for id, policy in policies.items()]
    for number, handler in enumerate(HANDLERS):
        described.append(Described(f"handler-{number}", runtime, handler, code, ShieldPolicy(read_handler="block")))
    return synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out", described)


@pytest.fixture(scope="session")
def package(assembly: CloudAssembly) -> Callable[[str], FunctionPackage]:
    """A function of the app, by its name: a mode, `default`, `handler-1`."""
    return functools.partial(assembly.function, STACK)


Runs = Callable[[str], Run]


@pytest.fixture(scope="session")
def runs(package: Callable[[str], FunctionPackage], code: Path) -> Runs:
    """All attempts in a mode, each made once."""
    native = next(dotnet.home(LINE).glob("shared/*/*/libSystem.Native.so"))
    in_tmp: Mapping[str, bytes] = {
        "there.dll": (code / "Function.dll").read_bytes(),
        "there.so": native.read_bytes(),
    }
    # As on Amazon Linux 2023, certificates come from the folder: the bundle is set to a file that is not there.
    environment = {"SSL_CERT_DIR": str(Path(AUTHORITY).parent)}

    @functools.cache
    def run(mode: str) -> Run:
        return attempt_all(package(mode), ATTEMPTS, environment=environment, in_tmp=in_tmp, runtime=RUNTIME)

    return run
