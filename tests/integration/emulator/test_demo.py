"""The whole circle: the demo on the real app, and what the demo would say if something were wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from harness import checkout_app
from shielded_function_emulator import demo
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


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """The app, synthesized."""
    return checkout_app.synthesized(tmp_path_factory)


@pytest.fixture(scope="module")
def runs(assembly: CloudAssembly) -> dict[str, CheckoutRun]:
    """One real run of each function."""
    return {construct: run_checkout(assembly, construct) for construct in ("Unshielded", *SHIELDED.values())}


@pytest.mark.long
def test_what_the_command_tells(assembly: CloudAssembly, runs: dict[str, CheckoutRun]) -> None:
    """Every attempt in every mode, the handler's own calls, and which alarms fired and whom they would call."""
    verdicts = verdicts_of(assembly, runs)
    assert verdicts.is_as_expected, verdicts
    result = verdicts.to_json()
    modes = (("block", "denied"), ("alert", "succeeded"))
    always = {"unshielded": "succeeded", "alerted": True}
    told = [{name: value for name, value in row.items() if name != "caller"} for row in result["attempts"]]
    assert told == [
        {"attempt": attempt, "policy": policy, "mode": mode, "shielded": shielded, **always}
        for mode, shielded in modes
        for attempt, policy in POLICIES.items()
    ]
    assert result["allowed"] == [
        {"call": call, "mode": mode, "unshielded": "succeeded", "shielded": "succeeded"}
        for mode, _ in modes
        for call in ("POST https://api.payments.example/charges", "dynamodb PutItem")
    ]
    assert result["alarm"] == {"before": "OK", "after": "ALARM"}
    assert set(result) == {"attempts", "allowed", "alarm", "fired"}
    assert [(fired["mode"], fired["alarm"]) for fired in result["fired"]] == [
        ("block", "shield-critical-Checkout-Shielded"),
        ("block", "shield-rest-Checkout-Shielded"),
        ("alert", "shield-rest-Checkout-Watched"),
    ]
    topics = [topic for fired in result["fired"] for topic in fired["actions"]]
    assert [topic.startswith("arn:aws:sns:us-east-1:123456789012:Checkout-Alarms") for topic in topics] == [True] * 3


def verdicts_of(assembly: CloudAssembly, runs: Mapping[str, CheckoutRun]) -> Verdicts:
    """What the demo says of these runs."""
    shielded = {mode: runs[construct] for mode, construct in SHIELDED.items()}
    return judge(assembly, runs["Unshielded"], shielded)


@pytest.mark.long
@pytest.mark.promise("alert.caller-python")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 has no row in the engine's table")
def test_every_alert_names_the_dependency(assembly: CloudAssembly, runs: dict[str, CheckoutRun]) -> None:
    """Its package, the file, and a line of the function that does the deed."""
    source = (APP / "handler" / DEPENDENCY / "__init__.py").read_text(encoding="utf-8").splitlines()
    rows = verdicts_of(assembly, runs).rows
    assert len(rows) == 2 * len(ATTEMPTS)
    for row in rows:
        caller = row.caller
        assert (caller["package"], caller["file"]) == (DEPENDENCY, f"/var/task/{DEPENDENCY}/__init__.py")
        assert caller["through"] == [DEPENDENCY, "app"]
        heads = [line for line in source[: caller["line"]] if line.startswith("def ")]
        assert heads[-1].startswith(f"def {caller['function']}("), row.attempt


Runs = dict[str, CheckoutRun]


def _changed(runs: Runs, construct: str, **fields: Any) -> Runs:
    return {**runs, construct: replace(runs[construct], **fields)}


def _effects(runs: Runs, construct: str, happened: bool) -> Runs:
    """The effect of each deed was seen, or was not."""
    return _changed(runs, construct, effects=dict.fromkeys(runs[construct].effects, happened))


def _logged(runs: Runs, change: Callable[[str], str]) -> Runs:
    """The shielded function wrote other lines; an empty one it did not write."""
    said = [(line, change(line.message)) for line in runs["Shielded"].log]
    return _changed(runs, "Shielded", log=tuple(replace(line, message=text) for line, text in said if text))


# How runs are changed, the modes whose rows are all wrong then, and the alarm's state in the end.
BLAMED = f'"package":"{DEPENDENCY}"', '"package":"boto3"'
WRONG: dict[str, tuple[Callable[[Runs], Runs], set[str], str]] = {
    "what was blocked happened": (lambda runs: _effects(runs, "Shielded", True), {"block"}, "ALARM"),
    "deeds that only claim success": (lambda runs: _effects(runs, "Unshielded", False), set(SHIELDED), "ALARM"),
    "no alerts": (lambda runs: _logged(runs, lambda text: "" if '"policy"' in text else text), {"block"}, "OK"),
    "another is blamed": (lambda runs: _logged(runs, lambda text: text.replace(*BLAMED)), {"block"}, "ALARM"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_noticed(assembly: CloudAssembly, runs: Runs, name: str) -> None:
    damage, modes, alarm = WRONG[name]
    verdicts = verdicts_of(assembly, damage(runs))
    assert {row.is_as_expected for row in verdicts.rows if row.mode in modes} == {False}
    assert {row.is_as_expected for row in verdicts.rows if row.mode not in modes} <= {True}
    assert not verdicts.is_as_expected
    assert verdicts.to_json()["alarm"]["after"] == alarm


@pytest.mark.long
def test_a_line_too_many_is_noticed(assembly: CloudAssembly, runs: Runs) -> None:
    run = runs["Shielded"]
    alert = next(line for line in run.log if "/usr/bin/id" in line.message)
    wolf = replace(alert, message=alert.message.replace("/usr/bin/id", "/usr/bin/wolf"))
    broken = replace(alert, message='{"function_shield":true,"policy":"read_tmp"}')
    for line, said in ((wolf, "/usr/bin/wolf"), (broken, "block: malformed line")):
        verdicts = verdicts_of(assembly, _changed(runs, "Shielded", log=(*run.log, line)))
        (complaint,) = verdicts.complaints
        assert said in complaint
        assert not verdicts.is_as_expected


def test_the_demo_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EMULATED_LAMBDA_RIE", "/nowhere/rie")
    assert demo.run(json=True) == 2
    captured = capfd.readouterr()
    assert (captured.out, "/nowhere/rie is missing: run `make setup`" in captured.err) == ("", True)
