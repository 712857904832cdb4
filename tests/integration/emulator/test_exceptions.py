"""An ordinary function that fails, in the emulated Lambda: Python reads the handler for each exception."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from integration.emulator.conftest import PACKAGE
from shielded_function import ShieldPolicy
from shielded_function_emulator.emulated_function import EmulatedFunction, LogLine
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_runtime.build.native import BINARIES, build

pytestmark = [pytest.mark.promise("alert.handler-reads"), pytest.mark.long]

WRAPPER = "/opt/shielded-function/shield"
# Each try to read the source is seen by Python itself.
HANDLER = """
import logging, os, sys

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


def test_hundreds_of_exceptions(tmp_path: Path) -> None:
    """Hundreds of them. The next minute's line tells of all that were not written, and the end of the rest."""
    build([f"layer/{architecture()}"])
    (tmp_path / "app.py").write_text(HANDLER)
    environment = {**ShieldPolicy(read_handler="block").to_env(), "AWS_LAMBDA_EXEC_WRAPPER": WRAPPER}
    layer = BINARIES / "layer" / architecture()
    options = {"code": tmp_path, "layers": (layer,), "memory_mb": 256, "timeout_seconds": 90}
    log: list[LogLine] = []
    told: list[tuple[str | None, int]] = []
    with EmulatedFunction(replace(PACKAGE, **options, environment=environment)) as function:
        began = time.monotonic()
        for number in range(INVOCATIONS):
            invocation = function.invoke({"logged": LOGGED, "raise": number % 2})
            log += invocation.log
            assert invocation.failed == bool(number % 2), invocation
        tries = function.invoke({}).payload
        assert tries >= LOGGED * INVOCATIONS, "Python does not read the source any more: the test says nothing"
        first = len(log)
        told = lines_of(log)
        assert len(told) <= 2 * (1 + (time.monotonic() - began) // 60)
        time.sleep(61)
        log += function.invoke({"logged": LOGGED}).log
        ((event, count),) = lines_of(log[first:])
        assert (event, count >= tries - sum(count for _, count in told)) == ("alert", True)
        tries = function.invoke({}).payload
        log += function.invoke({"end": True}).log
    text = "\n".join(line.message for line in log)
    assert text.count("an ordinary error") >= LOGGED * INVOCATIONS
    assert "THE TEXT OF THE LINE" not in text
    assert sum(count for _, count in lines_of(log)) == tries


def lines_of(log: list[LogLine]) -> list[tuple[str | None, int]]:
    """Of read_handler: what each line is, and how many violations it stands for. There is no other violation."""
    read = ShieldLog.of(log)
    assert read.malformed == []
    assert {event.policy for event in read.events} <= {None, "read_handler"}
    assert {(alert.policy, alert.mode) for _, alert in read.alerts} <= {("read_handler", "block")}
    told: list[tuple[str | None, int]] = [("alert", alert.count) for _, alert in read.alerts]
    return told + [(event.event, event.count) for event in read.events if event.policy == "read_handler"]
