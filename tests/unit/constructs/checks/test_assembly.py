"""What is read from a cloud assembly: stages, nested stacks, marks, acknowledgements, the CDK's own handlers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as s3_notifications
from aws_cdk import aws_stepfunctions as stepfunctions
from aws_cdk import aws_stepfunctions_tasks as tasks
from aws_cdk import custom_resources, triggers

from shielded_function.checks import AssemblyError, check, read_assembly
from unit.constructs.test_everywhere import cdk_handlers

from .conftest import Judge, MakeFunction, rules

Props = dict[str, Any]


def acknowledge(construct: Any, reason: str, rule: str = "not-shielded") -> None:
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"shielded-function::{rule}", reason=reason))


def test_stages_and_nested_stacks(app: cdk.App, shielded: MakeFunction, props: Props, judge: Judge) -> None:
    for scope in (app, cdk.Stage(app, "Prod")):
        stack = cdk.Stack(scope, "Shop")
        # The same id in the stack and in the nested stack gives the same logical id in both templates.
        nested = cdk.NestedStack(stack, "Nested")
        shielded(nested)
        lambda_.Function(stack, "Fn", **props)
        shielded(cdk.NestedStack(nested, "Deeper"))
    report = judge()
    assert sorted((f.place.path, f.is_shielded, f.template.file.count("/")) for f in report.assembly.functions) == [
        ("Prod/Shop/Fn", False, 1),
        ("Prod/Shop/Nested/Deeper/Fn", True, 1),
        ("Prod/Shop/Nested/Fn", True, 1),
        ("Shop/Fn", False, 0),
        ("Shop/Nested/Deeper/Fn", True, 0),
        ("Shop/Nested/Fn", True, 0),
    ]
    assert all(function.layers == ["shield"] for function in report.shielded)
    assert {finding.place.path for finding in report.findings if finding.rule == "not-shielded"} == {
        "Prod/Shop/Fn",
        "Shop/Fn",
    }


def test_a_stage_by_itself(app: cdk.App, props: Props) -> None:
    stack = cdk.Stack(cdk.Stage(app, "Prod"), "Shop")
    handler: Any = lambda_.Function(stack, "Fn", **props)
    custom_resources.Provider(stack, "Provider", on_event_handler=handler)
    folder = Path(app.synth().directory) / "assembly-Prod"
    report = check(read_assembly(folder))
    assert [function.cdk_handler for function in report.assembly.functions] == ["", "the provider framework"]
    assert rules(report) == {"not-shielded"}


@pytest.mark.filterwarnings("ignore")
def test_the_cdks_own_handlers(app: cdk.App, stack: cdk.Stack, props: Props, judge: Judge) -> None:
    """A name that a user chooses excuses nothing."""
    cdk_handlers(stack, props)
    mine: Any = stack.node.find_child("OnEvent")
    custom_resources.Provider(stack, "Waits", on_event_handler=mine, is_complete_handler=mine)
    lambda_.SingletonFunction(stack, "Single", uuid="mine", **props)
    ec2.Vpc(stack, "Vpc", restrict_default_security_group=True)
    call = targets.AwsApi(service="S3", action="listBuckets")
    events.Rule(stack, "Rule", schedule=events.Schedule.rate(cdk.Duration.days(1)), targets=[call])
    imported = s3.Bucket.from_bucket_name(stack, "Theirs", "their-bucket")
    imported.add_event_notification(s3.EventType.OBJECT_CREATED, s3_notifications.LambdaDestination(mine))
    triggers.Trigger(stack, "Trigger", handler=mine)
    evaluate = tasks.EvaluateExpression(stack, "Evaluate", expression="$.a + 1")
    stepfunctions.StateMachine(stack, "Machine", definition_body=stepfunctions.DefinitionBody.from_chainable(evaluate))
    provider = cdk.Stack(app, "Provider")
    lambda_.Function(provider, "framework-onEvent", **props)
    for name in (
        "Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C",
        "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a",
    ):
        lambda_.Function(cdk.NestedStack(provider, name), "Handler", **props)
    report = judge()
    excused = {function.place.path for function in report.excused}
    paths = {function.place.path for function in report.assembly.functions} - excused
    assert len(excused) >= 14
    assert {path for path in paths if path.startswith("Shop/")} == {
        "Shop/OnEvent",
        "Shop/Kept",
        "Shop/SingletonLambdamine",
    }
    assert len(paths) == 6


def test_a_part_of_an_assembly(app: cdk.App, shielded: MakeFunction) -> None:
    """Only some templates; assets that are gone are not judged."""
    for name in ("One", "Two"):
        shielded(cdk.Stack(app, name))
    folder = Path(app.synth().directory)
    for asset in folder.glob("asset.*"):
        shutil.rmtree(asset) if asset.is_dir() else asset.unlink()
    report = check(read_assembly(folder, [folder / "Two.template.json"]))
    assert [(each.place.path, each.layers) for each in report.assembly.functions] == [("Two/Fn", ["unseen"])]
    (folder / "One.template.json").unlink()
    with pytest.raises(AssemblyError, match=r"One\.template\.json cannot be read"):
        read_assembly(folder)


@pytest.mark.parametrize(
    ("manifest", "message"), [(None, "run `cdk synth` first"), ("{", "is not JSON"), ("[]", "is not a JSON object")]
)
def test_what_is_no_assembly(manifest: str | None, message: str, tmp_path: Path) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(AssemblyError, match=message):
        read_assembly(tmp_path)
