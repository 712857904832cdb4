"""Runs one function of `examples/checkout` in a sandbox with the demo's internet, and records the real effects."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation, LogLine
from shielded_function_emulator.internet import ATTACKER_ADDRESS, ATTACKER_NAME, CHARGE, Internet
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.replies import Trust
from shielded_function_emulator.root import SANDBOX_USER

STACK = "Checkout"
EVENT: Mapping[str, Any] = {"order": "1042", "card": "4242 4242 4242 4242", "amount": 1999}

CHARGE_CALL = "POST https://api.payments.example/charges"
STORE_CALL = "dynamodb PutItem"

_DROPPED = "/tmp/.leftpad-plus"


class CheckoutError(Exception):
    """The function did not finish; the text holds its error and its last log lines."""


@dataclass(frozen=True)
class CheckoutRun:
    """The result of one function.

    Attributes:
        function: its logical id.
        reports: the dependency's own report of each attempt.
        effects: whether each attempt really had its effect, as seen from outside.
        allowed: whether the handler's own calls really arrived.
        log: every line that CloudWatch would have.
        isolation: the sandbox's kind: `root` or `user-namespace`.
    """

    function: str
    reports: Mapping[str, str]
    effects: Mapping[str, bool]
    allowed: Mapping[str, bool]
    log: tuple[LogLine, ...]
    isolation: str

    def outcome(self, deed: str) -> str:
        """`succeeded`, `denied`, or the contradiction between report and effect."""
        claimed, happened = self.reports[deed].startswith("succeeded: "), self.effects[deed]
        if claimed and happened:
            return "succeeded"
        if not claimed and not happened:
            return "denied"
        return "failed, but it happened" if happened else "said to have succeeded, but nothing happened"


def run_checkout(
    assembly: CloudAssembly,
    construct: str,
    *,
    runtime: Runtime | None = None,
    settings: Mapping[str, str] | None = None,
) -> CheckoutRun:
    """Invokes the function once and checks the effects.

    Args:
        assembly: the synthesized app.
        construct: the function in it.
        runtime: to run it on, instead of the template's.
        settings: variables instead of the template's.

    Raises:
        CheckoutError: the function failed.
        SandboxError: there is no sandbox here.
    """
    tables = assembly.tables(STACK)
    package = assembly.function(STACK, construct)
    package = replace(package, environment={**package.environment, **(settings or {})})
    with ExitStack() as stack:
        trust = stack.enter_context(Trust())
        function = stack.enter_context(EmulatedFunction(package, trust.environment, trust.mounts, runtime))
        internet = stack.enter_context(Internet(function.sandbox, trust.authority, tables))
        invocation = function.invoke(EVENT)
        if invocation.failed:
            raise CheckoutError(_failure(construct, invocation))
        source = function.sandbox.path("/var/task/app.py").read_text().splitlines()[0]
        reports: dict[str, str] = invocation.payload["leftpad_plus"]
        stored = [item for table in tables for item in internet.aws.items(table)]
        return CheckoutRun(
            function=package.logical_id,
            reports=reports,
            effects={
                "http_to_address": any(r.host == ATTACKER_ADDRESS for r in internet.attacker.requests),
                "http_to_name": any(r.host == ATTACKER_NAME for r in internet.attacker.requests)
                or bool(internet.names.asked(ATTACKER_NAME)),
                "dns_labels": bool(internet.names.asked(EVENT["card"].encode().hex())),
                "write_tmp": function.sandbox.path(_DROPPED).exists(),
                "run_program": reports["run_program"].endswith(f": {SANDBOX_USER.uid}"),
                "read_handler": reports["read_handler"].endswith(f": {source}"),
            },
            allowed={
                CHARGE_CALL: [(r.method, r.path) for r in internet.provider.requests] == [("POST", "/charges")]
                and invocation.payload["charge"] == CHARGE["id"],
                STORE_CALL: stored == [{"id": {"S": "00001042"}, "charge": {"S": CHARGE["id"]}}],
            },
            log=invocation.log,
            isolation=function.sandbox.isolation,
        )


def _failure(construct: str, invocation: Invocation) -> str:
    lines = [f"{construct} failed: {invocation.payload}", *(f"  {line.message}" for line in invocation.log[-15:])]
    return "\n".join(lines)
