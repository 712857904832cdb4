"""Tries one function of `cdk.out`: invokes it once in an emulated Lambda, and reads the shield's lines.

Its network is `closed_network`: every name resolves, no host answers, nothing leaves the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from shielded_function_emulator import interface_emulator
from shielded_function_emulator.closed_network import ClosedNetwork
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage, FunctionPlace
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation, LogLine
from shielded_function_emulator.languages import java, node, python, python_versions
from shielded_function_emulator.languages.parts import Unavailable, provide
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.replies import AnsweringNetwork, Trust
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_emulator.web import Application
from shielded_function_monitoring.simulated.log_events import LogEvent
from shielded_function_monitoring.simulated.states import AlarmState
from shielded_function_monitoring.simulated_function import WRAPPER, TemplateError, monitoring_of

Report = Callable[[str], None]


@dataclass(frozen=True)
class Alarm:
    """An alarm of the app: its state before anything was logged, and with this run's lines.

    `actions`: the actions that CloudWatch would call now.
    """

    name: str
    logical_id: str
    before: AlarmState
    after: AlarmState
    actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """The result of one invocation, or of several in one sandbox.

    Attributes:
        invocations: the function's answers and their logs.
        shield: the shield's lines in that log.
        alarms: those that the app has on the function's metrics.
        alarms_note: why there are none, in one line; empty when there are.
        isolation: the sandbox's kind: `root` or `user-namespace`.
    """

    invocations: tuple[Invocation, ...]
    shield: ShieldLog
    alarms: tuple[Alarm, ...]
    alarms_note: str
    isolation: str

    @property
    def log(self) -> list[LogLine]:
        """The log of all invocations."""
        return [line for invocation in self.invocations for line in invocation.log]


def is_shielded(package: FunctionPackage) -> bool:
    """Whether the shield is the function's exec wrapper."""
    return package.environment.get("AWS_LAMBDA_EXEC_WRAPPER") == WRAPPER


def attempt(
    assembly: CloudAssembly,
    place: FunctionPlace,
    package: FunctionPackage,
    events: Sequence[Any],
    report: Report,
    *,
    live: Report | None = None,
    replies: Mapping[str, Application] = MappingProxyType({}),
) -> Trial:
    """Invokes a function once for each event, one after the other.

    Args:
        assembly: where the function is from.
        place: where in it.
        package: the function, with the known values of its deployment.
        events: their payloads.
        report: called with one line for each download, and for each difference from Lambda.
        live: called with the progress of a download, and with an empty text at its end.
        replies: the answers of hosts (names or globs).

    Raises:
        SandboxError: there is no sandbox here, or the emulator does not answer.
        Unavailable: this runtime is not here, and cannot be fetched.
        FetchError: AWS's runtime interface emulator is not there, and cannot be fetched.
    """
    interface_emulator.provide(report)
    runtime = runtime_for(package.runtime, report, live)
    with ExitStack() as stack:
        trust = stack.enter_context(Trust()) if replies else None
        platform, mounts = (trust.environment, trust.mounts) if trust else ({}, {})
        function = stack.enter_context(EmulatedFunction(package, platform, mounts, runtime))
        network = AnsweringNetwork(function.sandbox, replies, trust.authority) if trust else None
        stack.enter_context(network or ClosedNetwork(function.sandbox))
        invocations = tuple(map(function.invoke, events))
    log = [line for invocation in invocations for line in invocation.log]
    try:
        alarms = alarms_of(assembly, place, package.name, log)
        note = "" if alarms else "the app has no alarm on this function's violations"
    except TemplateError as error:
        alarms, note = (), f"the template's alarms cannot be evaluated here: {error}"
    return Trial(invocations, ShieldLog.of(log), alarms, note, function.sandbox.isolation)


def runtime_for(name: str, report: Report, live: Report | None = None) -> Runtime:
    """The runtime with all that it needs: this machine's own program, else one that is fetched.

    Python runs on this one, where the wanted version is nowhere. `report`, `live`: as for `attempt`.

    Raises:
        Unavailable: there is no such runtime here; the text says why.
    """
    try:
        return provided(name, report, live)
    except Unavailable as error:
        if not name.startswith("python3."):
            raise
        this = python.THIS.execution_environment.removeprefix("AWS_Lambda_python")
        report(f"the function asks for {name} and runs on this Python, {this}: {error}")
        return python.THIS


def provided(name: str, report: Report, live: Report | None = None) -> Runtime:
    """The runtime of exactly this name, as `runtime_for`. Raises Unavailable."""
    runtime = wanted(name)
    if runtime is None:
        raise Unavailable(f"{name} is not emulated: there are {', '.join(rows())}")
    provide(runtime.parts, report, live)
    if reason := runtime.missing():
        raise Unavailable(reason)
    if own := runtime.own():
        report(f"{name} runs on this machine's {own}")
    return runtime


def rows() -> Mapping[str, Runtime]:
    """The runtimes by Lambda's names for them."""
    pythons = {f"python{version}": runtime for version, runtime in python_versions.VERSIONS.items()}
    return pythons | {one.name: one for one in (*node.RUNTIMES, *java.RUNTIMES)}


def wanted(name: str) -> Runtime | None:
    """The runtime of this name, with this machine's own program if that fits; None: there is none."""
    return node.of_machine(name) or rows().get(name)


def alarms_of(
    assembly: CloudAssembly,
    place: FunctionPlace,
    name: str,
    log: Sequence[LogLine],
    values: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Alarm, ...]:
    """The alarms of the app, in any stack, that a function's lines can set off.

    Args:
        assembly: where the function is from.
        place: where in it.
        name: its name, as in its lines.
        log: its lines.
        values: known ones of the deployment.

    Raises:
        TemplateError: they cannot be evaluated here.
    """
    events = [LogEvent(line.time, line.message) for line in log]
    at = events[-1].time if events else time.time()
    own, *others = assembly.environment(place.stack, values)
    own = replace(own, values={**own.values, place.logical_id: name})
    cloudwatch = monitoring_of([own, *others], place.logical_id)
    cloudwatch.evaluate(at)
    before = cloudwatch.states
    cloudwatch.put_log_events(cloudwatch.functions[0].log_group, events)
    called: dict[str, dict[str, None]] = {name: {} for name in before}
    for change in cloudwatch.evaluate(at):
        called[change.alarm.name].update(dict.fromkeys(call.action for call in change.notifications))
    return tuple(
        Alarm(
            each.name, each.place.logical_id, before[each.name], cloudwatch.states[each.name], tuple(called[each.name])
        )
        for each in cloudwatch.alarms
    )
