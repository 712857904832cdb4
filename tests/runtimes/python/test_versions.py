"""Every version of Python that Lambda and this machine have: the demo's attacks in every mode, and ordinary functions
under the default policy, which they must not notice."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness import checkout_app
from harness.thinning import long_but
from shielded_function import ShieldPolicy
from shielded_function_emulator.checkout_run import STACK, run_checkout
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.languages.python_versions import VERSIONS, available
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
    """One skipped test says it for all the others."""
    if missing := VERSIONS[lambdas].missing():
        pytest.skip(missing)


@pytest.mark.parametrize("mode", long_but({"block"}, _TEMPLATE))
@pytest.mark.parametrize("other", long_but(NEWEST, OTHERS))
def test_attacks_in_every_mode(assembly: CloudAssembly, other: str, mode: str) -> None:
    plain, shielded = (
        run_checkout(assembly, name, runtime=VERSIONS[other]) for name in ("Unshielded", _TEMPLATE[mode])
    )
    verdicts = judge(assembly, plain, {mode: shielded})
    assert verdicts.is_as_expected, json.dumps(verdicts.to_json(), indent=1) + "\n".join(verdicts.complaints)


@pytest.mark.long
def test_what_is_allowed_is_not_reported(assembly: CloudAssembly, version: str) -> None:
    run = run_checkout(assembly, "Shielded", runtime=VERSIONS[version], settings=ALLOWED)
    assert {attempt.deed: run.outcome(attempt.deed) for attempt in ATTEMPTS} == dict.fromkeys(run.effects, "succeeded")
    log = ShieldLog.of(run.log)
    assert ([event.event for event in log.events], log.alerts) == (["armed"], [])


def under_the_default_policy(assembly: CloudAssembly, code: Path) -> FunctionPackage:
    package = assembly.function(STACK, "Shielded")
    kept = {name: value for name, value in package.environment.items() if not name.startswith("SHIELD_")}
    return replace(package, code=code, environment={**kept, **ShieldPolicy().to_env()})


def test_an_ordinary_function_notices_nothing(assembly: CloudAssembly, version: str) -> None:
    package = under_the_default_policy(assembly, HERE / "hello")
    with EmulatedFunction(package, runtime=VERSIONS[version]) as function:
        invocations = [function.invoke({"name": name}) for name in ("cold", "warm")]
    for name, invocation in zip(("cold", "warm"), invocations, strict=True):
        assert not invocation.failed, (invocation.payload, invocation.log)
        assert invocation.payload["hello"] == name
        assert invocation.payload["version"].startswith(f"{version}.")
    log = ShieldLog.of(line for invocation in invocations for line in invocation.log)
    events = [event.event for event in log.events if event.event != "native"]  # what it brings may be native code
    assert (events, log.alerts, log.malformed) == (["armed"], [], [])


NEWER = """
import multiprocessing, sys
def child(pipe): pipe.send("sent")
def handler(event, context):
    try:
        if event != "jit":
            ways = multiprocessing.get_context(event or None)
            ours, theirs = ways.Pipe()
            ways.Process(target=child, args=(theirs,)).start()
            return ours.recv()
        for number in range(1_000_000): number * 2 % 7
        return f"JIT: {sys._jit.is_enabled()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""
PYTHON = ["/var/lang/bin/python3.14", "/var/lang/bin/python3.15"]
BOTH = ShieldPolicy(allow_tmp=["/tmp/**"], allow_child_process=PYTHON, allow_executable_memory=["python3"])
# The policy; of each event a pattern of the answer, and the alerts' policies. The default way is a server.
FROM_3_14_ON = {
    "default": (
        ShieldPolicy(),
        {"fork": ("sent", ""), "": ("FileNotFoundError: ", "read_write_tmp create_child_process")},
    ),
    "its JIT": (ShieldPolicy(), {"jit": ("RuntimeWarning: JIT |.*signal: aborted", "executable_memory")}),
    "listed": (BOTH, {"": ("sent", ""), "jit": ("JIT: True", "")}),
}


@pytest.mark.parametrize("name", FROM_3_14_ON)
@pytest.mark.parametrize("newer", long_but(NEWEST, FROM_3_14))
def test_processes_and_its_own_jit(assembly: CloudAssembly, newer: str, name: str, tmp_path: Path) -> None:
    policy, events = FROM_3_14_ON[name]
    (tmp_path / "app.py").write_text(NEWER)
    tmp_path.chmod(0o755)
    package = under_the_default_policy(assembly, tmp_path)
    jit = {"PYTHON_JIT": "1"} if "jit" in events else {}
    package = replace(package, environment={**package.environment, **policy.to_env(), **jit})
    with EmulatedFunction(package, runtime=VERSIONS[newer]) as function:
        for event, (said, policies) in events.items():
            invocation = function.invoke(event)
            assert re.match(said, str(invocation.payload)), invocation
            assert {alert.policy for _, alert in ShieldLog.of(invocation.log).alerts} == {*policies.split()}
