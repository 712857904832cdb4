"""A function is started and invoked as Lambda does it: bootstrap, exec wrapper, environment, log, failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.thinning import long_but
from integration.emulator.conftest import PACKAGE
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.platform_files import BOOTSTRAP, INTERPRETER
from shielded_function_emulator.sandbox import SandboxError

HANDLER = """
import os, sys, time

def handler(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    if "raise" in event:
        raise ValueError(event["raise"])
    if "return" in event:
        return event["return"]
    if "exit" in event:
        os._exit(event["exit"])
    time.sleep(event.get("sleep", 0))
    return {"environment": dict(os.environ), "uid": os.getuid(), "argv": sys.orig_argv}
"""
WRAPPER = """#!/bin/sh
WRAPPED="$*" exec "$@"
"""


@pytest.fixture
def package(tmp_path: Path) -> FunctionPackage:
    """A function that says how it was started, with a layer that holds an exec wrapper."""
    code, layer = tmp_path / "code", tmp_path / "layer"
    for folder in (code, layer):
        folder.mkdir()
    (code / "app.py").write_text(HANDLER)
    for name, mode in {"wrapper": 0o755, "not-executable": 0o644}.items():
        (layer / name).write_text(WRAPPER)
        (layer / name).chmod(mode)
    return replace(PACKAGE, code=code, layers=(layer,), environment={"TABLE": "orders"})


def with_environment(package: FunctionPackage, extra: Mapping[str, str]) -> FunctionPackage:
    return replace(package, environment={**package.environment, **extra})


def test_an_invocation(package: FunctionPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where an installer dropped the mode of the bootstrap."""
    copy = tmp_path / "bootstrap.sh"
    copy.write_bytes(BOOTSTRAP.read_bytes())
    copy.chmod(0o644)
    monkeypatch.setattr("shielded_function_emulator.sandbox.BOOTSTRAP", copy)
    with EmulatedFunction(with_environment(package, {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"})) as function:
        invocation = function.invoke({})
        again = function.invoke({})
    assert not invocation.failed
    environment = invocation.payload["environment"]
    expected = {
        "TABLE": "orders",
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "fn",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_HANDLER": "app.handler",
    }
    assert {name: environment.get(name) for name in expected} == expected
    assert environment["WRAPPED"] == f"{INTERPRETER} /var/runtime/bootstrap.py app.handler"
    assert "HOME" not in environment
    assert invocation.payload["uid"] == 993
    assert invocation.payload["argv"] == [INTERPRETER, "/var/runtime/bootstrap.py", "app.handler"]
    for seen in (invocation, again):
        messages = [line.message for line in seen.log]
        assert messages.count("to stdout") == messages.count("to stderr") == 1
        about = [message.split()[0] for message in messages if message.isascii() and "RequestId" in message]
        assert about == ["START", "END", "REPORT"]


BAD = [("missing", 127, "does not exist"), ("not-executable", 126, "is not an executable")]


@pytest.mark.parametrize(("wrapper", "status", "said"), long_but(BAD[:1], BAD))
def test_a_bad_exec_wrapper_ends_as_in_lambda(package: FunctionPackage, wrapper: str, status: int, said: str) -> None:
    with EmulatedFunction(with_environment(package, {"AWS_LAMBDA_EXEC_WRAPPER": f"/opt/{wrapper}"})) as function:
        invocation = function.invoke({})
    assert invocation.failed
    assert f"/opt/{wrapper}: {said}" in [line.message for line in invocation.log]
    assert f"exit status {status}" in str(invocation.payload) or not invocation.payload


def test_failures_are_told_apart_and_the_function_recovers(package: FunctionPackage) -> None:
    with EmulatedFunction(replace(package, timeout_seconds=1)) as function:
        raised = function.invoke({"raise": "no"})
        ended = function.invoke({"exit": 3})
        slow = function.invoke({"sleep": 30})
        well = function.invoke({})
        answers = [function.invoke({"return": value}) for value in (None, "text", ["a"], 0)]
    assert (raised.payload["errorType"], raised.payload["errorMessage"]) == ("ValueError", "no")
    assert ended.payload["errorType"] == "Runtime.ExitError"
    assert slow.payload == "Task timed out after 1.00 seconds"
    assert [raised.failed, ended.failed, slow.failed, well.failed] == [True, True, True, False]
    assert [(answer.failed, answer.payload) for answer in answers] == [(False, v) for v in (None, "text", ["a"], 0)]


def test_other_runtimes_are_refused(package: FunctionPackage) -> None:
    said = r"fn: dotnet8 is not emulated; there are: java8\.al2, java11, .*nodejs20\.x, .*python3"
    with pytest.raises(SandboxError, match=said), EmulatedFunction(replace(package, runtime="dotnet8")):
        pass
