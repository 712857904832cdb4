"""Reads functions from templates into the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, cast

from shielded_function.policy.presets import PRESETS
from shielded_function_monitoring.cfn.template import Place, Template, as_mapping, ref_of

from .. import layer_archive
from ..other_code import FUNCTIONS, other_code, out_of_scope
from .model import (
    POLICY_FILE_VARIABLE,
    FileKind,
    LambdaFunction,
    LayerKind,
    OtherResource,
)
from .policies import read_policy

_LAYER_TYPES: Final = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion")
_IN_LAYER: Final = "shielded-function/shield"

# Where Lambda puts the code, and the layers.
_TASK_ROOT: Final = "/var/task/"
_OPT: Final = "/opt/"

Reasons = Callable[[str], str]
"""A fact about a function, by its resource's construct path; empty where it does not hold."""


def read_functions(
    template: Template,
    *,
    left_out: Reasons = lambda _: "",
    perimeter: Reasons = lambda _: "",
    noted: Reasons = lambda _: "",
    added: Reasons = lambda _: "",
    dated: Reasons = lambda _: "",
    cdk_handler: Reasons = lambda _: "",
    defaults: Mapping[str, Any] | None = None,
) -> Iterator[LambdaFunction]:
    """The functions of a template.

    Args:
        template: the template.
        left_out: why a function was left out on purpose.
        perimeter: which `ShieldPerimeter` covers a function.
        noted: variables that its construct set, as JSON.
        added: layers that its construct added, as JSON.
        dated: dates of its policy, as JSON.
        cdk_handler: which of the CDK's handlers a function is.
        defaults: the function properties in a SAM template's `Globals`.
    """
    for logical_id, own in template.of_type(*FUNCTIONS):
        properties = _with_defaults(own, defaults or {})
        environment = as_mapping(as_mapping(properties.get("Environment")).get("Variables"))
        kind, lines = _policy_file(template, properties, environment)
        path = template.paths.get(logical_id, "")
        days = as_mapping(json.loads((path and dated(path)) or "{}"))
        yield LambdaFunction(
            place=template.place(logical_id),
            template=template,
            properties=properties,
            environment=environment,
            layers=[_kind(template, layer) for layer in _layers(properties)],
            policy=read_policy(environment, lines, template.known).with_dates(days),
            policy_file=kind,
            noted=json.loads(noted(path) or "{}") if path else {},
            lost_layers=_lost_layers(properties, added(path)) if path else (),
            dated=days,
            left_out=left_out(path) if path else "",
            perimeter=perimeter(path) if path else "",
            cdk_handler=cdk_handler(path) if path else "",
            find_presets=partial(_find_presets, template, properties),
        )


def read_others(
    template: Template, *, is_here: Callable[[Any], bool] = lambda _: False, left_out: Reasons = lambda _: ""
) -> Iterator[OtherResource]:
    """The resources of a template other than functions that run code, or contain functions.

    Args:
        template: the template.
        is_here: whether the template of a nested stack, by its `TemplateURL`, is in the assembly.
        left_out: why a resource was left out on purpose.
    """
    for name in template.types:
        kind = other_code(name)
        for logical_id, properties in template.of_type(name) if kind else ():
            if kind and kind.is_meant(properties) and not is_here(properties.get("TemplateURL")):
                path = template.paths.get(logical_id, "")
                yield OtherResource(template.place(logical_id), kind, left_out(path) if path else "")


def read_out_of_scope(template: Template) -> Iterator[tuple[str, Place]]:
    """The resources of a template that run code outside Lambda: the code of each, in words, and its place."""
    for name in template.types:
        for logical_id, properties in template.of_type(name):
            if runs := out_of_scope(name, properties):
                yield runs, template.place(logical_id)


def _with_defaults(properties: Mapping[str, Any], defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """SAM joins variables and layers; for other properties the function's value wins."""
    if not defaults:
        return properties
    merged = {**defaults, **properties}
    ours, theirs = as_mapping(properties.get("Environment")), as_mapping(defaults.get("Environment"))
    merged["Environment"] = {"Variables": {**as_mapping(theirs.get("Variables")), **as_mapping(ours.get("Variables"))}}
    merged["Layers"] = [*_layers(defaults), *_layers(properties)]
    return merged


def _layers(properties: Mapping[str, Any]) -> Sequence[Any]:
    layers = properties.get("Layers") or []
    return cast("list[Any]", layers) if isinstance(layers, list) else [layers]  # one expression for all


def _lost_layers(properties: Mapping[str, Any], added: str) -> Sequence[Any]:
    there = _layers(properties)
    return [layer for layer in json.loads(added or "[]") if layer not in there]


def _layer_content(template: Template, layer: Any) -> Any:
    """The content of a layer of this template; None for one from elsewhere."""
    resource = template.resources.get(ref_of(layer))
    if resource is None or resource.get("Type") not in _LAYER_TYPES:
        return None
    properties = as_mapping(resource.get("Properties"))
    return properties.get("Content") or properties.get("ContentUri") or {}


def _kind(template: Template, layer: Any) -> LayerKind:
    if ref_of(layer) == "AWS::NoValue":
        return "other"
    content = _layer_content(template, layer)
    if content is None:
        return "unseen"
    try:
        found = template.assets.read(content, _IN_LAYER)
    except LookupError:
        return "unseen"
    if found is None:
        return "other"
    return "shield" if found in _own_shields(layer_archive.layers_folder()) else "unknown-shield"


@cache
def _own_shields(folder: Path) -> frozenset[bytes]:
    """The exec wrappers of the installed package, one for each built architecture."""
    files = [folder / architecture / _IN_LAYER for architecture in layer_archive.ARCHITECTURES.values()]
    return frozenset(file.read_bytes() for file in files if file.is_file())


def _find_presets(template: Template, properties: Mapping[str, Any]) -> Sequence[str]:
    """The presets of libraries in the code and its layers that need executable memory."""
    runtime = str(properties.get("Runtime"))
    if not runtime.startswith("python"):
        return ()
    layers = [content for layer in _layers(properties) if (content := _layer_content(template, layer)) is not None]
    folders = ("python/", f"python/lib/{runtime}/site-packages/")  # docs: packaging layers, Python
    places = [(properties.get("Code"), ""), *((content, folder) for content in layers for folder in folders)]
    return [
        name
        for name, preset in PRESETS.items()
        if preset.allow_executable_memory
        and preset.package
        and any(_holds(template, content, f"{folder}{preset.package}/__init__.py") for content, folder in places)
    ]


def _holds(template: Template, content: Any, name: str) -> bool:
    try:
        return template.assets.read(content, name) is not None
    except LookupError:  # no warning for an unreadable asset
        return False


def _policy_file(
    template: Template, properties: Mapping[str, Any], environment: Mapping[str, Any]
) -> tuple[FileKind, str]:
    """The state of the policy file, and its text."""
    name = environment.get(POLICY_FILE_VARIABLE)
    if name is None:
        return "unnamed", ""
    if not isinstance(name, str):
        return "unseen", ""
    if not name.startswith((_TASK_ROOT, _OPT)):
        return ("unseen" if "ImageUri" in as_mapping(properties.get("Code")) else "missing"), ""
    contents: list[Any] = [properties.get("Code")]
    inner = name.removeprefix(_TASK_ROOT)
    if name.startswith(_OPT):
        inner = name.removeprefix(_OPT)
        # Lambda unpacks layers in order, so the file of the last one remains.
        contents = [_layer_content(template, layer) for layer in reversed(_layers(properties))]
        if "ImageUri" in as_mapping(properties.get("Code")):
            contents = [None]
    unseen = False
    for content in contents:
        try:
            found = None if content is None else template.assets.read(content, inner)
            unseen = unseen or content is None
        except LookupError:
            unseen = unseen or "ZipFile" not in as_mapping(content)  # inline code is one file: index
            continue
        if found is not None:
            return "found", found.decode("utf-8", "replace")
    return ("unseen" if unseen else "missing"), ""
