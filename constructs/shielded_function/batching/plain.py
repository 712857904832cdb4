"""The methods of `batch.js` by the CDK's Python classes, one message at a time, where jsii cannot load it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from importlib import import_module
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import MetadataEntry

from ..late import late_any


def members(objects: Sequence[Any], paths: Sequence[str]) -> list[list[Any]]:
    return [[_as_json(reduce(_member, path.split("."), each)) for path in paths] for each in objects]


def call(objects: Sequence[Any], method: str) -> list[Any]:
    return [getattr(each, _snake(method))() for each in objects]


def inspect(resources: Sequence[Any]) -> list[dict[str, Any]]:
    return [_inspect(resource) for resource in resources]


def resolve(resources: Sequence[Any], attribute: str, names: Sequence[str]) -> list[Any]:
    found = zip(resources, inspect(resources), strict=True)
    return [_resolve(resource, told.get(attribute), names) for resource, told in found]


def references(resources: Sequence[Any], attribute: str, names: Sequence[str]) -> list[Any]:
    return [_references(resource, attribute, names) for resource in resources]


def circles(asked: Sequence[Any]) -> list[Any]:
    return [None for _ in asked]  # each step would need many messages: CloudFormation finds the circle


def find(scope: Any, classes: Sequence[str], types: Sequence[str]) -> list[tuple[Any, str]]:
    kinds = tuple(_class(f"aws_cdk.{path}") for path in classes)
    starts = tuple(each for each in types if each.endswith("::"))
    found: list[tuple[Any, str]] = []
    for each in scope.node.find_all():
        kind = str(getattr(each, "cfn_resource_type", ""))
        begins = starts and kind.startswith(starts) and f"!{kind}" not in types
        if isinstance(each, kinds) or kind in types or begins:
            found.append((each, each.to_string()))
    return found


def holders(scope: Any, any_of: Sequence[str], others: Sequence[str]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for each in scope.node.find_all():
        first = next((value for path in any_of if (value := _given(each, path)) is not None), None)
        if first is not None:
            found.append([each.to_string(), first, *(_given(each, path) for path in others)])
    return found


def create(module: str, kind: str, scope: Any, construct_id: str, props: Mapping[str, Any]) -> Any:
    given = {_snake(name): value for name, value in props.items()}
    if "filter_pattern" in given:
        given["filter_pattern"] = logs.FilterPattern.literal(given["filter_pattern"]["logPatternString"])
    return _class(f"aws_cdk.{module}.{kind}")(scope, construct_id, **given)


def createLogGroup(scope: Any, construct_id: str, props: Mapping[str, Any]) -> tuple[Any, str]:
    group = create("aws_logs", "LogGroup", scope, construct_id, props)
    resource = group.node.default_child
    if hasattr(resource, "deletion_protection_enabled"):
        deleted = cdk.CfnDeletionPolicy.DELETE
        resource.deletion_protection_enabled = late_any(lambda: resource.cfn_options.deletion_policy != deleted or None)
    return group, group.log_group_name


def createAlarms(scope: Any, alarms: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[Any]:
    return [_create_alarm(scope, *each) for each in alarms]


def _create_alarm(scope: Any, construct_id: str, metric: Mapping[str, Any], props: Mapping[str, Any]) -> Any:
    kind: Any = cloudwatch.MathExpression if "expression" in metric else cloudwatch.Metric
    given = {_snake(name): value for name, value in metric.items()}
    return create("aws_cloudwatch", "Alarm", scope, construct_id, {**props, "metric": kind(**given)})


def attach(resource: Any, given: Mapping[str, Any]) -> None:
    if "logging" in given:
        logging = {_snake(name): value for name, value in given["logging"].items()}
        resource.logging_config = lambda_.CfnFunction.LoggingConfigProperty(**logging)
    if "aspect" in given:
        cdk.Aspects.of(resource).add(given["aspect"], priority=given["priority"])


def note(constructs: Sequence[Any], kind: str, texts: Sequence[str]) -> None:
    for construct, text in zip(constructs, texts, strict=True):
        construct.node.add_metadata(kind, text)


def addLayer(function: Any, layer: Any) -> None:
    if isinstance(function, lambda_.Function):
        function.add_layers(layer)
    else:
        function.layers = [*(function.layers or []), layer.layer_version_arn]


def addEnvironment(function: Any, variables: Mapping[str, str], layers: Sequence[Any]) -> None:
    for layer in layers:
        addLayer(function, layer)
    for name, value in variables.items():
        function.add_environment(name, value)


def _snake(name: str) -> str:
    """A name of the CDK in its Python classes: `toJSON` as `to_json`."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _member(value: Any, name: str) -> Any:
    """A member; protected members have an underscore in Python."""
    if isinstance(value, dict):
        return value.get(name)
    return getattr(value, _snake(name), getattr(value, f"_{_snake(name)}", None))


def _given(value: Any, path: str) -> Any:
    try:
        return _as_json(reduce(_member, path.split("."), value))
    except RuntimeError:  # the CDK throws for members that a construct lacks
        return None


def _as_json(value: Any) -> Any:
    """Structs and metadata in the form of `batch.js`: by the CDK's names in TypeScript."""
    if isinstance(value, list):
        return [_as_json(each) for each in cast("list[Any]", value)]
    if isinstance(value, MetadataEntry):
        return {"type": value.type, "data": value.data}
    fields: Any = getattr(value, "_values", None)
    return {_camel(name): _as_json(each) for name, each in fields.items()} if isinstance(fields, dict) else value


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _inspect(resource: Any) -> dict[str, Any]:
    inspector = cdk.TreeInspector()
    resource.inspect(inspector)
    return dict(inspector.attributes)


def _resolve(resource: Any, properties: Any, names: Sequence[str]) -> Any:
    wanted = {name: (properties or {}).get(name) for name in names}
    wanted["condition"] = resource.cfn_options.condition
    return None if properties is None else resource.stack.resolve(wanted)


def _references(resource: Any, attribute: str, names: Sequence[str]) -> Any:
    disclosed = _inspect(resource).get(attribute) if attribute and hasattr(resource, "inspect") else None
    properties: Any = disclosed or _member(resource, "cfnProperties")
    if not properties:
        return None
    wanted = {name: properties.get(name, properties.get(name[0].upper() + name[1:])) for name in names} or properties
    resolver: Any = _References()
    cdk.Tokenization.resolve(wanted, scope=resource, resolver=resolver, preparing=False)
    return [list(resolver.targets), resource.stack.resolve(wanted)]


class _References(cdk.DefaultTokenResolver):
    """Resolves like the CDK, and records the referenced constructs."""

    def __init__(self) -> None:
        concat: Any = cdk.StringConcat()
        super().__init__(concat)
        self.targets: dict[str, None] = {}

    def resolve_token(
        self, t: cdk.IResolvable, context: cdk.IResolveContext, post_processor: cdk.IPostProcessor
    ) -> Any:
        """Called by the CDK for each token."""
        if cdk.Reference.is_reference(t):
            target: Any = cast("Any", t).target
            self.targets[target.to_string()] = None
        return super().resolve_token(t, context, post_processor)
