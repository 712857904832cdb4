"""The whole circle: the demo on the real app, and what the demo would say if something were wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import checkout_app
from shielded_function_emulator.checkout_run import CheckoutRun, run_checkout
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.demo import APP, SHIELDED
from shielded_function_emulator.verdicts import ATTEMPTS, DEPENDENCY, Verdicts, judge

POLICIES = {
    "HTTP to an address": "outbound_connectivity",
    "HTTP to a name": "outbound_connectivity",
    "DNS labels": "outbound_connectivity",
    "write /tmp": "read_write_tmp",
    "run a program": "create_child_process",
    "read the handler": "read_handler",
}

DEPENDENCY_FILE = APP / "handler" / DEPENDENCY / "__init__.py"


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """What the demo's `--json` prints, from a working directory that is not the checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "shielded_function_emulator.demo", "--json"],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """The app, synthesized."""
    return checkout_app.synthesized(tmp_path_factory)


@pytest.fixture(scope="module")
def runs(assembly: CloudAssembly) -> dict[str, CheckoutRun]:
    """One real run of each function."""
    return {construct: run_checkout(assembly, construct) for construct in ("Unshielded", *SHIELDED.values())}


@pytest.mark.long  # what `make demo` runs; `TestVerdicts` has the same runs without the command
class TestCommand:
    def test_every_attempt_in_every_mode(self, result: dict[str, Any]) -> None:
        expected = [
            {
                "attempt": attempt,
                "policy": policy,
                "mode": mode,
                "unshielded": "succeeded",
                "shielded": shielded,
                "alerted": True,
            }
            for mode, shielded in (("block", "denied"), ("alert", "succeeded"))
            for attempt, policy in POLICIES.items()
        ]
        told = [{name: value for name, value in row.items() if name != "caller"} for row in result["attempts"]]
        assert told == expected

    def test_what_the_handler_is_for_goes_on_working(self, result: dict[str, Any]) -> None:
        calls = ("POST https://api.payments.example/charges", "dynamodb PutItem")
        assert result["allowed"] == [
            {"call": call, "mode": mode, "unshielded": "succeeded", "shielded": "succeeded"}
            for mode in ("block", "alert")
            for call in calls
        ]

    def test_the_alarm_fires(self, result: dict[str, Any]) -> None:
        assert result["alarm"] == {"before": "OK", "after": "ALARM"}

    def test_nothing_else_is_in_the_result(self, result: dict[str, Any]) -> None:
        assert set(result) == {"attempts", "allowed", "alarm", "fired"}

    def test_which_alarm_fired_and_whom_it_would_call(self, result: dict[str, Any]) -> None:
        assert [(fired["mode"], fired["alarm"]) for fired in result["fired"]] == [
            ("block", "shield-critical-Checkout-Shielded"),
            ("block", "shield-rest-Checkout-Shielded"),
            ("alert", "shield-rest-Checkout-Watched"),
        ]
        for fired in result["fired"]:
            (topic,) = fired["actions"]
            assert topic.startswith("arn:aws:sns:us-east-1:123456789012:Checkout-Alarms")


def verdicts_of(assembly: CloudAssembly, runs: Mapping[str, CheckoutRun]) -> Verdicts:
    """What the demo says of these runs."""
    shielded = {mode: runs[construct] for mode, construct in SHIELDED.items()}
    return judge(assembly, runs["Unshielded"], shielded)


@pytest.mark.promise("alert.caller-python")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 has no row in the engine's table")
def test_every_alert_names_the_dependency(assembly: CloudAssembly, runs: dict[str, CheckoutRun]) -> None:
    """Its package, the file, and a line of the function that does the deed."""
    source = DEPENDENCY_FILE.read_text(encoding="utf-8").splitlines()
    rows = verdicts_of(assembly, runs).rows
    assert len(rows) == 2 * len(ATTEMPTS)
    for row in rows:
        caller = row.caller
        assert (caller["package"], caller["file"]) == (DEPENDENCY, f"/var/task/{DEPENDENCY}/__init__.py")
        assert caller["through"] == [DEPENDENCY, "app"]
        heads = [line for line in source[: caller["line"]] if line.startswith("def ")]
        assert heads[-1].startswith(f"def {caller['function']}("), row.attempt


class TestVerdicts:
    def verdicts(self, assembly: CloudAssembly, runs: Mapping[str, CheckoutRun]) -> Verdicts:
        return verdicts_of(assembly, runs)

    def test_the_real_runs_are_as_they_should_be(self, assembly: CloudAssembly, runs: dict[str, CheckoutRun]) -> None:
        verdicts = self.verdicts(assembly, runs)
        assert verdicts.as_it_should_be, verdicts

    def test_an_alert_that_blames_another_is_noticed(
        self, assembly: CloudAssembly, runs: dict[str, CheckoutRun]
    ) -> None:
        run = runs["Shielded"]
        blamed = [
            replace(line, message=line.message.replace(f'"package":"{DEPENDENCY}"', '"package":"boto3"'))
            for line in run.log
        ]
        verdicts = self.verdicts(assembly, {**runs, "Shielded": replace(run, log=tuple(blamed))})
        assert [row.as_it_should_be for row in verdicts.rows] == [row.mode == "alert" for row in verdicts.rows]

    @pytest.mark.parametrize("deed", [attempt.deed for attempt in ATTEMPTS])
    def test_a_deed_whose_effect_was_seen_is_not_denied(
        self, assembly: CloudAssembly, runs: dict[str, CheckoutRun], deed: str
    ) -> None:
        shielded = runs["Shielded"]
        leaked = replace(shielded, effects={**shielded.effects, deed: True})
        verdicts = self.verdicts(assembly, {**runs, "Shielded": leaked})
        assert [row.attempt.deed for row in verdicts.rows if not row.as_it_should_be] == [deed]
        assert not verdicts.as_it_should_be

    def test_a_deed_that_only_claims_success_is_not_one(
        self, assembly: CloudAssembly, runs: dict[str, CheckoutRun]
    ) -> None:
        plain = runs["Unshielded"]
        boast = replace(plain, effects={**plain.effects, "write_tmp": False})
        verdicts = self.verdicts(assembly, {**runs, "Unshielded": boast})
        assert {row.attempt.deed for row in verdicts.rows if not row.as_it_should_be} == {"write_tmp"}

    @pytest.mark.parametrize("attempt", ATTEMPTS)
    @pytest.mark.parametrize("construct", SHIELDED.values())
    def test_a_missing_alert_is_noticed(
        self, assembly: CloudAssembly, runs: dict[str, CheckoutRun], construct: str, attempt: Any
    ) -> None:
        run = runs[construct]
        silenced = replace(run, log=tuple(line for line in run.log if not _about(line.message, attempt)))
        assert silenced.log != run.log
        verdicts = self.verdicts(assembly, {**runs, construct: silenced})
        assert [row.attempt for row in verdicts.rows if not row.as_it_should_be] == [attempt]

    def test_without_alerts_the_alarm_stays_quiet(self, assembly: CloudAssembly, runs: dict[str, CheckoutRun]) -> None:
        run = runs["Shielded"]
        quiet = replace(run, log=tuple(line for line in run.log if '"policy"' not in line.message))
        verdicts = self.verdicts(assembly, {**runs, "Shielded": quiet})
        assert verdicts.to_json()["alarm"] == {"before": "OK", "after": "OK"}

    def test_a_false_alert_is_noticed(self, assembly: CloudAssembly, runs: dict[str, CheckoutRun]) -> None:
        run = runs["Shielded"]
        alert = next(line for line in run.log if "/usr/bin/id" in line.message)
        wolf = replace(alert, message=alert.message.replace("/usr/bin/id", "/usr/bin/wolf"))
        verdicts = self.verdicts(assembly, {**runs, "Shielded": replace(run, log=(*run.log, wolf))})
        assert len(verdicts.complaints) == 1
        assert "/usr/bin/wolf" in verdicts.complaints[0]
        assert not verdicts.as_it_should_be

    def test_a_malformed_line_is_noticed(self, assembly: CloudAssembly, runs: dict[str, CheckoutRun]) -> None:
        run = runs["Shielded"]
        broken = replace(run.log[0], message='{"function_shield":true,"policy":"read_tmp"}')
        verdicts = self.verdicts(assembly, {**runs, "Shielded": replace(run, log=(*run.log, broken))})
        assert [complaint.startswith("block: malformed line") for complaint in verdicts.complaints] == [True]

    def test_a_plain_function_in_the_shielded_ones_place(
        self, assembly: CloudAssembly, runs: dict[str, CheckoutRun]
    ) -> None:
        impostor = replace(runs["Unshielded"], function=runs["Shielded"].function)
        verdicts = self.verdicts(assembly, {**runs, "Shielded": impostor})
        assert not any(row.as_it_should_be for row in verdicts.rows if row.mode == "block")
        assert verdicts.to_json()["alarm"]["after"] == "OK"
        assert not verdicts.as_it_should_be

    def test_the_function_ran_shielded_by_the_templates_own_layer(self, runs: dict[str, CheckoutRun]) -> None:
        assert "denied" in {runs["Shielded"].outcome(attempt.deed) for attempt in ATTEMPTS}
        assert {runs["Unshielded"].outcome(attempt.deed) for attempt in ATTEMPTS} == {"succeeded"}


def _about(message: str, attempt: Any) -> bool:
    if not message.startswith('{"function_shield"'):
        return False
    fields = json.loads(message)
    found = str(fields.get("details", {}).get(attempt.detail, ""))
    return fields.get("policy") == attempt.policy and found.endswith(attempt.ending)


def test_the_demo_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    from shielded_function_emulator import demo

    monkeypatch.setenv("EMULATED_LAMBDA_RIE", str(Path("/nowhere/rie")))
    assert demo.run(json=True) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "/nowhere/rie is missing: run `make setup`" in captured.err
