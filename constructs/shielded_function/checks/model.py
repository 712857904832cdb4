"""The input of the rules: templates as they would be deployed, and their functions. Data only."""

from __future__ import annotations

import json
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
"""Kinds of layers: it holds this package's shield, it holds something of that name, it does not, or its files are not
in the assembly (an ARN, a parameter)."""

FileKind = Literal["unnamed", "found", "missing", "unseen"]
"""The policy file: none is named, it was read, it is nowhere, or it may be in what cannot be looked into."""

# Where the wrapper and the settings of the engine are no sign of a policy.
_NOT_POLICY: Final = ("SHIELD_NODE_CALLERS", "SHIELD_NEXT_WRAPPER", "SHIELD_ACCOUNT_ID", "SHIELD_STATE")


class Files(Protocol):
    """Looks into the assembly's assets."""

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
    """One template, with what the assembly knows of it.

    Attributes:
        stack: the construct path of its stack.
        file: its file, relative to the assembly; empty when it is none.
        resources: its resources, by logical id.
        paths: the construct path of each resource that has one, by logical id.
        region: the region that it is deployed to; empty when it is not known.
        known: values of `Ref` at deployment, unless they are overridden.
        account: the account that it is deployed to; empty when it is not known.
        outputs: its outputs, by logical id.
        within: of a nested stack: the template that it is in, and its logical id there.
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

    def place(self, logical_id: str) -> Place:
        """Where a resource is: the construct that users know, not its resource within."""
        path = self.paths.get(logical_id)
        if path is None:
            return Place(f"{self.stack}/{logical_id}" if self.stack else logical_id, logical_id, self.file)
        return Place(construct_of(path), logical_id, self.file)


@dataclass(frozen=True)
class LambdaFunction:
    """One function as the final template has it.

    Attributes:
        place: where it is.
        template: the template it is in.
        properties: its properties.
        environment: its variables; values may be intrinsics.
        layers: what its layers are; unseen where the list itself is an intrinsic.
        policy: what its variables, and its policy file, say.
        policy_file: whether the policy file could be read.
        noted: the variables that its construct set, by name, where that is in the assembly; empty where it is not.
        dated: the days of its policy, as its construct noted them: `until`, and `entries`.
        left_out: why it was left out of shielding on purpose; empty when it was not.
        perimeter: the construct path of the `ShieldPerimeter` that covers it; empty when none does.
        cdk_handler: which handler of the CDK's own it is; empty when it is none.
        find_presets: those of the libraries in its code that do not work without executable memory. Reads the code.
    """

    place: Place
    template: Template
    properties: Mapping[str, Any]
    environment: Mapping[str, Any]
    layers: Sequence[LayerKind]
    policy: FunctionPolicy
    policy_file: FileKind = "unnamed"
    noted: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dated: Mapping[str, Any] = field(default_factory=dict[str, Any])
    left_out: str = ""
    perimeter: str = ""
    cdk_handler: str = ""
    find_presets: Callable[[], Sequence[str]] = tuple

    @cached_property
    def is_image(self) -> bool:
        """It is a container image."""
        return self.properties.get("PackageType") == "Image" or "ImageUri" in as_mapping(self.properties.get("Code"))

    @property
    def runtime(self) -> str:
        """Its runtime, `python3.13`; empty when it has none or it is not known."""
        runtime = self.properties.get("Runtime")
        return runtime if isinstance(runtime, str) else ""

    @property
    def wrapper(self) -> Any:
        """Its exec wrapper; of an image also its entry point, which may be the wrapper."""
        if self.is_image and WRAPPER_VARIABLE not in self.environment:
            entry = as_mapping(self.properties.get("ImageConfig")).get("EntryPoint") or [None]
            return cast("list[Any]", entry)[0] if isinstance(entry, list) else None
        return self.environment.get(WRAPPER_VARIABLE)

    @property
    def has_wrapper(self) -> bool:
        """The shield is its exec wrapper."""
        return self.wrapper == WRAPPER

    @property
    def has_layer(self) -> bool:
        """A layer holds the shield, or may hold it; what an image holds cannot be seen."""
        return self.is_image or any(kind != "other" for kind in self.layers)

    @property
    def has_shield_layer(self) -> bool:
        """A layer was seen to hold the shield."""
        return "shield" in self.layers or "unknown-shield" in self.layers

    @cached_property
    def has_policy(self) -> bool:
        """There are variables of a policy."""
        return any(name.startswith("SHIELD_") and name not in _NOT_POLICY for name in self.environment)

    @cached_property
    def is_touched(self) -> bool:
        """Something of a shield is there."""
        return self.has_wrapper or self.has_shield_layer or self.has_policy

    @cached_property
    def is_shielded(self) -> bool:
        """The shield runs in front of its code, as far as the template tells."""
        if self.is_image:
            return self.has_wrapper or self.has_policy
        return self.has_wrapper and self.has_layer and self.has_policy

    @property
    def is_excused(self) -> bool:
        """It has no shield, and need not have one."""
        return bool(self.left_out or self.cdk_handler) and not self.is_touched


@dataclass(frozen=True)
class OtherResource:
    """A resource that runs code, or brings functions, and is no function.

    Attributes:
        place: where it is.
        kind: what is to be said of it.
        left_out: why it was left out on purpose; empty when it was not.
    """

    place: Place
    kind: OtherCode
    left_out: str = ""


@dataclass(frozen=True)
class Assembly:
    """Everything that would be deployed.

    Attributes:
        name: what to call it in a report: the folder.
        templates: all templates, of stages and nested stacks too.
        functions: all functions in them.
        acknowledged: what was acknowledged: by rule, then by construct path.
        others: the resources of `other_code` in them.
    """

    name: str
    templates: Sequence[Template]
    functions: Sequence[LambdaFunction]
    acknowledged: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, "Mapping[str, str]"])
    others: Sequence[OtherResource] = ()


def as_mapping(value: Any) -> Mapping[str, Any]:
    """A property that should be an object; nothing where it is missing or something else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def canonical(value: Any) -> str:
    """A value of a template as text: two that are the same have the same."""
    return json.dumps(value, sort_keys=True)


def construct_of(path: str) -> str:
    """The construct that a resource's path belongs to: an L2's resource is called Resource, or Default."""
    parent, _, last = path.rpartition("/")
    return parent if parent and last in ("Resource", "Default") else path
