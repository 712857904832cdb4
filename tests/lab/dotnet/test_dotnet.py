""".NET in the emulated sandbox, as a client of AWS's Runtime API: every way in, unshielded and in every mode.

`make test` tries one way in for each control.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import compile_c
from harness.thinning import long_but
from lab.dotnet.conftest import BY_BOOTSTRAP, DEFAULT, HANDLERS, LINE, RUNTIME, Runs
from lab.dotnet.table import ATTEMPTS, CHILD, HANDLER, OUTBOUND, TMP
from runtimes.attempts import ALERT, BLOCK, MODES, UNSHIELDED, Attempt, problems
from runtimes.functions import shield_lines
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation
from shielded_function_emulator.languages import dotnet
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import LANGUAGE_ROOT
from shielded_function_monitoring import Alert

DENIED = {attempt.id: attempt.code for attempt in ATTEMPTS}
Packages = Callable[[str], FunctionPackage]

_OWN_FILES = r"clr-debug-pipe-\d+-\d+-in clr-debug-pipe-\d+-\d+-out dotnet-diagnostic-\d+-\d+-socket"


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_a_function_that_does_nothing_is_quiet(runs: Runs, mode: str) -> None:
    """Cold and warm: the line that says that the shield is there, and no other."""
    alerts, events = runs(mode).first
    assert alerts == []
    assert [event.event for event in events] == ([] if mode == UNSHIELDED else ["armed"])


@pytest.mark.long
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.id)
def test_what_a_program_may_do(runs: Runs, attempt: Attempt) -> None:
    assert problems(attempt, attempt.id, {mode: runs(mode).outcomes[attempt.id] for mode in MODES}) == []


@pytest.mark.long
@pytest.mark.parametrize("mode", [BLOCK, ALERT])
def test_that_the_handler_is_read_is_told(runs: Runs, mode: str) -> None:
    alerts = [alert for outcome in runs(mode).outcomes.values() for alert in outcome.alerts]
    assert {alert.mode for alert in alerts if alert.policy == HANDLER} == {mode}


@contextmanager
def started(
    package: FunctionPackage, environment: Mapping[str, str] | None = None, runtime: Runtime = RUNTIME
) -> Iterator[tuple[EmulatedFunction, list[Invocation]]]:
    """A function that was invoked twice, with nothing to attempt. It must serve: no failure of that is expected."""
    with EmulatedFunction(package, environment or {}, runtime=runtime) as function:
        invocations = [function.invoke({"attempts": []}) for _ in ("cold", "warm")]
        for invocation in invocations:
            if invocation.failed or not any("hello from .NET" in line.message for line in invocation.log):
                pytest.fail(f"it does not serve: {invocation}")
        yield function, invocations


def written(invocations: list[Invocation]) -> tuple[list[Alert], list[str]]:
    """The alerts and the events of invocations."""
    alerts, events = shield_lines([line for invocation in invocations for line in invocation.log])
    return alerts, [event.event for event in events]


def attempted(function: EmulatedFunction, id: str) -> tuple[Any, list[Alert]]:
    """What one attempt came to, and what was reported of it."""
    section, _, name = id.partition("-")
    done = function.invoke({"attempts": [{"id": id, "section": section, "name": name}]})
    return done.payload[id], written([done])[0]


def in_tmp(function: EmulatedFunction) -> str:
    """The names of what is in /tmp."""
    return " ".join(sorted(path.name for path in function.sandbox.path("/tmp").iterdir()))


@pytest.mark.long
def test_each_control_denies(package: Packages) -> None:
    with started(package(BLOCK)) as (function, invocations):
        assert written(invocations) == ([], ["armed"])
        for id, control in {"files-write-text": TMP, "network-udp": OUTBOUND, "programs-start": CHILD}.items():
            said, alerts = attempted(function, id)
            assert said["error"]["code"] in DENIED[id]
            assert [(alert.policy, alert.mode) for alert in alerts] == [(control, BLOCK)]


@pytest.mark.long
def test_the_runtimes_own_files_are_made(package: Packages) -> None:
    """The sockets of the diagnostics, where they are in Lambda, by default."""
    with started(package(DEFAULT)) as (function, invocations):
        assert written(invocations) == ([], ["armed"])
        assert re.fullmatch(_OWN_FILES, in_tmp(function))
        assert attempted(function, "diagnostics-connect") == ({"ok": True}, [])
        assert attempted(function, "diagnostics-delete") == ({"ok": True}, [])
        assert "diagnostic" not in in_tmp(function)


@pytest.mark.long
def test_without_diagnostics(package: Packages) -> None:
    with started(package(DEFAULT), {"DOTNET_EnableDiagnostics": "0"}) as (function, invocations):
        assert written(invocations) == ([], ["armed"])
        assert in_tmp(function) == ""


@pytest.mark.long
@pytest.mark.parametrize("mode", [UNSHIELDED, ALERT, BLOCK])
def test_what_the_runtime_does_for_a_client_of_its_diagnostics(package: Packages, mode: str) -> None:
    """It is in the function's process, and judged as the function is."""
    with started(package(mode)) as (function, _):
        # The runtime says that it has written its maps all the same.
        said, alerts = attempted(function, "diagnostics-perf-map")
        assert said == {"ok": True}
        assert bool(re.search(r"\bperf-\d+\.map\b", in_tmp(function))) == (mode != BLOCK)
        assert {(alert.policy, alert.mode) for alert in alerts} == (
            {("read_write_tmp", mode)} if mode != UNSHIELDED else set()
        )
        # Nothing comes of a dump in Lambda: createdump may not trace.
        said, alerts = attempted(function, "diagnostics-dump")
        assert said["error"]["code"] == "IOException"
        if mode != UNSHIELDED:
            assert (alerts[0].policy, alerts[0].mode) == ("create_child_process", mode)
            assert (alerts[0].allow or "").endswith("/createdump")


@pytest.mark.parametrize("number", long_but({0}, range(len(HANDLERS))))
def test_the_handler_is_closed_however_it_is_named(package: Packages, number: int) -> None:
    with started(package(f"handler-{number}"), BY_BOOTSTRAP) as (function, invocations):
        assert written(invocations) == ([], ["armed"])
        said, alerts = attempted(function, "source-read")
        assert said.get("error", {}).get("code") == "UnauthorizedAccessException"
        assert [alert.policy for alert in alerts] == [HANDLER]


@pytest.mark.long
def test_a_program_of_another_name(package: Packages, tmp_path: Path) -> None:
    """A function that brings its .NET along is started by a program of its own, by whatever name."""
    own = tmp_path / "own"
    compile_c([Path(__file__).parent / "c" / "host.c"], own, "-ldl")
    (library,) = (dotnet.home(LINE) / "host" / "fxr").glob("*/libhostfxr.so")
    inside = f"{LANGUAGE_ROOT}/{library.relative_to(dotnet.home(LINE).parent)}"
    runtime = replace(RUNTIME, command=("/var/own", inside), mounts=lambda: {**RUNTIME.mounts(), "/var/own": own})
    with started(package(DEFAULT), runtime=runtime) as (function, invocations):
        assert written(invocations) == ([], ["armed", "native"])
        assert re.fullmatch(_OWN_FILES, in_tmp(function))
