"""Three invocations: the first and the second each make files by the language's own ways, and the next looks."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.thinning import long_but
from runtimes.functions import STACK, Described, shield_lines, synthesize
from runtimes.java.table import FROM_11 as JAVA
from shielded_function import ShieldPolicy
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.languages.parts import run
from shielded_function_runtime.build.native import build

HERE = Path(__file__).parent
NODE = (20, 22, 24)
POLICY = ShieldPolicy(
    read_write_tmp="allow", clear_tmp=True, allow_tmp=["/tmp/cache/**"], allow_child_process=["/bin/sh"]
)
CACHE = {"cache", "cache/library"}


def node_code(into: Path) -> Path:
    return shutil.copytree(HERE / "node", into)


def java_code(into: Path) -> Path:
    try:
        compilers = java.compilers()
    except LookupError as error:
        pytest.skip(str(error.args[0]))
    run([compilers[min(compilers)], "--release", "11", "-d", into, *sorted((HERE / "java").glob("*.java"))])
    return into


RUNTIMES = {
    **{f"nodejs{line}.x": (node_code, "index.handler", lambda_.RuntimeFamily.NODEJS) for line in NODE},
    **{f"java{line}": (java_code, "Clear::handle", lambda_.RuntimeFamily.JAVA) for line in JAVA},
}


@pytest.mark.parametrize("name", long_but({f"nodejs{max(NODE)}.x", f"java{max(JAVA)}"}, RUNTIMES))
def test_three_invocations(name: str, tmp_path: Path) -> None:
    code, handler, family = RUNTIMES[name]
    if reason := find(name).missing():
        pytest.skip(reason)
    build([f"layer/{platform.machine()}"])
    described = Described("Fn", lambda_.Runtime(name, family), handler, code(tmp_path / "code"), POLICY)
    package = synthesize(tmp_path / "cdk.out", [described]).function(STACK, "Fn")
    answers: list[Any] = []
    with EmulatedFunction(package) as function:
        log = [line for _ in range(3) for line in _invoke(function, answers)]
    first, second, third = answers
    started = set(first["before"])
    assert {"init", "init/kept"} <= started
    assert len(set(first["after"]) - started) > 10
    assert set(second["before"]) == started | CACHE
    assert len(set(second["after"]) - started) > 10
    assert set(third["before"]) == started | CACHE
    alerts, events = shield_lines(log)
    assert ([event.event for event in events], alerts) == (["armed"], [])


def _invoke(function: EmulatedFunction, answers: list[Any]) -> list[Any]:
    invocation = function.invoke({"make": True})
    assert not invocation.failed, (invocation.payload, invocation.log)
    answers.append(invocation.payload)
    return list(invocation.log)
