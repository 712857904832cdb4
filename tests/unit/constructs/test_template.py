"""The whole template: unchanged, and deployable."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from harness.function_template import Props
from shielded_function import AlarmOptions, ShieldedFunction, ShieldPolicy
from unit.constructs.aws import aws

Synthesize = Callable[[cdk.Stack], "dict[str, Any]"]


def shop(app: cdk.App, props: Props, kind: Any = ShieldedFunction) -> cdk.Stack:
    """A stack with one function of everything."""
    stack = cdk.Stack(app, "Shop")
    more: Props = {}
    if kind is ShieldedFunction:
        topic = aws.sns.Topic(stack, "Topic")
        action = aws.cloudwatch_actions.SnsAction(topic)
        more = {
            "policy": ShieldPolicy(allow_outbound=("api.stripe.com:443", "10.0.0.0/8"), allow_aws=("dynamodb",)),
            "alarms": AlarmOptions(actions=[action]),
        }
    environment = {"TABLE": "orders", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}
    kind(stack, "Checkout", environment=environment, **more, **props)
    kind(stack, "Resize", architecture=aws.lambda_.Architecture.ARM_64, **props)
    return stack


def test_it_is_as_it_was(app: cdk.App, props: Props, synthesize: Synthesize, snapshot: SnapshotAssertion) -> None:
    template = json.dumps(synthesize(shop(app, props)))
    normalised = json.loads(re.sub(r"[0-9a-f]{64}", "<asset>", template))
    assert normalised == snapshot(extension_class=JSONSnapshotExtension)


def findings(app: cdk.App) -> set[tuple[str, str]]:
    """(rule, construct path) of what cdk-nag finds."""
    for pack in (cdk_nag.AwsSolutionsChecks, cdk_nag.ServerlessChecks):
        cdk.Validations.of(app).add_plugins(pack(app))
    with contextlib.suppress(RuntimeError):  # a finding fails the synthesis, after the report is written
        app.synth()
    return {
        (violation["ruleName"], construct["constructPath"])
        for plugin in json.loads((Path(app.outdir) / "validation-report.json").read_text())["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


def test_the_shield_adds_no_finding_of_cdk_nag(tmp_path: Path, props: Props) -> None:
    found: list[set[tuple[str, str]]] = []
    for kind in (aws.lambda_.Function, ShieldedFunction):
        app = cdk.App(outdir=str(tmp_path / kind.__name__))
        shop(app, props, kind)
        found.append({finding for finding in findings(app) if "/Topic/" not in finding[1]})
    plain, shielded = found
    assert plain, "cdk-nag looked at nothing"
    assert shielded <= plain
