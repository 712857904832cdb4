"""An app is synthesized, and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from shielded_function import ShieldedFunction
from shielded_function.checks import Report, check, read_assembly
from shielded_function.checks.templates import Assembly

PROMISE = "construct.checks"

Judge = Callable[..., Report]
Read = Callable[[], Assembly]
MakeFunction = Callable[..., lambda_.Function]


@pytest.fixture
def judge(app: cdk.App) -> Judge:
    """Synthesizes the app, and applies the rules, of which `hidden` leaves out the one on every alarm that holds."""

    def judge(production: Any = (), *, hidden: bool = True) -> Report:
        report = check(read_assembly(Path(app.synth(force=True).directory)), production)
        found = [each for each in report.findings if not (hidden and each.rule == "new-targets-hidden")]
        return replace(report, findings=found)

    return judge


@pytest.fixture
def assembly(app: cdk.App) -> Read:
    """Synthesizes the app once, for several reports."""
    return lru_cache(lambda: read_assembly(Path(app.synth().directory)))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A function's code as a folder."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "app.py").write_text("def handler(event, context): return event\n")
    return folder


@pytest.fixture
def shielded(props: dict[str, Any]) -> MakeFunction:
    """A shielded function, and what is written into its resource afterwards: overrides, by property."""

    def make(
        scope: cdk.Stack, construct_id: str = "Fn", overrides: dict[str, Any] | None = None, **changed: Any
    ) -> lambda_.Function:
        function = ShieldedFunction(scope, construct_id, **{**props, **changed})
        resource = function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        for name, value in (overrides or {}).items():
            if value is None:
                resource.add_property_deletion_override(name)
            else:
                resource.add_property_override(name, value)
        return function

    return make


@pytest.fixture
def action(stack: cdk.Stack) -> Any:
    """Something that an alarm does. Any: a type checker does not take jsii's classes for their own interfaces."""
    topic: Any = sns.Topic(stack, "Security")
    return cloudwatch_actions.SnsAction(topic)


def rules(report: Report, path: str | None = None) -> set[str]:
    """The rules that found something, at one construct or anywhere, except the alarm without action and the runtime
    without a mode of its updates, which `shielded` leaves to each test."""
    found = {finding.rule for finding in report.findings if path in (None, finding.place.path)}
    return found - {"alarm-without-action", "runtime-updates"}
