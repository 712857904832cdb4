"""A listed program starts with each option that a language has for it: nothing that happens in between is an alert."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.thinning import long_but
from runtimes.functions import STACK, Described, shield_lines, synthesize
from runtimes.java.table import FROM_11 as JAVA
from shielded_function import ShieldPolicy
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.languages.parts import run
from shielded_function_runtime.build.native import build

pytestmark = pytest.mark.promise("child.listed")

HERE = Path(__file__).parent
POLICY = ShieldPolicy(allow_child_process=["/bin/sh", "/usr/bin/cut"])
NODE = (20, 22, 24)
# What is not to start: the kernel says so, shielded or not.
REFUSED: Mapping[str, object] = {
    "cwd-missing": "ENOENT",
    "uid-of-root": "EPERM",
    "user_of_root": "PermissionError",
    "extra_groups": "PermissionError",
    "directory_missing": 'Cannot run program "/bin/sh" (in directory "/missing")',
}


class Started(NamedTuple):
    """A runtime, its handler and code, and variables of the function."""

    name: str
    family: lambda_.RuntimeFamily
    handler: str
    code: Callable[[Path], Path]
    variables: Mapping[str, str] = {}


def copied(folder: str) -> Callable[[Path], Path]:
    return lambda into: shutil.copytree(HERE / folder, into, ignore=shutil.ignore_patterns("__pycache__"))


def java_code(into: Path) -> Path:
    try:
        compilers = java.compilers()
    except LookupError as error:
        pytest.skip(str(error.args[0]))
    run([compilers[min(compilers)], "--release", "11", "-d", into, HERE / "java" / "Spawn.java"])
    return into


def of_java(line: int, mechanism: str) -> Started:
    variables = {"JAVA_TOOL_OPTIONS": f"-Djdk.lang.Process.launchMechanism={mechanism}"}
    return Started(f"java{line}", lambda_.RuntimeFamily.JAVA, "Spawn::handle", java_code, variables)


ROWS = {
    f"python3.{sys.version_info.minor}": Started(
        f"python3.{sys.version_info.minor}", lambda_.RuntimeFamily.PYTHON, "app.handler", copied("python")
    ),
    **{
        f"node{line}": Started(f"nodejs{line}.x", lambda_.RuntimeFamily.NODEJS, "index.handler", copied("node"))
        for line in NODE
    },
    **{f"java{line}-{how}": of_java(line, how) for line in JAVA for how in ("POSIX_SPAWN", "VFORK", "FORK")},
}
OFTEN = {"node24"}


@pytest.mark.parametrize("row", long_but(OFTEN, ROWS))
def test_a_listed_program_starts_with_each_option(row: str, tmp_path: Path) -> None:
    started = ROWS[row]
    if reason := find(started.name).missing():
        pytest.skip(reason)
    build([f"layer/{platform.machine()}"])
    code, runtime = started.code(tmp_path / "code"), lambda_.Runtime(started.name, started.family)
    described = [
        Described(id, runtime, started.handler, code, policy, started.variables)
        for id, policy in (("Unshielded", None), ("Shielded", POLICY))
    ]
    assembly = synthesize(tmp_path / "cdk.out", described)
    found: dict[str, dict[str, object]] = {}
    for id in ("Unshielded", "Shielded"):
        with EmulatedFunction(assembly.function(STACK, id)) as function:
            invocation = function.invoke({})
        assert not invocation.failed, (invocation.payload, invocation.log)
        found[id] = invocation.payload
        alerts = shield_lines(invocation.log)[0]
        assert [(alert.policy, alert.details) for alert in alerts] == []
    assert found["Shielded"] == found["Unshielded"]
    strange = {name: said for name, said in found["Shielded"].items() if said != 7}
    assert all(str(said).startswith(str(REFUSED.get(name, 7))) for name, said in strange.items()), strange
