"""What a function looks like right now, read through the CDK's public surface only.

A `Function` keeps its environment and layers to itself until synthesis. What they will be is disclosed by
`CfnResource.inspect`, which exists for the construct tree's metadata, and `Stack.resolve`. Values set with
`add_property_override` are applied after that and cannot be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from .errors import ShieldError

_PROPERTIES = "aws:cdk:cloudformation:props"


@dataclass(frozen=True)
class FunctionFacts:
    """A function's properties, resolved: plain values, or intrinsics (`{"Ref": ...}`) known at deployment.

    Attributes:
        path: the construct path.
        runtime: the runtime's name; None for a container image.
        family: the runtime's family, where the CDK knows it.
        architecture: the architecture's name, `x86_64` or `arm64`.
        environment: the variables.
        layers: the layer ARNs; None when they are not known one by one.
        logging: the logging configuration as CloudFormation takes it, with the keys of the L1 (`logGroup`, ...).
        code_signing: a code-signing configuration is attached.
    """

    path: str
    runtime: Any
    family: lambda_.RuntimeFamily | None
    architecture: str
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    layers: Sequence[Any] | None = ()
    logging: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code_signing: bool = False


def resource_of(function: lambda_.Function) -> lambda_.CfnFunction:
    """The CloudFormation resource of a function.

    Raises:
        ShieldError: its default child is something else.
    """
    resource = function.node.default_child
    if not isinstance(resource, lambda_.CfnFunction):
        raise ShieldError(function.node.path, ["the default child is not a CfnFunction, so it cannot be shielded"])
    return resource


def disclose(function: lambda_.Function) -> dict[str, Any]:
    """A function's properties as the L1 has them, unresolved.

    Raises:
        ShieldError: its resource does not disclose them.
    """
    inspector = cdk.TreeInspector()
    resource_of(function).inspect(inspector)
    disclosed = inspector.attributes.get(_PROPERTIES)
    if disclosed is None:
        raise ShieldError(function.node.path, ["this version of aws-cdk-lib does not disclose a resource's properties"])
    return cast("dict[str, Any]", disclosed)


def inspect(function: lambda_.Function) -> FunctionFacts:
    """Reads a function. What refers to another stack resolves differently once the synthesis has begun.

    Raises:
        ShieldError: its resource does not disclose its properties.
    """
    properties = cast("dict[str, Any]", function.stack.resolve(disclose(function)))
    layers: Any = properties.get("layers") or []
    return FunctionFacts(
        path=function.node.path,
        runtime=properties.get("runtime"),
        family=function.runtime.family,
        architecture=function.architecture.name,
        environment=_variables(properties.get("environment")),
        layers=cast("list[Any]", layers) if isinstance(layers, list) else None,
        logging=cast("dict[str, Any]", properties.get("loggingConfig") or {}),
        code_signing=properties.get("codeSigningConfigArn") is not None,
    )


def _variables(environment: Any) -> dict[str, Any]:
    return dict(cast("dict[str, Any]", environment or {}).get("variables") or {})


def as_text(value: Any) -> str:
    """A resolved value as the string that CDK properties take: itself, or a token that stands for its intrinsic."""
    return value if isinstance(value, str) else cdk.Token.as_string(value)
