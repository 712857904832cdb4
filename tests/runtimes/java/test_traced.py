"""A function that brings AWS's X-Ray SDK under the default policy: what it notices, and what the daemon hears of it."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.thinning import long_but
from runtimes.functions import STACK, Described, synthesize
from runtimes.java.table import LINES
from shielded_function import ShieldPolicy
from shielded_function_emulator import xray
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.languages.parts import run
from shielded_function_emulator.sandbox import shield_lines
from shielded_function_runtime.build.native import build

pytestmark = pytest.mark.promise("runtime.xray")

HANDLERS = ("Early", "Late")
NAMES = ("cold", "warm")
MARK = "/tmp/.aws-xray/initialized"  # that the SDK leaves for the platform
EACH_LINE = pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), ids=lambda line: f"java{line}")


@dataclass(frozen=True)
class Traced:
    """What came of the invocations NAMES: the shield's lines, what the daemon heard, and whether the mark was left."""

    lines: list[dict[str, Any]]
    heard: list[dict[str, Any]]
    marked: bool


def compile_handlers(into: Path) -> Path:
    """The handlers, and the SDK's jars in `lib`."""
    try:
        compilers = java.compilers()
    except LookupError as error:
        pytest.skip(str(error.args[0]))
    shutil.copytree(java.XRAY.folder / "lib", into / "lib")
    path = os.pathsep.join(map(str, sorted((into / "lib").glob("*.jar"))))
    sources = sorted((Path(__file__).parent / "traced").rglob("*.java"))
    run([compilers[min(compilers)], "--release", "8", "-cp", path, "-d", into, *sources])
    return into


@pytest.fixture(scope="module")
def traced_functions(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """One function for each version of Java and each handler, with the default policy."""
    if missing := java.XRAY.missing():
        pytest.skip(missing)
    build([f"layer/{platform.machine()}"])
    folder = tmp_path_factory.mktemp("traced")
    code = compile_handlers(folder / "code")
    described = [
        Described(
            id=f"java{line}-{handler}",
            runtime=lambda_.Runtime(java.name_of(line), lambda_.RuntimeFamily.JAVA),
            handler=f"traced.{handler}::handle",
            code=code,
            policy=ShieldPolicy(),
            environment={"TRACE_HEADER": xray.HEADER},
        )
        for line in LINES
        for handler in HANDLERS
    ]
    return synthesize(folder / "cdk.out", described)


def invoke(functions: CloudAssembly, line: int, handler: str) -> Traced:
    if missing := find(java.name_of(line)).missing():
        pytest.skip(missing)
    package = functions.function(STACK, f"java{line}-{handler}")
    with EmulatedFunction(package, xray.ENVIRONMENT) as function, xray.XrayDaemon(function.sandbox) as daemon:
        invocations = [function.invoke({"name": name}) for name in NAMES]
        messages = [line.message for invocation in invocations for line in invocation.log]
        assert [invocation.payload for invocation in invocations] == [{"said": f"hello {n}"} for n in NAMES], messages
        return Traced(shield_lines(messages), daemon.take(len(NAMES)), function.sandbox.path(MARK).exists())


def assert_heard(documents: list[dict[str, Any]]) -> None:
    assert {document["trace_id"] for document in documents} == {xray.TRACE}
    heard = [(d["name"], d["annotations"]["name"], [inner["name"] for inner in d["subsegments"]]) for d in documents]
    assert heard == [("handling", name, ["greeting"]) for name in NAMES]


@EACH_LINE
@pytest.mark.parametrize("handler", HANDLERS)
def test_a_traced_function_notices_nothing(traced_functions: CloudAssembly, line: int, handler: str) -> None:
    """The recorder is made while the function is loaded, or in its first invocation."""
    traced = invoke(traced_functions, line, handler)
    assert [line.get("event") for line in traced.lines] == ["armed"]
    assert_heard(traced.heard)
    assert traced.marked
