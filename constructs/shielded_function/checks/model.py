"""The input of the rules: synthesized templates and their functions. Data only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, cast

from shielded_function_monitoring.cfn.template import Place, Template, as_mapping
from shielded_function_monitoring.template import WRAPPER

from ..other_code import OtherCode
from .policies import FunctionPolicy

WRAPPER_VARIABLE: Final = "AWS_LAMBDA_EXEC_WRAPPER"
POLICY_FILE_VARIABLE: Final = "SHIELD_POLICY_FILE"

LayerKind = Literal["shield", "unknown-shield", "other", "unseen"]
"""Kinds of layers: it holds this package's shield, a file of that name, no shield, or its files are not
in the assembly (an ARN, a parameter)."""

FileKind = Literal["unnamed", "found", "missing", "unseen"]
"""The policy file: none is named, it was read, it is missing, or it may be in an unreadable asset."""

# Variables that do not indicate a policy: the wrapper and settings of the engine.
_NOT_POLICY: Final = ("SHIELD_NODE_CALLERS", "SHIELD_NEXT_WRAPPER", "SHIELD_ACCOUNT_ID", "SHIELD_STATE")


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
