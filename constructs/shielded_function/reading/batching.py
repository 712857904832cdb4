"""Reads many constructs of the CDK in one message.

From Python, each property of a construct and each method call is a message to the CDK's process and back, and these
messages dominate the time of a synthesis. `batch.js` is a short module that jsii loads into that process, like the CDK:
it reads the same members of many objects at once. Names are the CDK's in TypeScript (`deadLetterConfig`,
`node.metadata`). `call_all` and `create` change constructs where each function of an app needs several calls: its
variables and layers, its alarms. All else is created by the CDK's own classes.

`jsii.load` of a generated archive is an interface of jsii's Python runtime that is documented for generated packages
only. Where it fails, `_PLAIN` reads the same by the CDK's Python classes, one message at a time.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Literal, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import MetadataEntry

from shielded_function_monitoring.cfn.parts import as_template, references
from shielded_function_monitoring.cfn.template import ref

__all__ = [
    "call_all",
    "circles_of",
    "create",
    "find_all",
    "holders_of",
    "members_of",
    "new",
    "read_resources",
    "references_of",
]

_NAME: Final = "shielded-function-batch"
_VERSION: Final = "1.0.0"
_ANY: Final = {"primitive": "any"}


def members_of(
    objects: Sequence[Any], *paths: str, form: Literal["value", "resolved", "paths"] = "value"
) -> list[list[Any]]:
    """Members of many objects, for each in the order of `paths`; None for absent ones.

    Args:
        objects: constructs, or other objects of the CDK; for another form than `value` resources.
        paths: the members, `role` or `node.metadata`; with `()` at its end, a method without arguments. Properties as
            in CloudFormation are in `cfnProperties`, and those of `add_property_override` in
            `rawOverrides.Properties`.
        form: `value`; `resolved` by the resource's stack; or `paths`, as by `read_resources`.
    """
    read = _read if form == "value" else _read_values
    return read("members", list(objects), list(paths), form) if objects else []


def references_of(resources: Sequence[Any], *names: str) -> list[tuple[list[tuple[str, str]], dict[str, Any]]]:
    """The targets of references in resources' properties.

    Args:
        resources: the resources.
        names: the properties to read; by default all.

    Returns:
        For each resource: the path and type of each construct, and the resolved properties that it has.
    """
    # A plain CfnResource has them by the names in CloudFormation: `VpcId`.
    paths = [f"cfnProperties.{each}" for name in names for each in (name, name[0].upper() + name[1:])]
    targets = members_of(resources, *(paths or ["cfnProperties"]), form="paths")
    values = members_of(resources, *(paths or ["cfnProperties"]), form="resolved")
    given = [_first_of_two(names, row) if names else row[0] or {} for row in values]
    named = [[each["Construct"] for each in references(row) if "Construct" in each] for row in targets]
    found = (list(dict.fromkeys((path, kind) for path, _, _, kind in each)) for each in named)
    return list(zip(found, given, strict=True))


def _first_of_two(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    pairs = zip(row[::2], row[1::2], strict=True)
    found = {name: one if one is not None else other for name, (one, other) in zip(names, pairs, strict=True)}
    return {name: value for name, value in found.items() if value is not None}


def circles_of(asked: Sequence[tuple[Any, Any]]) -> list[list[str] | None]:
    """Finds circular dependencies that values would cause in resources, in this order.

    Args:
        asked: each resource, and a value with references.

    Returns:
        For each, the paths of the circle, from the resource or its stack back to it; None for none.
    """
    return _read("circles", [list(each) for each in asked]) if asked else []


def find_all(scope: Any, classes: Sequence[str], types: Sequence[str]) -> list[tuple[Any, str]]:
    """A construct and its descendants, of some classes or types, each with its `toString`.

    Args:
        scope: the construct.
        classes: classes of the CDK, `Stack` or `aws_lambda.FunctionBase`.
        types: CloudFormation types of resources; `Custom::` is every type with this prefix, except those with a `!` in
            front: `!Custom::Own`.
    """
    return [(construct, text) for construct, text in _read("find", scope, list(classes), list(types))]


def holders_of(scope: Any, any_of: Sequence[str], others: Sequence[str]) -> list[tuple[str, Any, list[Any]]]:
    """A construct and its descendants that have one of some members.

    Args:
        scope: the construct.
        any_of: members, as in `members_of`.
        others: members to read of each found construct.

    Returns:
        For each construct: its `toString`, the first member of `any_of` that it has, and its `others`, None for
        absent ones; in the form of `read_resources`, and the path of a construct.
    """
    found = _read_values("holders", scope, list(any_of), list(others))
    return [(text, as_template(first), as_template(others)) for text, first, *others in found]


def read_resources(
    stage: Any, types: Mapping[str, Sequence[str]], *, paths: Sequence[str] = (), without: str = "\0"
) -> list[tuple[str, str, Any]]:
    """The resources in a stage, without nested stages: their construct paths, types and properties.

    Values are as in a template, but a reference to a construct is `{"Construct": [...]}` of its path, the attribute
    (or `Ref`), the CDK's text for it, and its type. Documents are not frozen, unlike by `Stack.resolve`.

    Args:
        stage: an App or a Stage.
        types: the properties to read, by the resources' types; none means all.
        paths: the paths of resources, of any type; by default those of the types.
        without: the beginning of the ids of resources to leave out.
    """
    found = _read_values("resources", stage, {kind: list(names) for kind, names in types.items()}, list(paths), without)
    return [(path, kind, as_template(properties)) for path, kind, properties in found]


def call_all(rows: Sequence[Sequence[Any]]) -> None:
    """Calls methods: each row is an object, the method's name in TypeScript, and its arguments."""
    _read("calls", [list(row) for row in rows])


def new(kind: str, *places: Any, **props: Any) -> dict[str, Any]:
    """An object for `create`: its class (`aws_logs.LogGroup`), its positional arguments, and its properties.

    Properties of None are left out.
    """
    return {"new": kind, "arguments": [*places, {name: value for name, value in props.items() if value is not None}]}


def create(wanted: Mapping[str, Any]) -> Any:
    """Creates the object of `new`, with those in it. Types of arguments are not checked."""
    return _read("create", wanted)


def _read(name: str, *given: Any) -> Any:
    batch = _batch()
    return jsii.sinvoke(batch, "read", [name, list(given)]) if batch else _PLAIN[name](*given)


def _read_values(name: str, *given: Any) -> Any:
    """The same for values without constructs."""
    batch = _batch()
    return json.loads(jsii.sinvoke(batch, "readValues", [name, list(given)])) if batch else _PLAIN[name](*given)


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
    name, given = {"name": "name", "type": {"primitive": "string"}}, {"name": "given", "type": _ANY}
    common: Any = {"name": _NAME, "version": _VERSION, "license": "Apache-2.0"}
    methods = [
        {"name": method, "static": True, "parameters": [name, given], "returns": {"type": _ANY}}
        for method in ("read", "readValues")
    ]
    kind = {"assembly": _NAME, "fqn": f"{_NAME}.Batch", "kind": "class", "name": "Batch", "methods": methods}
    described = {
        "schema": "jsii/0.10.0",
        **common,
        "description": "Many reads of the CDK in one message.",
        "homepage": "https://github.com/",
        "repository": {"type": "git", "url": "https://github.com/"},
        "author": {"name": "shielded-function", "roles": ["author"]},
        "fingerprint": "*",
        "jsiiVersion": "5.0.0",
        "types": {f"{_NAME}.Batch": kind},
    }
    files = {
        "package.json": json.dumps({**common, "main": "batch.js", "jsii": {"outdir": "dist", "targets": {}}}).encode(),
        ".jsii": json.dumps(described).encode(),
        **{file.name: file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.js"))},
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)  # without a time, as jsii keeps a copy of each different archive


# The same by the CDK's Python classes


def _members(objects: Sequence[Any], paths: Sequence[str], form: str) -> list[list[Any]]:
    return [[_FORMS[form](reduce(_member, path.split("."), each), each) for path in paths] for each in objects]


def _create(value: Any) -> Any:
    if isinstance(value, list):
        return [_create(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found = {name: _create(each) for name, each in cast("dict[str, Any]", value).items()}
    if "new" not in found:
        return found
    *places, props = found["arguments"]
    return attrgetter(found["new"])(cdk)(*places, **{_snake(name): each for name, each in props.items()})


def _find(scope: Any, classes: Sequence[str], types: Sequence[str]) -> list[tuple[Any, str]]:
    kinds = tuple(attrgetter(path)(cdk) for path in classes)
    starts = tuple(each for each in types if each.endswith("::"))
    found: list[tuple[Any, str]] = []
    for each in scope.node.find_all():
        kind = str(getattr(each, "cfn_resource_type", ""))
        begins = starts and kind.startswith(starts) and f"!{kind}" not in types
        if isinstance(each, kinds) or kind in types or begins:
            found.append((each, each.to_string()))
    return found


def _holders(scope: Any, any_of: Sequence[str], others: Sequence[str]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for each in scope.node.find_all():
        first = next((value for path in any_of if (value := _given(each, path)) is not None), None)
        if first is not None:
            found.append([each.to_string(), first, *(_given(each, path) for path in others)])
    return found


def _resources(stage: Any, types: Mapping[str, Sequence[str]], paths: Sequence[str], without: str) -> list[Any]:
    found = [_at(stage.node.root, path) for path in paths] if paths else stage.node.find_all()
    return [
        [each.node.path, kind, _properties(each, types.get(kind) or ())]
        for each in found
        if each and (paths or getattr(each, "cfn_resource_type", "") in types) and cdk.Stage.of(each) is stage
        if not each.node.id.startswith(without)
        for kind in [getattr(each, "cfn_resource_type", "")]
    ]


def _at(root: Any, path: str) -> Any:
    return reduce(lambda found, name: found and found.node.try_find_child(name), path.split("/"), root)


def _properties(resource: Any, names: Sequence[str]) -> dict[str, Any]:
    given: dict[str, Any] = _member(resource, "cfnProperties") or {}
    wanted = {form for name in names for form in (name, name[0].lower() + name[1:])} or {*given}
    return {name: _by_path(value, resource) for name, value in given.items() if name in wanted and value is not None}


def _given(value: Any, path: str) -> Any:
    try:
        found = _as_json(reduce(_member, path.split("."), value))
        return found.node.path if hasattr(found, "node") else _by_path(found, value)
    except RuntimeError:  # the CDK throws for members that a construct lacks
        return None


def _member(value: Any, name: str) -> Any:
    """A member, `toJSON` as `to_json`; protected members have an underscore in Python."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(name)
    snake = _snake(name.removesuffix("()"))
    found: Any = getattr(value, snake, getattr(value, f"_{snake}", None))
    return found() if name.endswith("()") else found


def _snake(name: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _as_json(value: Any, _: Any = None) -> Any:
    """Structs and metadata in the form of `batch.js`: by the CDK's names in TypeScript."""
    if isinstance(value, list):
        return [_as_json(each) for each in cast("list[Any]", value)]
    if isinstance(value, MetadataEntry):
        return {"type": value.type, "data": value.data}
    fields: Any = getattr(value, "_values", None)
    if not isinstance(fields, dict):
        return value
    given = cast("dict[str, Any]", fields).items()
    return {re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name): _as_json(each) for name, each in given}


def _by_path(value: Any, scope: Any) -> Any:
    try:
        return cdk.Tokenization.resolve(value, scope=scope, resolver=cast("Any", _Paths()), preparing=False)
    except RuntimeError:  # it fails the synthesis later
        return {"Unresolvable": str(value)}


@jsii.implements(cdk.IFragmentConcatenator)
class _Join:
    def join(self, left: Any = None, right: Any = None) -> Any:
        """Called by the CDK for two neighbours."""
        parts = [part for side in (left, right) if side for part in _parts_of(side)]
        return "".join(parts) if all(isinstance(part, str) for part in parts) else {"Parts": parts}


def _parts_of(side: Any) -> list[Any]:
    return side["Parts"] if isinstance(side, dict) and "Parts" in side else [side]


class _Paths(cdk.DefaultTokenResolver):
    """Names each construct by its path, as `Paths` in batch.js."""

    def __init__(self) -> None:
        super().__init__(cast("Any", _Join()))

    def resolve_token(
        self, t: cdk.IResolvable, context: cdk.IResolveContext, post_processor: cdk.IPostProcessor
    ) -> Any:
        """Called by the CDK for each token."""
        if isinstance(t, iam.PolicyDocument):
            return context.resolve(t.to_json())
        if not isinstance(t, cdk.Reference):
            return super().resolve_token(t, context, post_processor)
        if t.display_name.startswith("AWS::"):
            return ref(t.display_name)
        kind = getattr(t.target, "cfn_resource_type", "")
        in_sub = any(part.endswith("::Sub") for part in context.document_path)
        return {"Construct": [t.target.node.path, t.display_name, "" if in_sub else cdk.Token.as_string(t), kind]}


_FORMS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "value": _as_json,
    "resolved": lambda value, resource: resource.stack.resolve(value),
    "paths": _by_path,
}
_PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "calls": lambda rows: [_member(target, method)(*given) for target, method, *given in rows],
    "create": _create,
    "members": _members,
    "circles": lambda asked: [None for _ in asked],  # each step needs many messages: CloudFormation finds the circle
    "find": _find,
    "resources": _resources,
    "holders": _holders,
}
