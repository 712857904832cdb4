"""The functions that `make test-aws` deploys, run in the emulated Lambda: what it expects of AWS holds there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from lab.aws.account import Account
from lab.aws.observe import Observed, sort_lines
from lab.aws.run import ATTACKED, SECRET
from lab.aws.stack import CDK, Stack
from lab.aws.verdict import checks, facts_of
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation
from shielded_function_emulator.kernel import machine
from shielded_function_emulator.sandbox import SandboxError
from shielded_function_monitoring.simulated.log_events import LogEvent
from shielded_function_monitoring.simulated_function import monitoring_of

SUFFIX = {"x86_64": "X8664", "aarch64": "Arm64"}[machine()]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CDK.exists(), reason="the CDK command line is not in node_modules (make setup)"),
]


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emulated") / "cdk.out"
    Stack("Attacked", folder, "hnb659fds", Account(None, "123456789012", "us-east-1", "nobody")).synthesize()
    return folder


def invoked(assembly: Path, construct: str, event: dict[str, Any]) -> Invocation:
    try:
        with EmulatedFunction(CloudAssembly(assembly).function("Attacked", construct)) as function:
            done = function.invoke(event)
    except SandboxError as error:
        pytest.skip(f"no sandbox for it here: {error}")
    assert not done.failed, (done.payload, done.log)
    return done


@pytest.mark.parametrize("role", ATTACKED)
def test_the_attacked_functions(assembly: Path, role: str) -> None:
    construct = f"{role}{SUFFIX}"
    done = invoked(assembly, construct, {"secret": SECRET})
    observed = Observed(construct, done.payload)
    sort_lines(observed, [line.message for line in done.log])
    # The template's own filter and alarms, evaluated on these lines.
    read = CloudAssembly(assembly)
    cloudwatch = monitoring_of(read.environment("Attacked"), read.find(f"Attacked/{construct}").logical_id)
    now, group = time.time(), cloudwatch.functions[0].log_group
    matched = [
        line.message for line in done.log if cloudwatch.put_log_events(group, [LogEvent(now - 90, line.message)])
    ]
    cloudwatch.evaluate(now)
    states = cloudwatch.states
    assert len(states) == 2
    observed.alarm = "ALARM" if "ALARM" in states.values() else "OK"
    observed.violations = sum(json.loads(message)["count"] for message in matched)
    assert [check for check in checks(role, construct, observed) if not check.holds] == []


def test_the_doctor_answers_every_question(assembly: Path) -> None:
    facts = facts_of(invoked(assembly, f"Doctor{SUFFIX}", {}).payload)
    assert [question for question, answer in facts.items() if answer == "not told"] == []
    assert facts["ptrace"].startswith("refused")  # the emulated Lambda's filter
    assert facts["does the process engine arm?"].startswith("works")
