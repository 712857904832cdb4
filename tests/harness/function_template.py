"""What the tests of `ShieldedFunction` ask of a template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk

from shielded_function import ShieldedFunction

FUNCTION = "AWS::Lambda::Function"
LAYER = "AWS::Lambda::LayerVersion"
LOG_GROUP = "AWS::Logs::LogGroup"
FILTER = "AWS::Logs::MetricFilter"
ALARM = "AWS::CloudWatch::Alarm"
WRAPPER = "/opt/shielded-function/shield"

Resources = Callable[[cdk.Stack, str], "dict[str, Any]"]
Props = dict[str, Any]


def only(found: dict[str, Any]) -> Any:
    assert len(found) == 1, list(found)
    return next(iter(found.values()))


def variables(resources: Resources, stack: cdk.Stack) -> dict[str, Any]:
    return only(resources(stack, FUNCTION))["Environment"]["Variables"]


def layer_arn(fn: ShieldedFunction) -> str:
    assert fn.shield.layer is not None
    return fn.shield.layer.layer_version_arn
