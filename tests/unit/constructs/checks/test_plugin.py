"""`ShieldChecks`: what a synthesis says of findings, in the process and by the CDK's command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from harness.command_line import CDK
from shielded_function import Shield, ShieldChecks, ShieldError, ShieldPolicy
from shielded_function.checks import check, plugin, read_assembly
from shielded_function.checks.finding import Acknowledgement

from .conftest import MakeFunction
from .test_assembly import acknowledge

Props = dict[str, Any]


@pytest.fixture
def checked(app: cdk.App) -> cdk.App:
    cdk.Validations.of(app).add_plugins(ShieldChecks())
    return app


def report_of(app: cdk.App, which: int = 0) -> dict[str, Any]:
    """Ours of the CDK's reports; nothing where it found nothing."""
    reports = json.loads((Path(app.outdir) / "validation-report.json").read_text())["pluginReports"]
    ours = [report for report in reports if report["pluginName"] == "shielded-function"]
    return ours[which] if ours else {}


def test_an_error_stops_the_synthesis(checked: cdk.App, stack: cdk.Stack, props: Props) -> None:
    lambda_.Function(stack, "One", **props)
    lambda_.Function(stack, "Two", **props)
    with pytest.raises(RuntimeError, match="no shield: neither wrapper, nor layer, nor policy") as raised:
        checked.synth()
    assert all(text in str(raised.value) for text in ("Shop/One", "Shop/Two", "Suggested fix", "not-shielded"))
    (violation,) = report_of(checked)["violations"]
    assert [construct["constructPath"] for construct in violation["violatingConstructs"]] == ["Shop/One", "Shop/Two"]


@pytest.mark.parametrize(
    ("today", "severity", "expired"),
    [
        ("2027-01-30", "warning", set[str]()),
        ("2027-03-01", "warning", {"Shop/Alerting", "Shop"}),
        ("2027-01-31", "error", {"Shop/Alerting"}),
        (None, "warning", set[str]()),
    ],
)
def test_what_was_to_end(
    app: cdk.App, stack: cdk.Stack, props: Props, today: str | None, severity: Any, expired: set[str]
) -> None:
    for name in ("Alerting", "Fine"):
        lambda_.Function(stack, name, **props)
    last = "9999-12-31" if today is None else ""
    policies = {"Shop/Fine": ShieldPolicy()}
    Shield.everywhere(app, ShieldPolicy.report_only(until=last or "2027-01-31"), policies=policies)
    acknowledge(stack, f"until {last or '2027-03-01'}: no topic yet", "alarm-without-action")
    cdk.Validations.of(app).add_plugins(ShieldChecks(expired=severity, today=today))
    if severity == "error":
        with pytest.raises(RuntimeError, match="to end by 2027-01-31"):
            app.synth()
    else:
        app.synth()
    found = [each for each in report_of(app).get("violations", ()) if each["ruleName"] == "expired"]
    assert {where["constructPath"] for each in found for where in each["violatingConstructs"]} == expired
    assert {each["severity"] for each in found} <= {severity}
    template = (Path(app.outdir) / "Shop.template.json").read_text()
    assert not re.search("2027-|9999-", template), "no variable has a day"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"expired": "fatal"}, "expired"),
        ({"today": "tomorrow"}, "today"),
        ({"production": "Prod"}, r"write a list: \['Prod'\]"),
        ({"perimeter": "Shop"}, r"ShieldChecks.perimeter: 'Shop' is one text; write a list: \['Shop'\]"),
    ],
)
def test_options_that_are_wrong(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ShieldError, match=says):
        ShieldChecks(**wrong)


def test_a_warning_does_not(checked: cdk.App, stack: cdk.Stack, shielded: MakeFunction) -> None:
    shielded(stack, policy=ShieldPolicy(allow_outbound=["hooks.slack.com:443"]))
    cdk.Validations.of(checked).add_plugins(ShieldChecks(production=["Shpo"]))
    checked.synth()
    report = report_of(checked, 1)
    assert report["conclusion"] == "success"
    assert {violation["ruleName"]: violation["severity"] for violation in report["violations"]} == {
        "alarm-without-action": "warning",
        "production-matches-nothing": "warning",
        "shared-host": "warning",
    }


def test_an_acknowledgement_holds_where_it_is_made(checked: cdk.App, stack: cdk.Stack, props: Props) -> None:
    """One of another rule, or of another plugin, is none."""
    acknowledge(lambda_.Function(stack, "One", **props), "it runs our own code")
    two = lambda_.Function(stack, "Two", **props)
    for rule in ("shielded-function::no-alarm", "other::not-shielded", "not-shielded"):
        cdk.Validations.of(two).acknowledge(cdk.Acknowledgment(id=rule, reason="of others"))
    with pytest.raises(RuntimeError, match="Shop/Two") as raised:
        checked.synth()
    assert "Shop/One" not in str(raised.value)
    acknowledge(two, "a vendor's")
    checked.synth(force=True)
    report = report_of(checked)
    assert report["conclusion"] == "success"
    assert [each["reason"] for each in report["suppressedViolations"]] == ["it runs our own code", "a vendor's"]
    lambda_.Function(cdk.NestedStack(stack, "Nested"), "Three", **props)
    acknowledge(stack.node.find_child("Nested"), "a toy")
    audited = check(read_assembly(Path(checked.synth(force=True).directory)))
    assert (audited.errors, {finding.place.path: finding.acknowledged for finding in audited.acknowledged}) == (
        [],
        {
            "Shop/One": Acknowledgement("Shop/One", "it runs our own code"),
            "Shop/Two": Acknowledgement("Shop/Two", "a vendor's"),
            "Shop/Nested/Three": Acknowledgement("Shop/Nested", "a toy"),
        },
    )
    lambda_.Function(stack, "Four", **props)
    acknowledge(checked, "for all")
    assert check(read_assembly(Path(checked.synth(force=True).directory))).errors == []


def test_it_sees_stages_and_tells_of_them(
    app: cdk.App, shielded: MakeFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    cdk.Validations.of(app).add_plugins(ShieldChecks(production=["Live"], perimeter=["Live"]))
    shielded(cdk.NestedStack(cdk.Stack(cdk.Stage(app, "Live"), "Shop"), "Nested"), policy=ShieldPolicy.report_only())
    with pytest.raises(RuntimeError, match="Live/Shop/Nested/Fn") as raised:
        app.synth()
    assert all(rule in str(raised.value) for rule in ("alert-in-production", "outside-perimeter"))
    assert "errors in Live: `cdk synth '**'`" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["2.262.0", "2.272.1"])
def test_an_older_cdk_does_not_acknowledge_for_others(
    version: str, checked: cdk.App, stack: cdk.Stack, props: Props, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those versions drop every finding of a rule that is acknowledged anywhere, but for fatal ones."""
    acknowledge(lambda_.Function(stack, "One", **props), "it runs our own code")
    lambda_.Function(stack, "Two", **props)
    monkeypatch.setattr(plugin, "distribution_version", lambda name: version if name == "aws-cdk-lib" else "0.1.0")
    with pytest.raises(RuntimeError, match="Shop/Two") as raised:
        checked.synth()
    assert "Shop/One" not in str(raised.value)
    assert [violation["severity"] for violation in report_of(checked)["violations"]] == ["fatal"]


def test_the_oldest_cdk_is_stopped_by_us(
    app: cdk.App, stack: cdk.Stack, props: Props, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CDK 2.257 to 2.261 end a Python app with status 0 whatever a plugin says, and show nothing."""
    lambda_.Function(stack, "One", **props)
    template = Path(app.synth().directory) / "Shop.template.json"
    context: Any = SimpleNamespace(template_paths=[str(template)])
    monkeypatch.setattr(plugin, "distribution_version", lambda name: "2.257.0" if name == "aws-cdk-lib" else "0.1.0")
    with pytest.raises(SystemExit) as raised:
        ShieldChecks().validate(context)
    assert raised.value.code == 1
    assert "ERROR Shop/One: no shield" in capsys.readouterr().err
    template.unlink()
    with pytest.raises(SystemExit, match=r"Shop\.template\.json cannot be read"):
        ShieldChecks().validate(context)


APP = """
import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from shielded_function import ShieldChecks

app = cdk.App()
stack = cdk.Stack(app, "Shop")
lambda_.Function(
    stack, "Checkout", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context): return event"),
)
cdk.Validations.of(app).add_plugins(ShieldChecks())
app.synth()
"""


@pytest.mark.skipif(not CDK.exists(), reason="needs the CDK's command line: make setup fetches it")
def test_the_cdks_command_line(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    done = subprocess.run(
        [CDK, "synth", "--quiet", "--app", f"{sys.executable} app.py"],
        cwd=tmp_path,
        env={**os.environ, "CDK_DISABLE_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for text in ("ERROR no shield", "Shop/Checkout", "Acknowledge with 'shielded-function::not-shielded'"):
        assert text in done.stdout + done.stderr
