"""The real thing: an app with every granularity, and the lines that its functions write in the emulated Lambda."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from harness.chains import Granularity
from harness.function_template import sns_action
from shielded_function import AlarmOptions, ShieldedFunction, ShieldPolicy
from shielded_function_emulator.closed_network import ClosedNetwork
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.kernel import machine
from shielded_function_monitoring.alert import Mode, Policy

STACK = "Chain"
TOPIC = "on-call"
FUNCTIONS: dict[str, str] = {"block": "Blocking", "alert": "Alerting", "allow": "Allowing"}
DEEDS: tuple[Policy, ...] = (
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "read_handler",
    "executable_memory",
    "self_protection",
)
_ARCHITECTURE = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}


def new_app(folder: Path) -> cdk.App:
    return cdk.App(outdir=str(folder), analytics_reporting=False, context={"aws:cdk:enable-path-metadata": True})


def checkout(stack: cdk.Stack, alarms: AlarmOptions, name: str = "Checkout") -> ShieldedFunction:
    """A function that does nothing."""
    code = lambda_.Code.from_inline("def handler(event, context): return event")
    python = lambda_.Runtime.PYTHON_3_13
    return ShieldedFunction(stack, name, runtime=python, handler="index.handler", code=code, alarms=alarms)


def synthesize(into: Path, granularity: Granularity) -> CloudAssembly:
    """The same functions, by name, whatever the granularity: what one wrote, the alarms of another can be tried on."""
    app = new_app(into)
    stack = cdk.Stack(app, STACK, env=cdk.Environment(account="123456789012", region="us-east-1"))
    alarms = AlarmOptions(granularity=granularity, actions=[sns_action(stack, "OnCall", topic_name=TOPIC)])
    for mode, construct in FUNCTIONS.items():
        found: Any = dict.fromkeys(DEEDS[:-1], mode)
        ShieldedFunction(
            stack,
            construct,
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="app.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).with_name("handler"))),
            architecture=_ARCHITECTURE[machine()],
            timeout=cdk.Duration.seconds(60),
            memory_size=256,
            alarms=alarms,
            policy=ShieldPolicy(**found),
        )
    app.synth()
    return CloudAssembly(into)


@dataclass(frozen=True)
class Written:
    """What one function wrote.

    Attributes:
        name: the function's.
        lines: every line of its log.
        results: what became of each deed.
    """

    name: str
    lines: tuple[str, ...]
    results: dict[str, str]

    def of(self, policy: Policy, mode: Mode) -> list[str]:
        """The alert lines against one policy in one mode."""
        fields = {line: json.loads(line) for line in self.lines if line not in self.others}
        return [line for line, each in fields.items() if (each["policy"], each["mode"]) == (policy, mode)]

    @property
    def others(self) -> list[str]:
        """The lines that report no violation: its own, and the shield's events."""
        return [line for line in self.lines if not ('"function_shield":true' in line and '"policy"' in line)]


def run(assembly: CloudAssembly, construct: str) -> Written:
    """Invokes a function once, with every deed.

    Raises:
        SandboxError: there is no sandbox here.
    """
    package = assembly.function(STACK, construct)
    with EmulatedFunction(package) as function, ClosedNetwork(function.sandbox):
        done = function.invoke({"deeds": list(DEEDS)})
    assert not done.failed, (done.payload, done.log)
    return Written(package.name, tuple(line.message for line in done.log), done.payload)
