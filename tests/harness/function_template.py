"""What the tests of `ShieldedFunction` ask of a template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions, aws_sns

from shielded_function_monitoring.cfn.parts import parts
from shielded_function_monitoring.cfn.template import Template, referred

FUNCTION = "AWS::Lambda::Function"
LAYER = "AWS::Lambda::LayerVersion"
LOG_GROUP = "AWS::Logs::LogGroup"
FILTER = "AWS::Logs::MetricFilter"
ALARM = "AWS::CloudWatch::Alarm"
WRAPPER = "/opt/shielded-function/shield"

Resources = Callable[[cdk.Stack, str], "dict[str, Any]"]
Synthesize = Callable[[cdk.Stack], "dict[str, Any]"]
Props = dict[str, Any]


def sns_action(scope: Any, name: str, **topic: Any) -> Any:
    """An alarm's action, and its topic."""
    made: Any = aws_sns.Topic(scope, name, **topic)
    return aws_cloudwatch_actions.SnsAction(made)


def only(found: dict[str, Any]) -> Any:
    assert len(found) == 1, list(found)
    return next(iter(found.values()))


def variables(resources: Resources, stack: cdk.Stack) -> dict[str, Any]:
    return only(resources(stack, FUNCTION))["Environment"]["Variables"]


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of a template's resources of one type, by logical id."""
    return dict(Template(template).of_type(kind))


def shown(value: Any) -> str:
    """A resolved text, with what is known at deployment as `<Ref>`."""
    return "".join(part if isinstance(part, str) else f"<{referred(part) or 'known later'}>" for part in parts(value))
