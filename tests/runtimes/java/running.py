"""One Java function in one setting: started cold, called again warm, then told to make its attempts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runtimes.java.table import Attempt
from runtimes.java.world import World
from shielded_function import ShieldPolicy
from shielded_function.policy import Mode
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.function import EmulatedFunction, Invocation
from shielded_function_emulator.sandbox import shield_lines

_MARK, _END = "attempt ", "attempts are over"
Lines = list[dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """What came of it. `said` and `alerts` by the attempts' names; `first` are the shield's lines before them, and
    `after` those that no attempt explains."""

    first: Lines
    said: Mapping[str, str]
    alerts: Mapping[str, Lines]
    after: Lines
    effects: Mapping[str, Sequence[str]]


def unshielded(package: FunctionPackage) -> FunctionPackage:
    """The package without its wrapper and the settings."""
    kept = {
        name: value
        for name, value in package.environment.items()
        if name != "AWS_LAMBDA_EXEC_WRAPPER" and not name.startswith("SHIELD_")
    }
    return replace(package, environment=kept)


def with_environment(package: FunctionPackage, variables: Mapping[str, str]) -> FunctionPackage:
    """The package with other variables, SHIELD_* settings among them."""
    return replace(package, environment={**package.environment, **variables})


def in_mode(mode: Mode) -> dict[str, str]:
    """Every policy in one mode."""
    policy = ShieldPolicy(outbound_connectivity=mode, read_write_tmp=mode, create_child_process=mode, read_handler=mode)
    return policy.to_env()


def run(package: FunctionPackage, attempts: Sequence[Attempt]) -> Run:
    """Invokes the function three times.

    Raises:
        SandboxError: there is no sandbox with a network of its own here.
    """
    names = [attempt.name for attempt in attempts]
    with EmulatedFunction(package) as function, World(function.sandbox) as world:
        cold, warm = function.invoke({}), function.invoke({})
        assert (cold.payload, warm.payload) == ({}, {}), [line.message for line in (*cold.log, *warm.log)]
        world.prepare(names)
        done = function.invoke({"attempts": names})
        assert isinstance(done.payload, dict), [line.message for line in done.log]
        alerts, after = _alerts(done, names)
        return Run(_lines(cold) + _lines(warm), done.payload, alerts, after, _named(world.effects()))


def _lines(invocation: Invocation) -> Lines:
    return shield_lines([line.message for line in invocation.log])


def _alerts(invocation: Invocation, names: Sequence[str]) -> tuple[dict[str, Lines], Lines]:
    """The alerts, by the attempt in whose time they were written."""
    found: dict[str, Lines] = {name: [] for name in names}
    others: Lines = []
    current = others
    for line in invocation.log:
        if line.message.startswith(_MARK):
            current = found[line.message.removeprefix(_MARK)]
        elif line.message == _END:
            current = others
        current += [told for told in shield_lines([line.message]) if told.get("event") != "repeated"]
    return found, others


def _named(effects: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Temporary files have random names."""
    return {kind: sorted(re.sub(r"\d{6,}", "N", name) for name in names) for kind, names in effects.items()}
