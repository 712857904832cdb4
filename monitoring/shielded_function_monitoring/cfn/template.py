"""One template, with its data in the cloud assembly. Data only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from .assets import Assets

PATH: Final = "aws:cdk:path"
"""The metadata of a resource that is its construct path."""

STACK: Final = "AWS::CloudFormation::Stack"
"""The type of a nested stack."""

REF: Final = "Ref"
"""The attribute that stands for a `Ref`, in `reference`."""


@dataclass(frozen=True)
class Place:
    """A place in the cloud assembly.

    Attributes:
        path: the construct path, `Shop/Checkout`; of a template without a construct tree, the logical id.
        logical_id: the resource's logical id; empty where there is not exactly one resource.
        template: the template's file, relative to the assembly, or its stack's name; empty where neither is known.
    """

    path: str
    logical_id: str = ""
    template: str = ""

    def is_called(self, wanted: str) -> bool:
        """Whether the text is its logical id, its construct path or the end of that path."""
        return wanted == self.logical_id or f"/{self.path}".endswith(f"/{wanted.strip('/')}")


@dataclass(frozen=True)
class Template:
    """One template.

    Attributes:
        content: the template itself.
        stack: the construct path of its stack.
        file: its file, relative to the assembly; empty for none.
        paths: the construct path of each resource that has one, by logical id.
        region: the region that it is deployed to; empty where unknown.
        account: the account that it is deployed to; empty where unknown.
        within: for a nested stack: its parent template, and its logical id there.
        name: of its stack in CloudFormation, of a nested one without the random part; empty where unknown.
        key: the artifact that is its stack; of a nested stack, its file's name.
        assets: the file assets of its directory.
        metadata: the metadata of each construct of the app, by its path.
    """

    content: Mapping[str, Any]
    stack: str = ""
    file: str = ""
    paths: Mapping[str, str] = field(default_factory=dict[str, str])
    region: str = ""
    account: str = ""
    within: tuple[Template, str] | None = None
    name: str = ""
    key: str = ""
    assets: Assets = field(default_factory=lambda: Assets(Path(), {}), compare=False)
    metadata: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict, compare=False)

    @cached_property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Its resources, by logical id."""
        found = as_mapping(self.content.get("Resources"))
        return {logical_id: resource for logical_id, resource in found.items() if isinstance(resource, Mapping)}

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Its outputs, by logical id."""
        return as_mapping(self.content.get("Outputs"))

    @cached_property
    def known(self) -> Mapping[str, str]:
        """Values of `Ref` at deployment, unless overridden: pseudo parameters, defaults of parameters, buckets' names.

        Not those of the China and GovCloud regions, which have another suffix and partition.
        """
        parameters = {
            name: str(parameter["Default"])
            for name, declared in as_mapping(self.content.get("Parameters")).items()
            if (parameter := as_mapping(declared)).get("Type") in ("String", "Number") and "Default" in parameter
        }
        buckets = {
            logical_id: name
            for logical_id, properties in self.of_type("AWS::S3::Bucket")
            if isinstance(name := properties.get("BucketName"), str)
        }
        is_apart = self.region.startswith(("cn-", "us-gov-", "us-iso"))
        names = {} if is_apart else {"AWS::URLSuffix": "amazonaws.com", "AWS::Partition": "aws"}
        return {**parameters, **buckets, **names, **({"AWS::Region": self.region} if self.region else {})}

    def of_type(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The logical id and the properties of each resource of these types."""
        for kind in kinds:
            yield from self._by_type.get(kind, ())

    def properties(self, logical_id: str) -> Mapping[str, Any]:
        """The properties of a resource; empty where there is none."""
        return as_mapping(self.resources.get(logical_id, {}).get("Properties"))

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
    def exports(self) -> Mapping[str, Any]:
        """The values that it exports, by the export's name."""
        outputs = [as_mapping(output) for output in self.outputs.values()]
        return {str(as_mapping(each.get("Export")).get("Name")): each.get("Value") for each in outputs}

    def notes(self, logical_id: str, kind: str) -> list[Any]:
        """The data of a type of metadata on a resource, and on its L2 construct."""
        path = self.paths.get(logical_id, "")
        constructs = dict.fromkeys(filter(None, (path, construct_of(path))))
        entries = (entry for construct in constructs for entry in self.metadata.get(construct, ()))
        return [entry.get("data") for entry in entries if entry.get("type") == kind]

    def place(self, logical_id: str) -> Place:
        """The place of a resource: its L2 construct, not the resource in it."""
        path = self.paths.get(logical_id)
        if path is None:
            return Place(f"{self.stack}/{logical_id}" if self.stack else logical_id, logical_id, self.file)
        return Place(construct_of(path), logical_id, self.file)


def as_mapping(value: Any) -> Mapping[str, Any]:
    """A property that should be an object; empty where it is missing or another type."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def as_list(value: Any) -> Sequence[Any]:
    """A property that should be a list; empty where it is missing or another type."""
    return cast("list[Any]", value) if isinstance(value, list) else ()


def as_mappings(value: Any) -> Sequence[Mapping[str, Any]]:
    """A property that should be a list of objects, as `as_list` and `as_mapping` read it."""
    return [as_mapping(item) for item in as_list(value)]


def canonical(value: Any) -> str:
    """A value of a template as canonical text: equal values have equal texts."""
    return json.dumps(value, sort_keys=True)


def ref_of(value: Any) -> str:
    """The name that a `Ref` gives; empty for other values."""
    name, attribute = reference(value)
    return name if attribute == REF else ""


def ref(name: str) -> dict[str, str]:
    """A `Ref`."""
    return {"Ref": name}


def is_function(name: str) -> bool:
    """Whether the only key of an object makes it an intrinsic function."""
    return name == "Ref" or name.startswith("Fn::")


def reference(value: Any) -> tuple[str, str]:
    """The name and the attribute in a reference, `Ref` for a `Ref`; empty for other values."""
    match value:
        case {"Ref": name}:
            return str(name), REF
        case {"Fn::GetAtt": [name, *attributes]}:
            return str(name), ".".join(map(str, attributes))
        case {"Fn::GetAtt": str(text)}:
            name, _, attribute = text.partition(".")
            return name, attribute
        case _:
            return "", ""


def referred(value: Any) -> str:
    """The logical id that a `Ref` or an `Fn::GetAtt` names; empty for other values."""
    return reference(value)[0]


def construct_of(path: str) -> str:
    """The construct of a resource's path: an L2's resource is named Resource, or Default."""
    parent, _, last = path.rpartition("/")
    return parent if parent and last in ("Resource", "Default") else path
