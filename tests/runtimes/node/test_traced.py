"""A function that brings AWS's X-Ray SDK notices nothing of the default policy, and the daemon hears of it."""

from __future__ import annotations

import platform
import shutil

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.thinning import long_but
from runtimes.functions import STACK, Described, shield_lines, synthesize
from runtimes.node.conftest import HERE, LINES, NEWEST
from shielded_function import ShieldPolicy
from shielded_function_emulator import xray
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.languages import find
from shielded_function_emulator.languages.node import XRAY
from shielded_function_runtime.build.native import build

pytestmark = pytest.mark.promise("runtime.xray")

NAMES = ("cold", "warm")


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """One function for each version of Node.js, with the default policy."""
    if missing := XRAY.missing():
        pytest.skip(missing)
    build([f"layer/{platform.machine()}"])
    folder = tmp_path_factory.mktemp("traced")
    code = folder / "code"
    shutil.copytree(HERE / "traced", code)
    shutil.copytree(XRAY.folder / "node_modules", code / "node_modules")
    return synthesize(
        folder / "cdk.out",
        [
            Described(
                id=f"node{line}",
                runtime=lambda_.Runtime(f"nodejs{line}.x", lambda_.RuntimeFamily.NODEJS),
                handler="app.handler",
                code=code,
                policy=ShieldPolicy(),
                environment={"TRACE_HEADER": xray.HEADER},
            )
            for line in LINES
        ],
    )


@pytest.mark.parametrize("line", long_but({NEWEST}, LINES), ids=lambda line: f"node{line}")
def test_a_traced_function_notices_nothing(traced: CloudAssembly, line: int) -> None:
    if missing := find(f"nodejs{line}.x").missing():
        pytest.skip(missing)
    package = traced.function(STACK, f"node{line}")
    with EmulatedFunction(package, xray.ENVIRONMENT) as function, xray.XrayDaemon(function.sandbox) as daemon:
        invocations = [function.invoke({"name": name}) for name in NAMES]
        documents = daemon.take(2 * len(NAMES))
    log = [line for invocation in invocations for line in invocation.log]
    assert [invocation.payload for invocation in invocations] == [{"said": f"{n} has an answer"} for n in NAMES], log
    alerts, events = shield_lines(log)
    assert (alerts, [event.event for event in events]) == ([], ["armed"])
    assert {document["trace_id"] for document in documents} == {xray.TRACE}
    heard = sorted((document["name"], document.get("annotations", {}).get("name", "")) for document in documents)
    assert heard == [*[("127.0.0.1", "")] * len(NAMES), *(("handling", name) for name in NAMES)]
