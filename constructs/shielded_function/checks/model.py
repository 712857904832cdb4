"""The input of the rules: synthesized templates and their functions. Data only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, Protocol, cast

from shielded_function_monitoring.template import WRAPPER

from ..other_code import OtherCode
from .finding import Place
from .policies import FunctionPolicy

WRAPPER_VARIABLE: Final = "AWS_LAMBDA_EXEC_WRAPPER"
POLICY_FILE_VARIABLE: Final = "SHIELD_POLICY_FILE"

LayerKind = Literal["shield", "unknown-shield", "other", "unseen"]
"""Kinds of layers: it holds this package's shield, a file of that name, no shield, or its files are not
in the assembly (an ARN, a parameter)."""

FileKind = Literal["unnamed", "found", "missing", "unseen"]
"""The policy file: none is named, it was read, it is missing, or it may be in an unreadable asset."""

_IMPORT: Final = re.compile(r'"Fn::ImportValue": "([^"]+)"')

# Variables that do not indicate a policy: the wrapper and settings of the engine.
_NOT_POLICY: Final = ("SHIELD_NODE_CALLERS", "SHIELD_NEXT_WRAPPER", "SHIELD_ACCOUNT_ID", "SHIELD_STATE")


class Files(Protocol):
    """Reads the assembly's assets."""

    def read(self, content: Any, name: str) -> bytes | None:
        """A file of an asset.

        Args:
            content: a function's `Code`, or a layer's `Content`.
            name: the file's path in it.

        Returns:
            None: the asset has no such file.

        Raises:
            LookupError: the asset is not in the assembly.
        """
        ...


@dataclass(frozen=True)
class Template:
    """One template, with its data in the assembly.

    Attributes:
        stack: the construct path of its stack.
        file: its file, relative to the assembly; empty for none.
        resources: its resources, by logical id.
        paths: the construct path of each resource that has one, by logical id.
        region: the region that it is deployed to; empty where unknown.
        known: values of `Ref` at deployment, unless they are overridden.
        account: the account that it is deployed to; empty where unknown.
        outputs: its outputs, by logical id.
        within: for a nested stack: its parent template, and its logical id there.
        name: of its stack in CloudFormation, of a nested one without the random part; empty where unknown.
    """

    stack: str
    file: str
    resources: Mapping[str, Mapping[str, Any]]
    paths: Mapping[str, str] = field(default_factory=dict[str, str])
    region: str = ""
    known: Mapping[str, str] = field(default_factory=dict[str, str])
    account: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    within: tuple[Template, str] | None = None
    name: str = ""

    def of_type(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The logical id and the properties of each resource of these types."""
        for kind in kinds:
            yield from self._by_type.get(kind, ())

    @property
    def types(self) -> Iterable[str]:
        """The types of its resources, each once."""
        return self._by_type

    @cached_property
    def _by_type(self) -> Mapping[Any, Sequence[tuple[str, Mapping[str, Any]]]]:
        found: dict[Any, list[tuple[str, Mapping[str, Any]]]] = {}
        for logical_id, resource in self.resources.items():
            kind = resource.get("Type")
            if isinstance(kind, str):
                found.setdefault(kind, []).append((logical_id, as_mapping(resource.get("Properties"))))
        return found

    @cached_property
    def _exports(self) -> Mapping[str, Any]:
        outputs = [as_mapping(output) for output in self.outputs.values()]
        return {str(as_mapping(each.get("Export")).get("Name")): each.get("Value") for each in outputs}

    def exported(self, text: str) -> str:
        """The logical id of the resource that it exports under the name that a value, as text, imports; else empty."""
        names = [name for name in _IMPORT.findall(text) if name in self._exports]
        return referred(self._exports[names[0]]) if names else ""

    def place(self, logical_id: str) -> Place:
        """The place of a resource: its L2 construct, not the resource in it."""
        path = self.paths.get(logical_id)
        if path is None:
            return Place(f"{self.stack}/{logical_id}" if self.stack else logical_id, logical_id, self.file)
        return Place(construct_of(path), logical_id, self.file)


@dataclass(frozen=True)
class LambdaFunction:
    """One function in the final template.

    Attributes:
        place: its place.
        template: its template.
        properties: its properties.
        environment: its variables; values may be intrinsics.
        layers: the kinds of its layers; unseen where the list is an intrinsic.
        policy: the policy in its variables and its policy file.
        policy_file: whether the policy file could be read.
        noted: the variables that its construct set, by name, where the assembly has them; else empty.
        lost_layers: the layers that its construct added, and that it has no more.
        dated: the dates of its policy that its construct recorded: `until`, and `entries`.
        left_out: why it was left out of shielding on purpose; else empty.
        perimeter: the construct path of the `ShieldPerimeter` that covers it; empty for none.
        cdk_handler: the name of the CDK's handler that it is; else empty.
        find_presets: the presets of libraries in its code that need executable memory; it reads the code
    """

    place: Place
    template: Template
    properties: Mapping[str, Any]
    environment: Mapping[str, Any]
    layers: Sequence[LayerKind]
    policy: FunctionPolicy
    policy_file: FileKind = "unnamed"
    noted: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lost_layers: Sequence[Any] = ()
    dated: Mapping[str, Any] = field(default_factory=dict[str, Any])
    left_out: str = ""
    perimeter: str = ""
    cdk_handler: str = ""
    find_presets: Callable[[], Sequence[str]] = tuple

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
        return any(name.startswith("SHIELD_") and name not in _NOT_POLICY for name in self.environment)

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


def as_mapping(value: Any) -> Mapping[str, Any]:
    """A property that should be an object; empty where it is missing or another type."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def canonical(value: Any) -> str:
    """A value of a template as canonical text: equal values have equal texts."""
    return json.dumps(value, sort_keys=True)


def referred(value: Any) -> str:
    """The logical id that a `Ref` or an `Fn::GetAtt` names; empty for other values."""
    reference = as_mapping(value)
    attribute = reference.get("Fn::GetAtt")
    found = cast("list[Any]", attribute)[0] if isinstance(attribute, list) else reference.get("Ref")
    return found if isinstance(found, str) else ""


def construct_of(path: str) -> str:
    """The construct of a resource's path: an L2's resource is named Resource, or Default."""
    parent, _, last = path.rpartition("/")
    return parent if parent and last in ("Resource", "Default") else path
