"""Many questions to the CDK in one message.

From Python, each property of a construct and each call of a method is a message to the CDK's process and back, which is
what a synthesis with this package costs. `batch.js` is a module of a few lines that jsii loads into that process, as it
loads the CDK itself: it reads the same public members, of many objects at once. Names are those of the CDK in
TypeScript (`policyDocument`, `node.metadata`).
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsii

__all__ = ["add_environment", "call_all", "inspect_all", "members_of"]

_NAME: Final = "shielded-function-batch"
_VERSION: Final = "1.0.0"
_ANY: Final = {"primitive": "any"}
_LIST: Final = {"collection": {"kind": "array", "elementtype": _ANY}}


def members_of(objects: Sequence[Any], *paths: str) -> list[list[Any]]:
    """Members of many objects, as the CDK has them.

    Args:
        objects: constructs, or other objects of the CDK.
        paths: the members, `role` or `node.metadata`.

    Returns:
        For each object, its members in the order of `paths`; None for what it has not.
    """
    if not objects:
        return []
    return jsii.sinvoke(_batch(), "members", [list(objects), list(paths)])


def call_all(objects: Sequence[Any], method: str) -> list[Any]:
    """What a method without arguments returns, for each object."""
    return jsii.sinvoke(_batch(), "call", [list(objects), method]) if objects else []


def inspect_all(resources: Sequence[Any]) -> list[dict[str, Any]]:
    """What `CfnResource.inspect` tells of each resource: its attributes, unresolved."""
    return jsii.sinvoke(_batch(), "inspect", [list(resources)]) if resources else []


def add_environment(function: Any, variables: Mapping[str, str]) -> None:
    """`Function.add_environment` for several variables."""
    jsii.sinvoke(_batch(), "addEnvironment", [function, dict(variables)])


@cache
def _batch() -> Any:
    """The class in `batch.js`, loaded into the CDK's process."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / f"{_NAME}.tgz"
        archive.write_bytes(_archive())
        jsii.load(_NAME, _VERSION, str(archive))

    class Batch(metaclass=jsii.JSIIMeta, jsii_type=f"{_NAME}.Batch"):
        pass

    return Batch


def _archive() -> bytes:
    """An npm package with jsii's description of it (https://aws.github.io/jsii/specification/)."""
    methods = [
        _method("members", {"objects": _LIST, "paths": _LIST}, _LIST),
        _method("call", {"objects": _LIST, "method": {"primitive": "string"}}, _LIST),
        _method("inspect", {"resources": _LIST}, _LIST),
        _method("addEnvironment", {"lambda": _ANY, "variables": _ANY}),
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
        "batch.js": Path(__file__).with_name("batch.js").read_bytes(),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
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
