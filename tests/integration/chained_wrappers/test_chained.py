"""A function that has an exec wrapper already is shielded behind it, from the template to its log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from harness import programs
from harness.running import listening
from harness.thinning import long_but
from integration.chained_wrappers.catalogue import CASES, HERE
from integration.chained_wrappers.conftest import UNSHIELDED
from runtimes.functions import STACK
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation
from shielded_function_emulator.sandbox import shield_lines

POLICIES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
# Of each kind of the catalogue's one.
KEPT = {"InsertOption", "DdLambdaHandler", "OwnInterpreter", "ClearEnvironment", "Preload"}
WORK = {"data": "content", "thread": "heard", "later": "imported later"}


@contextmanager
def started(assembly: CloudAssembly, name: str, *layers: Path) -> Iterator[EmulatedFunction]:
    """The function with these layers too, in a sandbox where somebody listens where it must not connect to."""
    package = assembly.function(STACK, name)
    package = replace(package, layers=(*package.layers, *layers))
    with EmulatedFunction(package) as function, listening(function.sandbox, "203.0.113.66", 443):
        yield function


def violations(invocation: Invocation) -> list[str]:
    lines = shield_lines([line.message for line in invocation.log])
    return [line["policy"] for line in lines if "policy" in line]


def test_the_attempts_are_real(assembly: CloudAssembly, wrappers: Path) -> None:
    with started(assembly, UNSHIELDED, wrappers) as function:
        assert function.invoke({"do": "attempts"}).payload == dict.fromkeys(POLICIES, "done")


@pytest.mark.parametrize("name", long_but(KEPT, CASES))
def test_behind_a_wrapper(assembly: CloudAssembly, wrappers: Path, name: str) -> None:
    case = CASES[name]
    if "preloaded" in case.seen and not programs.jemalloc():
        pytest.skip(f"no libjemalloc; {programs.REDIS.missing()}")
    layers = [wrappers, HERE / "adapter"] if case.adapter else [wrappers]
    with started(assembly, name, *layers) as function:
        cold, attempts, warm = (function.invoke({"do": what}) for what in ("work", "attempts", "work"))
    for worked in (cold, warm):
        assert not worked.failed, (worked.payload, [line.message for line in cold.log])
        assert {key: worked.payload.get(key) for key in ("work", *case.seen)} == {"work": WORK, **case.seen}
        assert violations(worked) == []
    denied = [policy for policy in POLICIES if policy not in case.open]
    outcomes = dict.fromkeys(denied, "denied") | dict.fromkeys(case.open, "done")
    assert {policy: attempts.payload[policy] for policy in POLICIES} == outcomes
    assert violations(attempts) == denied
