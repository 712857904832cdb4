"""`ShieldFindings`: what it makes, and whose lines it reads."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from harness.alert_lines import alert, armed, connect, folded, refused
from harness.function_template import Props, Synthesize, of_type, shown
from shielded_function import Shield, ShieldedFunction, ShieldError, ShieldFindings, ShieldPolicy
from shielded_function_monitoring.pattern import parse as parse_pattern

FILTER = "AWS::Logs::SubscriptionFilter"


def test_every_function_but_its_own(stack: cdk.Stack, props: Props, synthesize: Synthesize) -> None:
    """Those before it, after it, and by an aspect; its own lines would call it for ever."""
    before = ShieldedFunction(stack, "Before", **props)
    findings = ShieldFindings(stack, "Findings")
    after = ShieldedFunction(stack, "After", **props)
    cdk.Aspects.of(stack).add(Shield())
    later = lambda_.Function(stack, "Later", **props)
    template = synthesize(stack)
    patterns = [shown(each["FilterPattern"]) for each in of_type(template, FILTER).values()]
    assert len(patterns) == 3
    for function in (before, after, later):
        name = shown(stack.resolve(function.function_name))
        (pattern,) = [each for each in patterns if f'"{name}"' in each]
        lines = [connect("a.example"), refused("x"), folded("read_write_tmp", 3), alert("read_handler"), armed()]
        own = [line.replace('"checkout"', f'"{name}"') for line in lines]
        assert [parse_pattern(pattern).matches(line) for line in own] == [True, True, True, False, False]
        assert not parse_pattern(pattern).matches(lines[0]), "a line can name any function"
    assert Shield.of(findings.function) is findings.function.shield


def test_the_function_may_do_no_more_than_it_does(stack: cdk.Stack, props: Props, synthesize: Synthesize) -> None:
    ShieldedFunction(stack, "Fn", **props)
    findings = ShieldFindings(stack, "Findings", security_hub=True)
    template = synthesize(stack)
    (policy,) = of_type(template, "AWS::IAM::Policy").values()
    actions = [each["Action"] for each in policy["PolicyDocument"]["Statement"]]
    assert actions == [
        ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
        "events:PutEvents",
        "securityhub:BatchImportFindings",
    ]
    assert "*" not in [each["Resource"] for each in policy["PolicyDocument"]["Statement"]]
    assert findings.function.shield.policy == ShieldPolicy(
        allow_aws=["dynamodb", "events", "securityhub"], read_handler="allow"
    )
    (table,) = of_type(template, "AWS::DynamoDB::Table").values()
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    (rule,) = of_type(template, "AWS::Events::Rule").values()
    assert "severity_id" not in rule["EventPattern"]["detail"]
    (retries,) = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    assert retries["MaximumRetryAttempts"] == 2
    (permission,) = [
        each for each in of_type(template, "AWS::Lambda::Permission").values() if "logs" in each["Principal"]
    ]
    assert "SourceAccount" in permission
    assert "SourceArn" in permission


def test_its_code_needs_nothing_but_boto3(
    app: cdk.App, stack: cdk.Stack, props: Props, synthesize: Synthesize, tmp_path: Path
) -> None:
    """Readable for Lambda, whatever the umask of the installation, and of this package nothing else."""
    ShieldedFunction(stack, "Fn", **props)
    ShieldFindings(stack, "Findings")
    synthesize(stack)
    archives = [zipfile.ZipFile(file) for file in Path(app.outdir).glob("asset.*.zip")]
    (code,) = [each for each in archives if "shield_findings/main.py" in each.namelist()]
    assert {entry.external_attr >> 16 & 0o777 for entry in code.infolist()} == {0o644}
    code.extractall(tmp_path / "task")
    script = "import sys, shield_findings.main; print([m for m in sys.modules if m.startswith('shielded_')])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "task", capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_log_group_that_functions_share_has_one_filter(
    stack: cdk.Stack, props: Props, synthesize: Synthesize
) -> None:
    """With the names of its functions, where a pattern takes them."""
    few, many = (logs.LogGroup(stack, name) for name in ("Few", "Many"))
    functions = [ShieldedFunction(stack, name, log_group=few, **props) for name in ("One", "Two")]
    for number in range(14):
        ShieldedFunction(stack, f"F{number}", log_group=many, **props)
    ShieldFindings(stack, "Findings", count_read_handler=True)
    patterns = [shown(made["FilterPattern"]) for made in of_type(synthesize(stack), FILTER).values()]
    one, two = (shown(stack.resolve(each.function_name)) for each in functions)
    named = f'($.function = "{one}") || ($.function = "{two}")'
    assert sorted((named in pattern, "$.function =" in pattern) for pattern in patterns) == [(False,) * 2, (True,) * 2]
    assert not any('!= "read_handler"' in pattern for pattern in patterns)


def test_of_an_app(app: cdk.App, props: Props, synthesize: Synthesize) -> None:
    """The other stacks name the function; one of another region is left out."""
    operations, shop = (cdk.Stack(app, name) for name in ("Operations", "Shop"))
    far = cdk.Stack(app, "Far", env=cdk.Environment(account="111122223333", region="us-west-2"))
    for place in (shop, far):
        ShieldedFunction(place, "Fn", **props)
    bus: Any = events.EventBus(operations, "Bus")
    findings = ShieldFindings(operations, "Findings", of=app, event_bus=bus, remember=cdk.Duration.days(7))
    topic: Any = sns.Topic(operations, "Topic")
    findings.tell("Pager", [targets.SnsTopic(topic)], severities=["critical", "warning"])
    home, template, elsewhere = (synthesize(stack) for stack in (operations, shop, far))
    (made,) = of_type(template, FILTER).values()
    assert "Fn::ImportValue" in json.dumps(made["DestinationArn"])
    assert of_type(home, FILTER) == of_type(elsewhere, FILTER) == {}
    (rule,) = of_type(home, "AWS::Events::Rule").values()
    assert rule["EventPattern"]["detail"] == {"class_uid": [2004], "severity_id": [5, 3]}
    assert "Ref" in rule["EventBusName"]
    (function,) = of_type(home, "AWS::Lambda::Function").values()
    variables = function["Environment"]["Variables"]
    assert (variables["REMEMBER_SECONDS"], variables["MOST_AN_HOUR"]) == (str(7 * 86400), "50")


def test_nothing_to_read(app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    ShieldFindings(stack, "Findings")
    ShieldedFunction(cdk.Stack(app, "Other"), "Fn", **props)
    with pytest.raises(Exception, match="ShieldFindings: `of` contains no shielded function of its stage"):
        app.synth()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"of": "Shop"}, "of: 'Shop' is no construct"),
        ({"remember": 90}, "remember: 90 is no cdk.Duration of a day or more"),
        ({"remember": cdk.Duration.hours(1)}, "is no cdk.Duration of a day or more"),
        ({"security_hub": "yes"}, "security_hub: 'yes' is neither True nor False"),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, Any], said: str, stack: cdk.Stack) -> None:
    with pytest.raises(ShieldError, match=said):
        ShieldFindings(stack, "Findings", **options)


def test_severities_that_are_none(stack: cdk.Stack) -> None:
    findings, unknown = ShieldFindings(stack, "Findings"), ["urgent"]
    for severities in [], unknown:
        with pytest.raises(ShieldError, match="is none of critical, warning, notice"):
            findings.tell("Rule", [], severities=severities)  # pyright: ignore[reportArgumentType]
