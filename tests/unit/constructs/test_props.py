"""The typed keyword arguments are the CDK's."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any, get_type_hints

import aws_cdk as cdk
import pytest
from aws_cdk import interfaces

from shielded_function import ShieldedFunction
from shielded_function.props import FunctionProps, MetricProps
from unit.constructs.aws import aws

# What props.py imports for type checkers only.
NAMES: dict[str, Any] = {
    **{f"aws_{name}_refs": getattr(interfaces, f"aws_{name}") for name in ("kms", "lambda", "logs")},
    **{name: getattr(aws, name) for name in ("cloudwatch", "codeguruprofiler", "ec2", "iam", "logs", "sns", "sqs")},
    "cdk": cdk,
    "lambda_": aws.lambda_,
}


@pytest.mark.parametrize(
    ("props", "of", "skip"),
    [
        (FunctionProps, aws.lambda_.Function, {"self", "scope", "id"}),
        (MetricProps, aws.cloudwatch.MetricOptions, {"self"}),
    ],
)
def test_no_drift(props: Any, of: Any, skip: set[str]) -> None:
    parameters = inspect.signature(of.__init__).parameters
    theirs = {name: parameter for name, parameter in parameters.items() if name not in skip}
    mine, hints = get_type_hints(props, localns=NAMES), get_type_hints(of.__init__)
    assert set(mine) == set(theirs)
    assert props.__required_keys__ == {name for name, p in theirs.items() if p.default is p.empty}
    for name in theirs:
        assert flat(mine[name]) == flat(hints[name]), name


def flat(kind: Any) -> Any:
    """A type in a form where `X | None` and `Optional[X]`, `dict` and `Dict`, and jsii's numbers are equal."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return frozenset(flat(argument) for argument in arguments if argument is not int)
    if origin is not None:
        return (origin, *(flat(argument) for argument in arguments))
    return kind


def test_its_own_arguments_hide_none() -> None:
    parameters = inspect.signature(ShieldedFunction.__init__).parameters
    own = {name for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY}
    assert own == {"policy", "alarms", "logs", "shield_layer"}
    assert not own & set(inspect.signature(aws.lambda_.Function.__init__).parameters)
