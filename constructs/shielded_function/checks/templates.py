"""The input of the rules: synthesized templates and their functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Literal, cast

from shielded_function.policy.presets import PRESETS
from shielded_function_monitoring.cfn.template import Place, Template, as_mapping, ref_of

from ..layer import archive
from ..names import LEFT_OUT, PERIMETER, POLICY_FILE_VARIABLE, SHIELD, WRAPPER, WRAPPER_VARIABLE
from ..policy.fields import NOT_POLICY
from ..reading.cdk_handlers import cdk_handler
from ..reading.other_code import FUNCTIONS, OtherCode, other_code
from .finding import Acknowledgement
from .policies import FunctionPolicy, read_policy

LayerKind = Literal["shield", "unknown-shield", "other", "unseen"]
"""Kinds of layers: it holds this package's shield, a file of that name, no shield, or its files are not
in the assembly (an ARN, a parameter)."""

FileKind = Literal["unnamed", "found", "missing", "unseen"]
"""The policy file: none is named, it was read, it is missing, or it may be in an unreadable asset."""

_LAYER_TYPES: Final = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion")
_IN_LAYER: Final = "shielded-function/shield"

# Where Lambda puts the code, and the layers.
_TASK_ROOT: Final = "/var/task/"
_OPT: Final = "/opt/"


@dataclass(frozen=True, eq=False)
class LambdaFunction:
    """One function in the final template.

    Attributes:
        place: its place.
        template: its template.
        properties: its properties.
        cdk_handler: the name of the CDK's handler that it is; else empty.
    """

    place: Place
    template: Template
    properties: Mapping[str, Any]
    cdk_handler: str = ""

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Its variables; values may be intrinsics."""
        return as_mapping(as_mapping(self.properties.get("Environment")).get("Variables"))

    @cached_property
    def layers(self) -> Sequence[LayerKind]:
        """The kinds of its layers; unseen where the list is an intrinsic."""
        return [_kind(self.template, layer) for layer in _layers(self.properties)]

    @cached_property
    def policy(self) -> FunctionPolicy:
        """The policy in its variables and its policy file."""
        read = read_policy(self.environment, self._file[1], self.template.known)
        return read.with_until(str(self.record.get("until", "")))

    @property
    def policy_file(self) -> FileKind:
        """Whether the policy file could be read."""
        return self._file[0]

    @property
    def noted(self) -> Mapping[str, Any]:
        """The variables that its construct set, by name, where the assembly has them; else empty."""
        return as_mapping(self.record.get("settings"))

    @property
    def lost_layers(self) -> Sequence[Any]:
        """The layers that its construct added, and that it has no more."""
        return [layer for layer in self.record.get("layers", ()) if layer not in _layers(self.properties)]

    @property
    def left_out(self) -> str:
        """Why it was left out of shielding on purpose; else empty."""
        return _left_out(self.template, self.place)

    @property
    def perimeter(self) -> str:
        """The construct path of the `ShieldPerimeter` that covers it; empty for none."""
        return str((self.template.notes(self.place.logical_id, PERIMETER) or [""])[-1])

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """The record of its construct (`SHIELD`); the latest where several syntheses added it."""
        return json.loads(str((self.template.notes(self.place.logical_id, SHIELD) or ["{}"])[-1]))

    @cached_property
    def is_image(self) -> bool:
        """Whether it is a container image."""
        return self.properties.get("PackageType") == "Image" or "ImageUri" in as_mapping(self.properties.get("Code"))

    @property
    def runtime(self) -> str:
        """Its runtime, `python3.13`; empty where it has none or it is unknown."""
        runtime = self.properties.get("Runtime")
        return runtime if isinstance(runtime, str) else ""

    @property
    def wrapper(self) -> Any:
        """Its exec wrapper; for an image also its entry point, which may be the wrapper."""
        if self.is_image and WRAPPER_VARIABLE not in self.environment:
            entry = as_mapping(self.properties.get("ImageConfig")).get("EntryPoint") or [None]
            return cast("list[Any]", entry)[0] if isinstance(entry, list) else None
        return self.environment.get(WRAPPER_VARIABLE)

    @property
    def has_wrapper(self) -> bool:
        """Whether the shield is its exec wrapper."""
        return self.wrapper == WRAPPER

    @property
    def has_layer(self) -> bool:
        """Whether a layer holds the shield, or may hold it; an image always may."""
        return self.is_image or any(kind != "other" for kind in self.layers)

    @property
    def has_shield_layer(self) -> bool:
        """Whether a readable layer holds the shield."""
        return "shield" in self.layers or "unknown-shield" in self.layers

    @cached_property
    def has_policy(self) -> bool:
        """Whether it has variables of a policy."""
        return any(name.startswith("SHIELD_") and name not in NOT_POLICY for name in self.environment)

    @cached_property
    def is_touched(self) -> bool:
        """Whether it has any part of a shield."""
        return self.has_wrapper or self.has_shield_layer or self.has_policy

    @cached_property
    def is_shielded(self) -> bool:
        """Whether the shield starts before its code, as far as the template shows."""
        if self.is_image:
            return self.has_wrapper or self.has_policy
        return self.has_wrapper and self.has_layer and self.has_policy

    @property
    def is_excused(self) -> bool:
        """Whether it has no shield, and needs none."""
        return bool(self.left_out or self.cdk_handler) and not self.is_touched

    def find_presets(self) -> Sequence[str]:
        """The presets of libraries in its code and its layers that need executable memory."""
        if not self.runtime.startswith("python"):
            return ()
        layers = [found for layer in _layers(self.properties) if (found := _content(self.template, layer)) is not None]
        folders = ("python/", f"python/lib/{self.runtime}/site-packages/")  # docs: packaging layers, Python
        places = [(self.properties.get("Code"), ""), *((layer, folder) for layer in layers for folder in folders)]
        return [
            name
            for name, preset in PRESETS.items()
            if preset.allow_executable_memory
            and preset.package
            and any(self.template.assets.read(held, f"{folder}{preset.package}/__init__.py") for held, folder in places)
        ]

    @cached_property
    def _file(self) -> tuple[FileKind, str]:
        """The state of the policy file, and its text."""
        name, code = self.environment.get(POLICY_FILE_VARIABLE), as_mapping(self.properties.get("Code"))
        if name is None:
            return "unnamed", ""
        if not isinstance(name, str):
            return "unseen", ""
        if not name.startswith((_TASK_ROOT, _OPT)):
            return ("unseen" if "ImageUri" in code else "missing"), ""
        contents: list[Any] = [code]
        if name.startswith(_OPT):
            # Lambda unpacks layers in order, so the file of the last one remains.
            contents = [_content(self.template, layer) for layer in reversed(_layers(self.properties))]
            contents = [None] if "ImageUri" in code else contents
        unseen = False
        for content in contents:
            found = self.template.assets.read(content, name.removeprefix(_TASK_ROOT).removeprefix(_OPT))
            for text in found or ():
                return "found", text.decode("utf-8", "replace")
            unseen |= found is None and "ZipFile" not in as_mapping(content)  # inline code is one file: index
        return ("unseen" if unseen else "missing"), ""


@dataclass(frozen=True)
class OtherResource:
    """A resource other than a function that runs code, or contains functions.

    Attributes:
        place: its place.
        kind: its kind.
        left_out: why it was left out on purpose; else empty.
    """

    place: Place
    kind: OtherCode
    left_out: str = ""


@dataclass(frozen=True)
class Assembly:
    """A synthesized app.

    Attributes:
        name: its name in a report: the folder.
        templates: all templates, also of stages and nested stacks.
        functions: all their functions.
        acknowledged: acknowledgements by rule, then by construct path.
        others: the resources of `other_code` in them.
    """

    name: str
    templates: Sequence[Template]
    functions: Sequence[LambdaFunction]
    acknowledged: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "Mapping[str, str]"])
    others: Sequence[OtherResource] = ()

    def acknowledgement(self, rule: str, path: str) -> Acknowledgement | None:
        """The nearest acknowledgement of a rule, at a construct or a parent; the app's path is empty."""
        reasons = self.acknowledged.get(rule, {})
        while path and path not in reasons:
            path = path.rpartition("/")[0]
        return Acknowledgement(path, reasons[path]) if path in reasons else None


def read_functions(template: Template, type_of: Callable[[str], str] = lambda _: "") -> Iterator[LambdaFunction]:
    """The functions of a template.

    Args:
        template: the template.
        type_of: the type of a construct, by its path; empty where unknown.
    """
    defaults = as_mapping(as_mapping(template.content.get("Globals")).get("Function"))
    for logical_id, own in template.of_type(*FUNCTIONS):
        path = template.paths.get(logical_id, "")
        entries = (entry for each in (path, path.rpartition("/")[0]) for entry in template.metadata.get(each, ()))
        marks = (str(entry.get("type")) for entry in entries)
        handler = cdk_handler(path, marks, lambda place: [type_of(place)]) if path else ""
        yield LambdaFunction(template.place(logical_id), template, _with_defaults(own, defaults), handler)


def read_others(template: Template) -> Iterator[OtherResource]:
    """The resources of a template other than functions that run code, or contain functions not in the assembly."""
    for name, kind in ((name, other_code(name)) for name in template.types):
        for logical_id, properties in template.of_type(name) if kind else ():
            is_here = template.assets.nested_template(properties.get("TemplateURL")) is not None
            if kind and kind.is_meant(properties) and not is_here:
                place = template.place(logical_id)
                yield OtherResource(place, kind, _left_out(template, place))


def _left_out(template: Template, place: Place) -> str:
    return next((str(reason or "no reason given") for reason in template.notes(place.logical_id, LEFT_OUT)), "")


def _with_defaults(properties: Mapping[str, Any], defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """With those of a SAM template's `Globals`. SAM joins variables and layers; else the function's value wins."""
    if not defaults:
        return properties
    variables: dict[str, Any] = {}
    for each in (defaults, properties):
        variables |= as_mapping(as_mapping(each.get("Environment")).get("Variables"))
    layers = [*_layers(defaults), *_layers(properties)]
    return {**defaults, **properties, "Environment": {"Variables": variables}, "Layers": layers}


def _layers(properties: Mapping[str, Any]) -> Sequence[Any]:
    layers = properties.get("Layers") or []
    return cast("list[Any]", layers) if isinstance(layers, list) else [layers]  # one expression for all


def _content(template: Template, layer: Any) -> Any:
    """The content of a layer of this template; None for one from elsewhere."""
    if template.resources.get(ref_of(layer), {}).get("Type") not in _LAYER_TYPES:
        return None
    properties = template.properties(ref_of(layer))
    return properties.get("Content") or properties.get("ContentUri") or {}


def _kind(template: Template, layer: Any) -> LayerKind:
    if ref_of(layer) == "AWS::NoValue":
        return "other"
    found = template.assets.read(_content(template, layer), _IN_LAYER)
    if not found:
        return "unseen" if found is None else "other"
    return "shield" if found[0] in _own_shields(archive.layers_folder()) else "unknown-shield"


@cache
def _own_shields(folder: Path) -> frozenset[bytes]:
    """The exec wrappers of the installed package, one for each built architecture."""
    files = [folder / architecture / _IN_LAYER for architecture in archive.ARCHITECTURES.values()]
    return frozenset(file.read_bytes() for file in files if file.is_file())
