"""An ordinary function that fails, in the emulated Lambda: Python reads the handler for each exception."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import pytest

from integration.emulator.conftest import PACKAGE
from shielded_function import ShieldPolicy
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.function import EmulatedFunction, LogLine
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_runtime.build.native import BINARIES, build

pytestmark = [pytest.mark.promise("alert.handler-reads"), pytest.mark.long]

WRAPPER = "/opt/shielded-function/shield"
# Each try to read the source is seen by Python itself.
HANDLER = """
import logging, os, sys, warnings

tries = 0

def count(event, arguments):
    global tries
    tries += event == "open" and str(arguments[0]).endswith("app.py")

sys.addaudithook(count)

def fail():
    raise LookupError("an ordinary error")  # THE TEXT OF THE LINE

def handler(event, context):
    for _ in range(event.get("logged", 0)):
        try:
            fail()
        except LookupError:
            logging.exception("it failed")
    if event.get("raise"):
        fail()
    if event.get("end"):
        os._exit(0)
    return tries
"""
LOGGED, INVOCATIONS = 25, 12


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> FunctionPackage:
    """A function under the default policy."""
    build([f"layer/{architecture()}"])
    code = tmp_path_factory.mktemp("code")
    code.chmod(0o755)
    (code / "app.py").write_text(HANDLER)
    environment = {**ShieldPolicy(read_handler="block").to_env(), "AWS_LAMBDA_EXEC_WRAPPER": WRAPPER}
    layer = BINARIES / "layer" / architecture()
    return replace(PACKAGE, code=code, layers=(layer,), memory_mb=256, timeout_seconds=90, environment=environment)


def handler_lines(log: Iterable[LogLine]) -> list[tuple[str, int]]:
    """Of read_handler: what each line is, and how many violations it stands for. There is no other violation."""
    read = ShieldLog.of(log)
    assert read.malformed == []
    assert {event.policy for event in read.events} <= {None, "read_handler"}
    assert {(alert.policy, alert.mode) for _, alert in read.alerts} <= {("read_handler", "block")}
    told = [("alert", alert.count) for _, alert in read.alerts]
    return told + [(event.event, event.count) for event in read.events if event.policy == "read_handler"]


def test_hundreds_of_exceptions(package: FunctionPackage) -> None:
    log: list[LogLine] = []
    began = time.monotonic()
    with EmulatedFunction(package) as function:
        for number in range(INVOCATIONS):
            invocation = function.invoke({"logged": LOGGED, "raise": number % 2})
            log += invocation.log
            assert invocation.failed == bool(number % 2), invocation
        tries = function.invoke({}).payload
        minutes = 1 + (time.monotonic() - began) // 60
        assert tries >= LOGGED * INVOCATIONS, "Python does not read the source any more: the test says nothing"
        assert len(handler_lines(log)) <= 2 * minutes
        log += function.invoke({"end": True}).log
    text = "\n".join(line.message for line in log)
    assert text.count("an ordinary error") >= LOGGED * INVOCATIONS
    assert "THE TEXT OF THE LINE" not in text
    assert sum(count for _, count in handler_lines(log)) == tries


def test_the_next_minute_tells_of_the_last(package: FunctionPackage) -> None:
    """A minute later one more line is written, and it tells of all that were not."""
    with EmulatedFunction(package) as function:
        first = function.invoke({"logged": LOGGED}).log
        before = function.invoke({}).payload
        time.sleep(61)
        second = function.invoke({"logged": LOGGED}).log
    assert handler_lines(first) == [("alert", 1)]
    (told,) = handler_lines(second)
    assert told[0] == "alert"
    assert told[1] >= before
