"""The CDK's modules without their types, as a checker that reads all of them needs gigabytes; functions and aspects."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import jsii


class _Modules:
    """By their names: `aws.s3` is `aws_cdk.aws_s3`, `aws.lambda_` is `aws_cdk.aws_lambda`."""

    def __getattr__(self, name: str) -> Any:
        return importlib.import_module(f"aws_cdk.aws_{name.rstrip('_')}")


aws: Any = _Modules()


def new(make: Any, construct_id: str = "X", /, **props: Any) -> Callable[[Any], Any]:
    """Makes a construct in a scope; a property that is a function makes something there, too."""
    return lambda s: make(s, construct_id, **{k: each(s) if callable(each) else each for k, each in props.items()})


def l1_function(
    scope: Any, role: str = "arn:aws:iam::111122223333:role/r", construct_id: str = "L1", **props: Any
) -> Any:
    """The least that a `CfnFunction` needs."""
    made = aws.lambda_.CfnFunction
    code = made.CodeProperty(zip_file="x")
    return made(scope, construct_id, role=role, code=code, runtime="python3.13", handler="index.handler", **props)


@jsii.implements(cdk.IAspect)
class _Aspect:
    def __init__(self, visit: Callable[[Any], object]) -> None:
        self._visit = visit

    def visit(self, node: Any) -> None:
        """Called by the CDK."""
        self._visit(node)


def add_aspect(scope: Any, visit: Callable[[Any], object], at: str = "", **options: Any) -> None:
    """Calls a function with each construct in a scope that the CDK visits, or with the one at a path."""
    cdk.Aspects.of(scope).add(_Aspect(lambda node: visit(node) if at in ("", node.node.path) else None), **options)
