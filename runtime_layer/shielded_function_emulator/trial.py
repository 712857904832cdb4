"""Tries one function of `cdk.out`: invokes it once in an emulated Lambda, and reads the shield's lines.

Its network is `closed_network`: every name resolves, no host answers, nothing leaves the machine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shielded_function_emulator import interface_emulator
from shielded_function_emulator.closed_network import ClosedNetwork
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage, FunctionPlace
from shielded_function_emulator.function import EmulatedFunction, Invocation
from shielded_function_emulator.languages import python, python_versions
from shielded_function_emulator.languages.parts import Unavailable
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.sandbox import Isolation, SandboxError
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_monitoring.alarm import AlarmState
from shielded_function_monitoring.simulated.log_events import LogEvent
from shielded_function_monitoring.template import WRAPPER, TemplateError, monitoring_of

NAMESPACES = (
    "an emulated Lambda needs root or unprivileged user namespaces: {}; run it with sudo, or, in a container, start "
    "that with --privileged"
)


@dataclass(frozen=True)
class Alarm:
    """An alarm of the template: its state before anything was logged, and with this run's lines.

    `actions`: the actions that CloudWatch would call now.
    """

    logical_id: str
    before: AlarmState
    after: AlarmState
    actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """The result of one invocation.

    Attributes:
        invocation: the function's answer and its log.
        shield: the shield's lines in that log.
        alarms: those that the template has on the function's metrics.
        alarms_note: why there are none, in one line; empty when there are.
        isolation: how much of Lambda's sandbox there was.
    """

    invocation: Invocation
    shield: ShieldLog
    alarms: tuple[Alarm, ...]
    alarms_note: str
    isolation: Isolation


def is_shielded(package: FunctionPackage) -> bool:
    """Whether the shield is the function's exec wrapper."""
    return package.environment.get("AWS_LAMBDA_EXEC_WRAPPER") == WRAPPER


def attempt(
    assembly: CloudAssembly, place: FunctionPlace, package: FunctionPackage, event: Any, report: Callable[[str], None]
) -> Trial:
    """Invokes a function once.

    Args:
        assembly: where the function is from.
        place: where in it.
        package: the function, with the known values of its deployment.
        event: its payload.
        report: called with one line for each download, and for each difference from Lambda.

    Raises:
        SandboxError: there is no sandbox here, or not this runtime, or the emulator does not answer.
        FetchError: AWS's runtime interface emulator is not there, and cannot be fetched.
    """
    interface_emulator.provide(report)
    with EmulatedFunction(package, runtime=runtime_for(package.runtime, report)) as function:
        isolation = function.sandbox.isolation
        if not isolation.whole:
            raise SandboxError(NAMESPACES.format(isolation.note))
        with ClosedNetwork(function.sandbox):
            invocation = function.invoke(event)
    alarms, note = _alarms(assembly, place, package, invocation)
    return Trial(invocation, ShieldLog.of(invocation.log), alarms, note, isolation)


def runtime_for(name: str, report: Callable[[str], None]) -> Runtime | None:
    """Python in the wanted version, where it is here; else this one. None: not Python. `report`: as for `attempt`."""
    asked = re.fullmatch(r"python(3\.\d+)", name)
    if asked is None:
        return None
    version = asked[1]
    runtime = python_versions.VERSIONS.get(version)
    if runtime is python.THIS:
        return runtime
    try:
        if runtime is None:
            raise Unavailable(f"Python {version} is not among {', '.join(python_versions.VERSIONS)}")
        for part in python_versions.parts_of(version):
            if not part.there:
                report(f"fetching {part.name}, once")
                part.fetch()
        if reason := runtime.missing():
            raise Unavailable(reason)
    except Unavailable as error:
        this = python.THIS.execution_environment.removeprefix("AWS_Lambda_python")
        report(f"the function asks for {name} and runs on this Python, {this}: {error}")
        return python.THIS
    return runtime


def _alarms(
    assembly: CloudAssembly, place: FunctionPlace, package: FunctionPackage, invocation: Invocation
) -> tuple[tuple[Alarm, ...], str]:
    events = [LogEvent(line.time, line.message) for line in invocation.log]
    at = events[-1].time if events else time.time()
    try:
        resolver = assembly.resolver(place.stack, {place.logical_id: package.name})
        monitoring = monitoring_of(assembly.template(place.stack), place.logical_id, resolver)
        before = monitoring.states((), at)
        after = monitoring.states(events, at, before)
        changes = monitoring.transitions(events, at, before)
    except TemplateError as error:
        return (), f"the template's alarms cannot be evaluated here: {error}"
    called: dict[str, list[str]] = {logical_id: [] for logical_id in after}
    for change in changes:
        called[change.alarm.logical_id].extend(call.action for call in change.notifications)
    alarms = tuple(
        Alarm(logical_id, before[logical_id], after[logical_id], tuple(dict.fromkeys(called[logical_id])))
        for logical_id in after
    )
    return alarms, "" if alarms else "the template has no alarm on this function's violations"
