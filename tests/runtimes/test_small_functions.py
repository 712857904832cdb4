"""Small functions under each language's own client: one that brings AWS's X-Ray SDK, and one that uses `clear_tmp`."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.engine import layer
from harness.thinning import long_but
from runtimes.functions import STACK, Described, shield_lines, synthesize
from runtimes.java.building import compile_java
from runtimes.java.table import FROM_11, LINES
from runtimes.node.conftest import LINES as NODES
from runtimes.node.conftest import NEWEST as NODE
from shielded_function import ShieldPolicy
from shielded_function_emulator import xray
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation
from shielded_function_emulator.languages import find, java, node
from shielded_function_emulator.languages.parts import Part
from shielded_function_emulator.languages.python_versions import VERSIONS, XRAY, available

__all__ = ["layer"]

SMALL = Path(__file__).parent / "small"
FAMILIES = {name: lambda_.RuntimeFamily[name.upper()] for name in ("python", "nodejs", "java")}
NAMES = ("cold", "warm")
PYTHON = max((version for version in available() if version <= "3.14"), default="")  # the newest in Lambda
MARK = "/tmp/.aws-xray/initialized"  # that the SDKs but Node.js's leave for the platform
# A version and a handler: what the function brings.
TRACED: Mapping[tuple[str, str], Part] = {
    **{(f"python{version}", "traced.handler"): XRAY[version] for version in available()},
    **{(f"nodejs{line}.x", "traced.handler"): node.XRAY for line in NODES},
    **{(java.name_of(line), f"{name}::handle"): java.XRAY for line in LINES for name in ("Early", "Late")},
}
CLEARED = [
    *((f"nodejs{line}.x", "clear.handler") for line in NODES[:-1]),
    *((java.name_of(line), "Clear::handle") for line in FROM_11),
]
NEWEST = {f"python{PYTHON}", f"nodejs{NODE}.x", java.name_of(max(LINES))}
Codes = Callable[[str, Part | None], Path]


def language_of(runtime: str) -> str:
    """`java8.al2`: java."""
    return next(name for name in FAMILIES if runtime.startswith(name))


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Codes:
    """The code of a function in a language, with what it brings. Java's is compiled once."""

    @functools.cache
    def code(language: str, part: Part | None) -> Path:
        into = tmp_path_factory.mktemp(language) / "code"
        if part:
            shutil.copytree(part.folder, into)
        else:
            into.mkdir()
        if language == "java":
            names = ("Early", "Late") if part else ("Clear",)
            compile_java(
                [SMALL / f"{name}.java" for name in names], into, "8" if part else "11", (into / "lib").glob("*")
            )
        for file in SMALL.iterdir():
            shutil.copy(file, into)
        return into

    return code


def started(
    runtime: str, handler: str, code: Path, policy: ShieldPolicy, into: Path, environment: Mapping[str, str]
) -> EmulatedFunction:
    lambdas = lambda_.Runtime(runtime, FAMILIES[language_of(runtime)])
    described = Described("Fn", lambdas, handler, code, policy, {"TRACE_HEADER": xray.HEADER})
    package = synthesize(into / "cdk.out", [described]).function(STACK, "Fn")
    return EmulatedFunction(package, environment, runtime=VERSIONS.get(runtime.removeprefix("python")))


def assert_unnoticed(*invocations: Invocation) -> None:
    log = [line for invocation in invocations for line in invocation.log]
    assert not any(invocation.failed for invocation in invocations), (invocations, log)
    alerts, events = shield_lines(log)
    assert (alerts, [event.event for event in events if event.event != "native"]) == ([], ["armed"])


@pytest.mark.promise("runtime.xray")
@pytest.mark.parametrize(("runtime", "handler"), long_but([row for row in TRACED if row[0] in NEWEST], TRACED))
def test_a_traced_function_notices_nothing(
    layer: Path, codes: Codes, tmp_path: Path, runtime: str, handler: str
) -> None:
    """Java's recorder is made while the function is loaded (Early), or in its first invocation."""
    part, language = TRACED[runtime, handler], language_of(runtime)
    if missing := part.missing() or (language != "python" and find(runtime).missing()):
        pytest.skip(missing)
    function = started(runtime, handler, codes(language, part), ShieldPolicy(), tmp_path, xray.ENVIRONMENT)
    with function, xray.XrayDaemon(function.sandbox) as daemon:
        invocations = [function.invoke({"name": name}) for name in NAMES]
        documents = daemon.take(len(NAMES) * (2 if language == "nodejs" else 1))
        assert function.sandbox.path(MARK).exists() == (language != "nodejs")
    assert_unnoticed(*invocations)
    assert [invocation.payload for invocation in invocations] == [{"said": f"hello {name}"} for name in NAMES]
    assert {document["trace_id"] for document in documents} == {xray.TRACE}
    heard = [document["annotations"]["name"] for document in documents if document["name"] == "handling"]
    assert sorted(heard) == sorted(NAMES), "the daemon has heard of it"


@pytest.mark.promise("tmp.clear")
@pytest.mark.parametrize(("runtime", "handler"), long_but([row for row in CLEARED if row[0] in NEWEST], CLEARED))
def test_what_an_invocation_makes_is_cleared(
    layer: Path, codes: Codes, tmp_path: Path, runtime: str, handler: str
) -> None:
    """By the function and its programs; what initialization made and what is listed stays."""
    if missing := find(runtime).missing():
        pytest.skip(missing)
    policy = ShieldPolicy(
        read_write_tmp="allow", clear_tmp=True, allow_tmp=["/tmp/cache/**"], allow_child_process=["/bin/sh"]
    )
    code = codes(language_of(runtime), None)
    with started(runtime, handler, code, policy, tmp_path, {}) as function:
        invocations = [function.invoke({}) for _ in range(3)]
    assert_unnoticed(*invocations)
    first, second, third = (invocation.payload for invocation in invocations)
    kept = set(first["before"])
    assert {"init", "init/kept"} <= kept
    for answer in (first, second):
        assert set(answer["after"]) >= {"init/moved", "by-a-program", "cache/library"}
    assert set(second["before"]) == set(third["before"]) == kept | {"cache", "cache/library"}
