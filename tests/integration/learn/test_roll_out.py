"""The whole way, for applications of three languages: alert mode, learn, paste, block; then nothing is denied.

docs/guide/roll-out.md is what this shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.thinning import long_but
from integration.cli.running import command
from runtimes.functions import STACK, Described, synthesize
from shielded_function.policy import ShieldPolicy
from shielded_function.policy.presets import PRESETS
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.languages.parts import Unavailable, run
from shielded_function_emulator.languages.python import THIS
from shielded_function_emulator.web import Receiver, WebServer
from shielded_function_monitoring import Alert, parse_line

APPS = Path(__file__).parent / "apps"
PROVIDER, PORT, ADDRESS = "rates.provider.example", 8080, "198.51.100.10"
RATES = {"EUR": 1}
ANSWER = {"rates": RATES, "program": True}
ENTRY = f"{PROVIDER}:{PORT}"


PYTHON = THIS.execution_environment.removeprefix("AWS_Lambda_")
LANGUAGES: Mapping[str, tuple[lambda_.Runtime, str]] = {
    "python": (lambda_.Runtime(PYTHON, lambda_.RuntimeFamily.PYTHON), "app.handler"),
    "node": (lambda_.Runtime.NODEJS_22_X, "index.handler"),
    "java": (lambda_.Runtime.JAVA_21, "App::handle"),
}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """One app with a function of each language that can be run here, in alert mode."""
    folder = tmp_path_factory.mktemp("apps")
    described = []
    for language, (runtime, handler) in LANGUAGES.items():
        code = APPS / language
        if language == "java":
            if not java.compilers():
                continue
            code = folder / "classes"
            run([java.oldest_compiler(), "--release", "17", "-d", code, APPS / "java" / "App.java"])
        environment = {"PROVIDER": ENTRY}
        described.append(Described(language, runtime, handler, code, ShieldPolicy.report_only(), environment))
    return synthesize(folder / "cdk.out", described)


def package_of(assembly: CloudAssembly, language: str) -> FunctionPackage:
    """The function's package; skips where its language cannot be run here."""
    try:
        runtime = THIS if language == "python" else find(LANGUAGES[language][0].name)
        reason = runtime.missing() or ("there is no javac" if language == "java" and not java.compilers() else "")
    except (LookupError, Unavailable) as error:
        reason = str(error)
    if reason:
        pytest.skip(f"{language}: {reason}")
    return assembly.function(STACK, language)


def with_policy(package: FunctionPackage, policy: ShieldPolicy) -> FunctionPackage:
    """The same function with another policy: what a deployment of it would change."""
    kept = {
        name: value
        for name, value in package.environment.items()
        if name == "SHIELD_ACCOUNT_ID" or not name.startswith("SHIELD_")
    }
    return replace(package, environment={**kept, **policy.to_env()})


@contextmanager
def started(package: FunctionPackage) -> Iterator[EmulatedFunction]:
    with (
        EmulatedFunction(package) as function,
        DnsServer(function.sandbox, {PROVIDER: [ADDRESS]}),
        WebServer(function.sandbox, (ADDRESS, PORT), Receiver(RATES), None),
    ):
        yield function


def observe(package: FunctionPackage, log: Path, *events: Any) -> list[Alert]:
    """Runs the function, and keeps its log as CloudWatch would."""
    with started(package) as function:
        invocations = [function.invoke(event) for event in events]
    for invocation in invocations:
        assert invocation.payload == ANSWER, [line.message for line in invocation.log]
    log.write_text("".join(f"{line.message}\n" for invocation in invocations for line in invocation.log))
    lines = (parse_line(line.message) for invocation in invocations for line in invocation.log)
    return [line for line in lines if isinstance(line, Alert)]


@pytest.mark.parametrize("language", long_but({"python"}, LANGUAGES))
def test_alert_learn_paste_block(assembly: CloudAssembly, tmp_path: Path, language: str) -> None:
    package = package_of(assembly, language)
    log, policy = tmp_path / "alert.log", tmp_path / "learned.toml"

    seen = observe(package, log, {}, {})
    assert {alert.mode for alert in seen} == {"alert"}
    assert {alert.policy for alert in seen} >= {"outbound_connectivity", "read_write_tmp", "create_child_process"}

    done = command("learn", log, "--output", policy)
    assert done.returncode == 0, done.stderr
    learned = ShieldPolicy.from_file(policy)
    assert learned.allow_outbound == (ENTRY,)
    assert "/tmp/rates.json" in learned.allow_tmp
    assert "/usr/bin/id" in learned.allow_child_process
    assert not any("*" in entry or "?" in entry for entry in map(str, (*learned.allow_outbound, *learned.allow_tmp)))
    told = json.loads(command("learn", log, "--json").stdout)["functions"]
    assert [each["still_denied"] for each in told] == [[]]

    assert observe(with_policy(package, learned), tmp_path / "block.log", {}, {}) == []
    assert command("alerts", tmp_path / "block.log").returncode == 0
    assert command("learn", log, "--check", "--policy", policy).returncode == 0


SCRATCH: Any = {"scratch": True, "upload": True}
PATTERNS = {
    "python": ["/tmp/clone-????????/**", "/tmp/exp_????????.csv", "/tmp/memory/**", "/tmp/order-*.pdf"],
    "node": ["/tmp/job-??????/**"],
}


@pytest.mark.parametrize("language", long_but({"python"}, PATTERNS))
def test_one_command_covers_the_names_of_other_starts(assembly: CloudAssembly, tmp_path: Path, language: str) -> None:
    """It is called complete when the log has two starts; and no name of the first start is in the policy."""
    package = package_of(assembly, language)
    first, second, policy = tmp_path / "first.log", tmp_path / "second.log", tmp_path / "learned.toml"
    observe(package, first, SCRATCH)
    observe(package, second, SCRATCH)
    (told,) = json.loads(command("learn", first, "--json").stdout)["functions"]
    assert told["accept"] == PATTERNS[language]
    accept = [word for entry in told["accept"] for word in ("--accept", entry)]
    said = command("learn", first).stdout
    assert "the log has one start, and another may use other names" in " ".join(said.split())
    for logs, status in (([first], 3), ([first, second], 0)):
        done = command("learn", *logs, *accept, "--output", policy)
        assert done.returncode == status, done.stderr
        assert ("another start may use other names" in done.stderr) == bool(status)
        learned = ShieldPolicy.from_file(policy)
        assert observe(with_policy(package, learned), tmp_path / "block.log", *[SCRATCH] * 3) == []
    assert {*learned.allow_tmp} - {*PRESETS["python-tempfile"].allow_tmp} == {"/tmp/rates.json", *PATTERNS[language]}
    done = command("learn", first, "--accept", "read_write_tmp=allow", "--output", policy)
    assert done.returncode == 0, done.stderr
    learned = ShieldPolicy.from_file(policy)
    assert (learned.read_write_tmp, learned.clear_tmp, learned.presets) == ("allow", True, ())
    assert not any(set("*?") & set(str(each)) for each in learned.allow_tmp), "clear_tmp would keep these"
    assert observe(with_policy(package, learned), tmp_path / "any.log", *[SCRATCH] * 3) == []
