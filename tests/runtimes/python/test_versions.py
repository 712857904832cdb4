"""Every version of Python that Lambda and this machine have: the demo's attacks in every mode, and ordinary functions
under the default policy, which they must not notice."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness import checkout_app
from harness.thinning import long_but
from shielded_function import ShieldPolicy
from shielded_function_emulator import xray
from shielded_function_emulator.checkout_run import STACK, CheckoutRun, run_checkout
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage
from shielded_function_emulator.function import EmulatedFunction, Invocation
from shielded_function_emulator.languages.python_versions import VERSIONS, XRAY, available
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.shield_log import ShieldLog
from shielded_function_emulator.verdicts import ATTEMPTS, judge

HERE = Path(__file__).parent
AVAILABLE = available()
THIS = f"3.{sys.version_info.minor}"
# The tests' own version is attacked by tests/integration/emulator.
OTHERS = [version for version in AVAILABLE if version != THIS] or [THIS]
NEWEST = [version for version in AVAILABLE if version <= "3.14"][-1:]  # in Lambda; a list: there may be none
ALLOWED = {f"SHIELD_{attempt.policy.upper()}": "allow" for attempt in ATTEMPTS}
FROM_3_14 = [version for version in AVAILABLE if version >= "3.14"]
_MODES = ("block", "alert")
_TEMPLATE = {"block": "Shielded", "alert": "Watched"}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """The demo's app, synthesized."""
    return checkout_app.synthesized(tmp_path_factory)


@pytest.fixture(params=long_but(NEWEST, AVAILABLE))
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("lambdas", VERSIONS)
def test_this_machine_has_it(lambdas: str) -> None:
    """One skipped test says it for all the others, here and in from_code/test_under_clients.py."""
    if missing := VERSIONS[lambdas].missing():
        pytest.skip(missing)


@pytest.fixture
def runtime(version: str) -> Runtime:
    return VERSIONS[version]


def test_the_version_is_the_one_that_runs(
    assembly: CloudAssembly, version: str, runtime: Runtime, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text("import sys\ndef handler(event, context): return {'ran': sys.version}\n")
    tmp_path.chmod(0o755)
    package = replace(assembly.function(STACK, "Unshielded"), code=tmp_path)
    with EmulatedFunction(package, runtime=runtime) as function:
        assert function.invoke({}).payload["ran"].startswith(f"{version}.")


@pytest.mark.parametrize("other", long_but(NEWEST, OTHERS))
def test_attacks_in_every_mode(assembly: CloudAssembly, other: str) -> None:
    run = {
        construct: run_checkout(assembly, construct, runtime=VERSIONS[other])
        for construct in ("Unshielded", "Shielded", "Watched")
    }
    shielded: Mapping[str, CheckoutRun] = {mode: run[_TEMPLATE[mode]] for mode in _MODES}
    verdicts = judge(assembly, run["Unshielded"], shielded)
    assert verdicts.is_as_expected, json.dumps(verdicts.to_json(), indent=1) + "\n".join(verdicts.complaints)


def test_what_is_allowed_is_not_reported(assembly: CloudAssembly, runtime: Runtime) -> None:
    run = run_checkout(assembly, "Shielded", runtime=runtime, settings=ALLOWED)
    assert {attempt.deed: run.outcome(attempt.deed) for attempt in ATTEMPTS} == dict.fromkeys(run.effects, "succeeded")
    log = ShieldLog.of(run.log)
    assert ([event.event for event in log.events], log.alerts) == (["armed"], [])


def under_the_default_policy(assembly: CloudAssembly, code: Path) -> FunctionPackage:
    package = assembly.function(STACK, "Shielded")
    kept = {name: value for name, value in package.environment.items() if not name.startswith("SHIELD_")}
    return replace(package, code=code, environment={**kept, **ShieldPolicy().to_env()})


def assert_unnoticed(*invocations: Invocation) -> None:
    for invocation in invocations:
        assert not invocation.failed, (invocation.payload, invocation.log)
    log = ShieldLog.of(line for invocation in invocations for line in invocation.log)
    events = [event.event for event in log.events if event.event != "native"]  # what it brings may be native code
    assert (events, log.alerts, log.malformed) == (["armed"], [], [])


def test_an_ordinary_function_notices_nothing(assembly: CloudAssembly, runtime: Runtime) -> None:
    with EmulatedFunction(under_the_default_policy(assembly, HERE / "hello"), runtime=runtime) as function:
        cold, warm = function.invoke({"name": "cold"}), function.invoke({"name": "warm"})
    assert_unnoticed(cold, warm)
    assert (cold.payload["hello"], warm.payload["hello"]) == ("cold", "warm")


@pytest.mark.promise("runtime.xray")
def test_a_traced_function_notices_nothing(
    assembly: CloudAssembly, version: str, runtime: Runtime, tmp_path: Path
) -> None:
    if missing := XRAY[version].missing():
        pytest.skip(missing)
    code = tmp_path / "code"
    shutil.copytree(HERE / "traced", code, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(XRAY[version].folder, code, dirs_exist_ok=True)
    function = EmulatedFunction(under_the_default_policy(assembly, code), xray.ENVIRONMENT, runtime=runtime)
    with function, xray.XrayDaemon(function.sandbox) as daemon:
        cold, warm = function.invoke({"name": "cold"}), function.invoke({"name": "warm"})
        names = {document["name"] for document in daemon.take(2)}
    assert_unnoticed(cold, warm)
    assert cold.payload == {"said": "hello cold"}
    assert "handling" in names, "the daemon has heard of it"


NEWER = """
import multiprocessing, sys
def child(pipe): pipe.send("sent")
def handler(event, context):
    try:
        if event != "jit":
            ways = multiprocessing.get_context(event)
            ours, theirs = ways.Pipe()
            ways.Process(target=child, args=(theirs,)).start()
            return ours.recv()
        for number in range(1_000_000): number * 2 % 7
        return f"JIT: {sys._jit.is_enabled()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""
PYTHON = ["/var/lang/bin/python3.14", "/var/lang/bin/python3.15"]
# The event, the policy, a pattern of the answer, the alerts' policies. The default way is a server, from 3.14 on.
FROM_3_14_ON = {
    "fork": ("fork", ShieldPolicy(), "sent", set[str]()),
    "a server": (None, ShieldPolicy(), "FileNotFoundError: ", {"read_write_tmp", "create_child_process"}),
    "a server, listed": (None, ShieldPolicy(allow_tmp=["/tmp/**"], allow_child_process=PYTHON), "sent", set[str]()),
    "its JIT": ("jit", ShieldPolicy(), "RuntimeWarning: JIT |.*signal: aborted", {"executable_memory"}),
    "its JIT, listed": ("jit", ShieldPolicy(allow_executable_memory=["python3"]), "JIT: True", set[str]()),
}


@pytest.mark.parametrize("name", FROM_3_14_ON)
@pytest.mark.parametrize("newer", long_but(NEWEST, FROM_3_14))
def test_processes_and_its_own_jit(assembly: CloudAssembly, newer: str, name: str, tmp_path: Path) -> None:
    event, policy, said, alerts = FROM_3_14_ON[name]
    (tmp_path / "app.py").write_text(NEWER)
    tmp_path.chmod(0o755)
    package = under_the_default_policy(assembly, tmp_path)
    jit = {"PYTHON_JIT": "1"} if event == "jit" else {}
    package = replace(package, environment={**package.environment, **policy.to_env(), **jit})
    with EmulatedFunction(package, runtime=VERSIONS[newer]) as function:
        invocation = function.invoke(event)
    assert re.match(said, str(invocation.payload)), invocation
    assert {alert.policy for _, alert in ShieldLog.of(invocation.log).alerts} == alerts
