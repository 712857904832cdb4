"""Functions as a CDK app describes them, synthesized once, and what their attempts come to in the emulated sandbox."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from runtimes.attempts import UNSHIELDED, Attempt, Outcome
from runtimes.outside import ALLOWED, HTTPS, Outside
from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function.policy import Mode
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation, LogLine
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.replies import Trust
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_monitoring import Alert, ShieldEvent, parse_line

STACK = "Runtimes"
AUTHORITY = "/etc/emulated-lambda/authority.pem"
MARK = "attempt"  # in front of an attempt's lines in the log, with its name; alone: none follows
_TIMEOUT = cdk.Duration.seconds(120)
_THERE = "content"  # of /tmp/there
_ARCHITECTURE = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}


def policy_of(mode: Mode | Literal["unshielded"]) -> ShieldPolicy | None:
    """All four policies in one mode, with a host that is allowed; None for `unshielded`."""
    if mode == UNSHIELDED:
        return None
    return ShieldPolicy(
        outbound_connectivity=mode,
        read_write_tmp=mode,
        create_child_process=mode,
        read_handler=mode,
        allow_outbound=[f"{ALLOWED}:{HTTPS}"],
    )


@dataclass(frozen=True)
class Described:
    """A function of the app. `policy` None: a plain `Function`, without a shield."""

    id: str
    runtime: lambda_.Runtime
    handler: str
    code: Path
    policy: ShieldPolicy | None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    grant: Callable[[lambda_.Function], object] = lambda _: None


def synthesize(into: Path, functions: Iterable[Described]) -> CloudAssembly:
    """One app with all of them."""
    # Construct paths are what functions are found by; the command line asks for them, an app by itself does not.
    app = cdk.App(outdir=str(into), analytics_reporting=False, context={"aws:cdk:enable-path-metadata": True})
    stack = cdk.Stack(app, STACK)
    for function in functions:
        props = {
            "runtime": function.runtime,
            "handler": function.handler,
            "code": lambda_.Code.from_asset(str(function.code)),
            "architecture": _ARCHITECTURE[platform.machine()],
            "environment": dict(function.environment),
            "timeout": _TIMEOUT,
            "memory_size": 512,
        }
        if function.policy is None:
            lambda_.Function(stack, function.id, **props)
        else:
            function.grant(ShieldedFunction(stack, function.id, policy=function.policy, **props))
    app.synth()
    return CloudAssembly(into)


def shield_lines(log: Iterable[LogLine]) -> tuple[list[Alert], list[ShieldEvent]]:
    """The alerts and the events in a log. Raises AlertError for a line that is the shield's and is not as it should."""
    lines = [parse_line(line.message) for line in log]
    return [line for line in lines if isinstance(line, Alert)], [x for x in lines if isinstance(x, ShieldEvent)]


@dataclass(frozen=True)
class Run:
    """What the shield wrote until the function had been invoked twice, the attempts' outcomes by their ids, and what
    reached the servers outside."""

    first: tuple[list[Alert], list[ShieldEvent]]
    outcomes: Mapping[str, Outcome]
    reached: frozenset[str]


def attempt_all(
    package: FunctionPackage,
    attempts: Sequence[Attempt],
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    in_tmp: Mapping[str, bytes] = MappingProxyType({}),
    runtime: Runtime | None = None,
) -> Run:
    """Invokes a function twice with nothing to attempt, then with all attempts, some of them in threads too.

    `environment` names the file AUTHORITY to the language, as the one whom it trusts. `in_tmp`: files of /tmp.
    `runtime`: instead of the template's.
    Raises SandboxError where there is no network of its own, and AssertionError when the function fails.
    """
    with ExitStack() as stack:
        trust = stack.enter_context(Trust())
        mounts = {AUTHORITY: trust.mounts[AUTHORITY]}
        function = stack.enter_context(EmulatedFunction(package, environment, mounts, runtime))
        outside = stack.enter_context(Outside(function.sandbox, trust.authority))
        event = [{"id": a.id, "section": a.section, "name": a.name, "worker": False} for a in attempts]
        event += [
            {**one, "id": in_thread(one["id"]), "worker": True}
            for one, a in zip(event, attempts, strict=True)
            if a.threads
        ]
        names = [one["id"] for one in event]
        first = [line for _ in ("cold", "warm") for line in function.invoke({"attempts": []}).log]
        before = prepare_tmp(function.sandbox, names, in_tmp)
        invocation = function.invoke({"attempts": event})
        assert not invocation.failed, invocation
        changed = changed_in_tmp(function.sandbox, before)
        reached = frozenset(outside.reached())
        seen = {name for name in names if name in reached | changed}
        return Run(shield_lines(first), _outcomes(invocation, names, seen), reached)


def in_thread(id: str) -> str:
    """The id of an attempt's repetition in a thread of its own."""
    return f"worker-{id}"


def prepare_tmp(sandbox: Sandbox, names: Iterable[str], files: Mapping[str, bytes]) -> set[str]:
    """Puts into /tmp what attempts read, and for each of them what it may move or take away. What is there then."""
    tmp = sandbox.path("/tmp")
    (tmp / "there").write_text(_THERE)
    for name, content in files.items():
        (tmp / name).write_bytes(content)
    for name in names:
        (tmp / f"{name}.old").write_text(_THERE)
        (tmp / f"{name}.empty").mkdir()
        (tmp / f"{name}.folder").mkdir()
        (tmp / f"{name}.folder" / "file").write_text(_THERE)
    owner = tmp.stat()
    for path in tmp.rglob("*"):
        os.chown(path, owner.st_uid, owner.st_gid)
    return {path.name for path in tmp.iterdir()}


def changed_in_tmp(sandbox: Sandbox, before: set[str]) -> set[str]:
    """The attempts by which something came into /tmp or went from it; what they leave begins with their names."""
    after = {path.name for path in sandbox.path("/tmp").iterdir()}
    changed = before ^ after
    return {stem for name in changed for stem in (name, name.rpartition(".")[0], name.rpartition("-")[0])}


def _outcomes(invocation: Invocation, names: Sequence[str], seen: set[str]) -> dict[str, Outcome]:
    logs: dict[str, list[LogLine]] = {}
    current = ""
    for line in invocation.log:
        if line.message.startswith(MARK):
            current = line.message.removeprefix(MARK).strip()
        else:
            logs.setdefault(current, []).append(line)
    alerts = {name: shield_lines(lines)[0] for name, lines in logs.items()}
    told = frozenset((a.policy, a.mode, a.allow or "") for each in alerts.values() for a in each)
    outcomes: dict[str, Outcome] = {}
    for name in names:
        said = invocation.payload[name]
        outcomes[name] = Outcome(said.get("ok"), said.get("error"), alerts.get(name, []), told, name in seen)
    return outcomes
