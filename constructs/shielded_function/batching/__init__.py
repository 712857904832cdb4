"""Batches requests to the CDK: many properties in one message, and each construct in one message.

From Python, each property of a construct and each method call is a message to the CDK's process and back, and a
construct with properties needs several, with type checks. These messages dominate the time of a synthesis. `batch.js`
is a short module that jsii loads into that process, like the CDK: it reads the same public members of many objects at
once, and calls the same constructors. Names are the CDK's in TypeScript (`policyDocument`, `node.metadata`). Argument
types are not checked: pass checked values.

`jsii.load` of a generated archive is an interface of jsii's Python runtime that is documented for generated packages
only. Where it fails, `plain` makes the same requests by the CDK's Python classes, one message at a time.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsii

from . import plain

__all__ = [
    "add_environment",
    "add_layer",
    "attach",
    "call_all",
    "circles_of",
    "create",
    "create_alarms",
    "create_log_group",
    "find_all",
    "holders_of",
    "inspect_all",
    "members_of",
    "note_all",
    "references_of",
    "resolve_all",
]

_NAME: Final = "shielded-function-batch"
_VERSION: Final = "1.0.0"
_ANY: Final = {"primitive": "any"}
_STRING: Final = {"primitive": "string"}
_LIST: Final = {"collection": {"kind": "array", "elementtype": _ANY}}


def members_of(objects: Sequence[Any], *paths: str) -> list[list[Any]]:
    """Members of many objects, for each in the order of `paths`; None for absent ones.

    Args:
        objects: constructs, or other objects of the CDK.
        paths: the members, `role` or `node.metadata`.
    """
    if not objects:
        return []
    return _ask("members", list(objects), list(paths))


def call_all(objects: Sequence[Any], method: str) -> list[Any]:
    """The result of a method without arguments, for each object."""
    return _ask("call", list(objects), method) if objects else []


def inspect_all(resources: Sequence[Any]) -> list[dict[str, Any]]:
    """The result of `CfnResource.inspect` for each resource: its attributes, unresolved."""
    return _ask("inspect", list(resources)) if resources else []


def resolve_all(resources: Sequence[Any], attribute: str, names: Sequence[str]) -> list[Any]:
    """Some properties in one attribute of `inspect_all`, resolved by each resource's stack.

    Args:
        resources: the resources.
        attribute: the attribute.
        names: the wanted properties.

    Returns:
        For each resource, the properties that it has; None where it lacks the attribute. Properties written by
        `add_property_override` are in `overrides`, by CloudFormation's names, and its condition in `condition`.
    """
    return _ask("resolve", list(resources), attribute, list(names)) if resources else []


def references_of(
    resources: Sequence[Any], attribute: str, names: Sequence[str] = ()
) -> list[tuple[list[str], dict[str, Any]] | None]:
    """The targets of references in resources' properties.

    Args:
        resources: the resources.
        attribute: the attribute of `inspect_all` that has the properties. Where it is empty, or a resource lacks it, as
            a plain `CfnResource` does, the protected `cfnProperties` are read.
        names: the properties to read; by default all.

    Returns:
        For each resource: the `toString` of each construct, and the resolved properties. None for a resource
        that does not disclose them.
    """
    if not resources:
        return []
    found = _ask("references", list(resources), attribute, list(names))
    return [None if each is None else (each[0], each[1]) for each in found]


def circles_of(asked: Sequence[tuple[Any, Any]]) -> list[list[str] | None]:
    """Finds circular dependencies that values would cause in resources, in this order.

    Args:
        asked: each resource, and a value with references.

    Returns:
        For each, the paths of the circle, from the resource or its stack back to it; None for none.
    """
    return _ask("circles", [list(each) for each in asked]) if asked else []


def find_all(scope: Any, classes: Sequence[str], types: Sequence[str]) -> list[tuple[Any, str]]:
    """A construct and its descendants, of some classes or types, each with its `toString`.

    Args:
        scope: the construct.
        classes: classes of the CDK, `Stack` or `aws_lambda.FunctionBase`.
        types: CloudFormation types of resources; `Custom::` is every type with this prefix, except those with a `!` in
            front: `!Custom::Own`.
    """
    found = _ask("find", scope, list(classes), list(types))
    return [(construct, text) for construct, text in found]


def holders_of(scope: Any, any_of: Sequence[str], others: Sequence[str]) -> list[tuple[str, Any, list[Any]]]:
    """A construct and its descendants that have one of some members.

    Args:
        scope: the construct.
        any_of: members, as in `members_of`.
        others: members to read of each found construct.

    Returns:
        For each construct: its `toString`, the first member of `any_of` that it has, and its `others`, None for
        absent ones.
    """
    found = _ask("holders", scope, list(any_of), list(others))
    return [(text, first, others) for text, first, *others in found]


def create(module: str, kind: str, scope: Any, construct_id: str, props: Mapping[str, Any]) -> Any:
    """A construct of the CDK: `create("aws_logs", "LogGroup", self, "LogGroup", {"retention": days})`."""
    return _ask("create", module, kind, scope, construct_id, dict(props))


def create_log_group(scope: Any, construct_id: str, props: Mapping[str, Any]) -> tuple[Any, str]:
    """A log group, and its name. It is protected against deletion where its removal policy retains it.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogGroupDeletionProtection.html
    """
    group, name = _ask("createLogGroup", scope, construct_id, dict(props))
    return group, name


def create_alarms(scope: Any, alarms: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> list[Any]:
    """CloudWatch alarms: the id of each, its metric or math expression, and its other properties."""
    return _ask("createAlarms", scope, [[each, dict(metric), dict(props)] for each, metric, props in alarms])


def attach(resource: Any, *, logging: Mapping[str, str] | None, aspect: Any, priority: int) -> None:
    """Sets the given options on a function's resource: a logging configuration, and an aspect."""
    given = {"logging": logging, "aspect": aspect, "priority": priority}
    _ask("attach", resource, {k: v for k, v in given.items() if v is not None})


def note_all(constructs: Sequence[Any], kind: str, texts: Sequence[str]) -> None:
    """Adds one entry of metadata to each construct: its type, and its text."""
    if constructs:
        _ask("note", list(constructs), kind, list(texts))


def add_layer(function: Any, layer: Any) -> None:
    """Appends a layer to those of a `Function` or `CfnFunction`."""
    _ask("addLayer", function, layer)


def add_environment(function: Any, variables: Mapping[str, str], layers: Sequence[Any] = ()) -> None:
    """`Function.add_environment` for several variables, and `add_layer` for each layer."""
    _ask("addEnvironment", function, dict(variables), list(layers))


def _ask(method: str, *arguments: Any) -> Any:
    batch = _batch()
    return jsii.sinvoke(batch, method, list(arguments)) if batch else getattr(plain, method)(*arguments)


@cache
def _batch() -> Any:
    """The class in `batch.js`, loaded into the CDK's process; None where that fails, with a warning."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / f"{_NAME}.tgz"
            archive.write_bytes(_archive())
            jsii.load(_NAME, _VERSION, str(archive))

        class Batch(metaclass=jsii.JSIIMeta, jsii_type=f"{_NAME}.Batch"):
            pass

    except Exception as error:  # another version of jsii may raise any type
        warnings.warn(
            f"shielded-function: jsii does not load batch.js ({error}): the synthesis sends single requests, "
            "which take longer, do not read values of add_property_override, and find no circular dependencies",
            stacklevel=2,
        )
        return None
    return Batch


def _archive() -> bytes:
    """An npm package with jsii's description of it (https://aws.github.io/jsii/specification/)."""
    methods = [
        _method("members", {"objects": _LIST, "paths": _LIST}, _LIST),
        _method("call", {"objects": _LIST, "method": _STRING}, _LIST),
        _method("inspect", {"resources": _LIST}, _LIST),
        _method("resolve", {"resources": _LIST, "attribute": _STRING, "names": _LIST}, _LIST),
        _method("references", {"resources": _LIST, "attribute": _STRING, "names": _LIST}, _LIST),
        _method("circles", {"asked": _LIST}, _LIST),
        _method("find", {"scope": _ANY, "classes": _LIST, "types": _LIST}, _LIST),
        _method("holders", {"scope": _ANY, "anyOf": _LIST, "others": _LIST}, _LIST),
        _method("create", {"module": _STRING, "kind": _STRING, "scope": _ANY, "id": _STRING, "props": _ANY}, _ANY),
        _method("createAlarms", {"scope": _ANY, "alarms": _LIST}, _LIST),
        _method("createLogGroup", {"scope": _ANY, "id": _STRING, "props": _ANY}, _LIST),
        _method("attach", {"resource": _ANY, "given": _ANY}),
        _method("note", {"constructs": _LIST, "type": _STRING, "texts": _LIST}),
        _method("addLayer", {"lambda": _ANY, "layer": _ANY}),
        _method("addEnvironment", {"lambda": _ANY, "variables": _ANY, "layers": _LIST}),
    ]
    author: Any = {"name": "shielded-function", "roles": ["author"]}
    common: Any = {"name": _NAME, "version": _VERSION, "license": "Apache-2.0"}
    described = {
        "schema": "jsii/0.10.0",
        **common,
        "description": "Many questions to the CDK in one message.",
        "homepage": "https://github.com/",
        "repository": {"type": "git", "url": "https://github.com/"},
        "author": author,
        "fingerprint": "*",
        "jsiiVersion": "5.0.0",
        "types": {
            f"{_NAME}.Batch": {
                "assembly": _NAME,
                "fqn": f"{_NAME}.Batch",
                "kind": "class",
                "name": "Batch",
                "methods": methods,
            }
        },
    }
    package = {**common, "main": "batch.js", "jsii": {"outdir": "dist", "targets": {}}}
    files = {
        "package.json": json.dumps(package).encode(),
        ".jsii": json.dumps(described).encode(),
        **{file.name: file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.js"))},
    }
    buffer = io.BytesIO()
    # Without a time stamp, as jsii keeps a copy of each different archive.
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _method(name: str, parameters: Mapping[str, Any], returns: Any = None) -> dict[str, Any]:
    given: Iterable[tuple[str, Any]] = parameters.items()
    method: dict[str, Any] = {
        "name": name,
        "static": True,
        "parameters": [{"name": parameter, "type": kind} for parameter, kind in given],
    }
    return {**method, "returns": {"type": returns}} if returns else method
