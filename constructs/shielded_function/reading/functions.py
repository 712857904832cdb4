"""Reads and changes the properties of a Lambda function, a `Function` or a `CfnFunction`.

A `Function` hides its environment and layers until synthesis. Its resource's `cfnProperties`, a protected member,
discloses them, and `Stack.resolve` resolves them. Values of `add_property_override` are applied later.
Of these only the architecture and the size of the variables are read, as they may prevent the function's start;
`ShieldChecks` reads the final template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct, Node

from shielded_function_monitoring.cfn.template import is_function

from ..errors import ShieldError
from .batching import call_all, members_of
from .late import late_mapping, references_in

_OF_FACTS = (
    *("runtime", "architectures", "environment", "layers", "loggingConfig"),
    *("codeSigningConfigArn", "capacityProviderConfig", "functionName"),
)
_LATE = ("architectures", "environment", "layers")
_ASKED = ("node", "node.path", "stack", "node.defaultChild", "node.children", "functionName")


@dataclass(frozen=True)
class FunctionFacts:
    """A function's properties, resolved: plain values, or intrinsics known at deployment.

    Attributes:
        path: the construct path.
        runtime: the runtime's name; None for a container image.
        family: the runtime's family, where only the CDK knows it; None where the name implies it.
        architecture: the architecture's name, `x86_64` or `arm64`; also from a property override.
        environment: the variables; None where they are not known one by one.
        layers: the layer ARNs; None where they are not known one by one.
        logging: CloudFormation's logging configuration, with the keys of the L1 (`logGroup`, ...).
        code_signing: whether a code-signing configuration is attached.
        on_instances: whether it runs on a capacity provider (Lambda Managed Instances).
        overridden: the variables that property overrides write.
        name: the function's name, where it is known before deployment; else empty.
        is_conditional: whether it is created only under a condition of CloudFormation.
    """

    path: str
    runtime: Any
    architecture: Any = "x86_64"
    family: lambda_.RuntimeFamily | None = None
    environment: Mapping[str, Any] | None = field(default_factory=dict[str, Any])
    layers: Sequence[Any] | None = ()
    logging: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code_signing: bool = False
    on_instances: bool = False
    overridden: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str = ""
    is_conditional: bool = False


class FunctionHandle:
    """A function that may get a shield: an `aws_lambda.Function` of any kind, or a `CfnFunction` without one.

    Attributes:
        construct: the function.
        node: its place in the construct tree.
        resource: its CloudFormation resource, which is the same for a `CfnFunction`.
        stack: its stack.
        path: its construct path.
    """

    def __init__(
        self,
        construct: lambda_.Function | lambda_.CfnFunction,
        *,
        node: Node | None = None,
        path: str | None = None,
        stack: cdk.Stack | None = None,
        resource: lambda_.CfnFunction | None = None,
        children: Sequence[IConstruct] | None = None,
        name: str | None = None,
    ) -> None:
        """
        Args:
            construct: the function.
            node, path, stack, resource, children, name: already known values, which are not requested again.

        Raises:
            ShieldError: the function's default child is not a `CfnFunction`.
        """
        self.construct = construct
        if node is None or path is None or stack is None:
            answers: Any = members_of([construct], *_ASKED)[0]
            node, path, stack, resource, children, name = answers
        self.node = cast("Node", node)
        self.path = cast("str", path)
        self.stack = cast("cdk.Stack", stack)
        self._children = children
        self._name = name
        if isinstance(construct, lambda_.CfnFunction):
            resource = construct
        elif resource is None:
            resource = cast("Any", self.node.default_child)
        if not isinstance(resource, lambda_.CfnFunction):
            raise ShieldError(self.path, ["the default child is not a CfnFunction, so it cannot be shielded"])
        self.resource = resource

    def children(self) -> Sequence[IConstruct]:
        """The children before the shield. Read once: the CDK adds its own children first."""
        if self._children is None:
            self._children = self.node.children
        return self._children

    def l1_properties(self) -> dict[str, Any]:
        """The unresolved properties of the L1."""
        return members_of([self.resource], "cfnProperties")[0][0]

    def read_facts(self) -> FunctionFacts:
        """Its present facts. References to another stack resolve differently once the synthesis has begun."""
        return self.facts_of(read_properties([self])[0])

    def read_late_facts(self) -> FunctionFacts:
        """Its variables, layers and architecture now. Runtime, logging and code signing are not read."""
        return self.facts_of(read_properties([self], _LATE)[0])

    def facts_of(self, properties: Mapping[str, Any]) -> FunctionFacts:
        """The facts in the result of `read_properties`."""
        runtime = properties.get("runtime")
        layers: Any = properties.get("layers") or []
        overrides = properties.get("overrides") or {}
        architectures: Any = overrides.get("Architectures") or properties.get("architectures") or ["x86_64"]
        return FunctionFacts(
            path=self.path,
            runtime=runtime,
            family=self._family() if isinstance(runtime, Mapping) else None,
            architecture=architectures[0] if isinstance(architectures, list) else architectures,
            environment=_variables(properties.get("environment")),
            layers=cast("list[Any]", layers) if isinstance(layers, list) else None,
            logging=cast("dict[str, Any]", properties.get("loggingConfig") or {}),
            on_instances=properties.get("capacityProviderConfig") is not None,
            code_signing=properties.get("codeSigningConfigArn") is not None,
            overridden=(overrides.get("Environment") or {}).get("Variables") or {},
            name=name if isinstance(name := properties.get("functionName"), str) else "",
            is_conditional="condition" in properties,
        )

    def referred(self, name: str) -> IConstruct | None:
        """The construct to which a property of the L1 refers; None for other values."""
        return next((each.target for each in references_in(str(self.l1_properties().get(name)))), None)

    def add(self, variables: Mapping[str, Any], layers: Sequence[lambda_.ILayerVersion]) -> None:
        """Sets environment variables, and appends layers; existing ones stay."""
        variables = {name: as_text(value) for name, value in variables.items()}
        if isinstance(self.construct, lambda_.Function):
            rows = [("addEnvironment", *each) for each in variables.items()]
            call_all([(self.construct, *row) for row in ([("addLayers", *layers), *rows] if layers else rows)])
            return
        if layers:
            self.resource.layers = [*(self.resource.layers or ()), *(layer.layer_version_arn for layer in layers)]
        if variables:
            environment: Any = self.l1_properties().get("environment") or {}
            present = environment.get("variables", {}) if isinstance(environment, Mapping) else environment
            if isinstance(present, Mapping):
                added: Any = {**present, **variables}
            else:  # a lazy value is joined when the CDK resolves it
                added = late_mapping(present, variables, None if present is not environment else "variables")
            self.resource.environment = lambda_.CfnFunction.EnvironmentProperty(variables=added)

    def attach(self, *, logging: Mapping[str, Any] | None, aspect: cdk.IAspect | None) -> None:
        """Sets the options that are not None.

        Args:
            logging: its logging configuration: a resolved one, possibly with a token for the log group.
            aspect: visits its resource after all aspects that change it, before those that only read
                (AspectPriority.READONLY is 1000). The CDK visits the resource, which has no children, after the
                function.
        """
        if logging is not None:
            texts: Any = {name: as_text(value) for name, value in logging.items()}
            self.resource.logging_config = texts
        if aspect is not None:
            cdk.Aspects.of(self.resource).add(aspect, priority=900)

    @property
    def name(self) -> str:
        """The function's name, a token."""
        if isinstance(self.construct, lambda_.CfnFunction):
            return self.construct.ref
        if self._name is None:
            self._name = self.construct.function_name
        return self._name

    def _family(self) -> lambda_.RuntimeFamily | None:
        return self.construct.runtime.family if isinstance(self.construct, lambda_.Function) else None


def read_properties(handles: Sequence[FunctionHandle], names: Sequence[str] = _OF_FACTS) -> list[dict[str, Any]]:
    """For each function, the resolved properties of its resource that the facts need; in one message.

    Those of property overrides, by CloudFormation's names, are in `overrides`, and its condition in `condition`.
    """
    paths = [f"cfnProperties.{name}" for name in names]
    resources = [handle.resource for handle in handles]
    found = members_of(resources, *paths, "rawOverrides.Properties", "cfnOptions.condition", form="resolved")
    keys = (*names, "overrides", "condition")
    return [{key: value for key, value in zip(keys, row, strict=True) if value is not None} for row in found]


def _variables(environment: Any) -> dict[str, Any] | None:
    """The variables of a resolved environment; None for an environment known only at deployment."""
    given: Mapping[str, Any] = environment or {}
    variables: Any = given.get("variables", {})
    if given.keys() - {"variables"} or any(map(is_function, variables)):
        return None
    return dict(variables)


def as_text(value: Any) -> str:
    """A resolved value as a string for CDK properties: itself, or a token for its intrinsic."""
    return value if isinstance(value, str) else cdk.Token.as_string(value)
