"""Deployments without AWS: what CloudFormation does with an app's templates, and where it would refuse.

An `Account` has the templates that are deployed. `deploy` brings an assembly to it as `cdk deploy --all` does, stack by
stack in the order of their dependencies, and gives the changes of resources. It holds CloudFormation's rules that a
template alone does not show: exports that are in use, names that are taken.

Whether a property can change in place, and what names a resource, is in the schemas that cfn-lint brings.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from harness.circles import find_circle
from shielded_function_monitoring.cfn.parts import references
from shielded_function_monitoring.cfn.template import referred

NESTED = "AWS::CloudFormation::Stack"
_NOTHING: dict[str, Any] = {"Resources": {}}

Kind = Literal["added", "removed", "changed", "replaced"]


class Refused(Exception):
    """CloudFormation would refuse the deployment; the text says where and why."""


@dataclass(frozen=True)
class Change:
    """A resource that a deployment changes.

    Attributes:
        stack: its name; of a nested stack, the parent's with the resource's logical id.
        logical_id: in the template.
        type: its type.
        kind: the change. What is replaced is made anew, then the former is deleted.
        parts: of what is changed or replaced, the properties, and attributes such as `DependsOn`.
    """

    stack: str
    logical_id: str
    type: str
    kind: Kind
    parts: frozenset[str] = frozenset()


@dataclass
class Account:
    """One account and region.

    Attributes:
        deployed: the templates, by the names of the stacks.
        names: who has a name: by type and name, the stack and the logical id. Those of what is retained stay.
    """

    deployed: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    names: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict[tuple[str, str], tuple[str, str]])

    def deploy(self, assembly: Path) -> list[Change]:
        """Deploys all stacks of a cloud assembly.

        Raises:
            Refused: CloudFormation would not do it.
        """
        return [change for stack in read_stacks(assembly) for change in self._update(stack)]

    def _update(self, stack: Stack) -> Iterator[Change]:
        before = self.deployed.get(stack.name, _NOTHING)
        if circle := find_circle(stack.template):
            raise Refused(f"{stack.name}: a circle of {circle}")
        self._check_exports(stack, before)
        changes = diff(stack.name, before, stack.template)
        self._take_names(stack, changes, before)
        self.deployed[stack.name] = stack.template
        yield from changes
        for child in stack.nested:
            yield from self._update(child)

    def _check_exports(self, stack: Stack, before: Mapping[str, Any]) -> None:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html"""
        old, new = exports(before), exports(stack.template)
        others = {name: template for name, template in self.deployed.items() if name != stack.name}
        for export in (name for name, value in old.items() if new.get(name) != value):
            if users := [name for name, template in others.items() if export in set(imports(template))]:
                raise Refused(f"{stack.name}: the export {export} goes or changes, and {users} import it")
        there = {export for template in others.values() for export in exports(template)}
        if twice := there & set(new):
            raise Refused(f"{stack.name}: others export {sorted(twice)} already")
        if missing := set(imports(stack.template)) - there:
            raise Refused(f"{stack.name}: nothing exports {sorted(missing)}")

    def _take_names(self, stack: Stack, changes: list[Change], before: Mapping[str, Any]) -> None:
        """What is new takes its name before what goes gives its own back."""
        for each in changes:
            if each.kind in ("added", "replaced"):
                for name in names_of(stack.name, stack.template["Resources"][each.logical_id]):
                    if name in self.names:
                        raise Refused(f"{stack.name}: {each.logical_id}: {name} is {self.names[name]}'s")
                    self.names[name] = stack.name, each.logical_id
        for each in changes:
            if each.kind == "removed" and before["Resources"][each.logical_id].get("DeletionPolicy") != "Retain":
                self.names = {n: owner for n, owner in self.names.items() if owner != (stack.name, each.logical_id)}


@dataclass(frozen=True)
class Stack:
    """A stack of a cloud assembly."""

    name: str
    template: dict[str, Any]
    nested: tuple[Stack, ...] = ()


def read_stacks(assembly: Path) -> list[Stack]:
    """The stacks of a cloud assembly, of its stages too, each after those that it depends on."""
    manifest = json.loads((assembly / "manifest.json").read_text())
    artifacts: dict[str, Any] = manifest["artifacts"]
    found: list[Stack] = []
    for name in TopologicalSorter({n: a.get("dependencies", []) for n, a in artifacts.items()}).static_order():
        artifact, properties = artifacts[name], artifacts[name].get("properties", {})
        if artifact["type"] == "aws:cloudformation:stack":
            found.append(_read(assembly, properties.get("stackName", name), properties["templateFile"]))
        elif artifact["type"] == "cdk:cloud-assembly":
            found += read_stacks(assembly / properties["directoryName"])
    return found


def _read(assembly: Path, name: str, file: str) -> Stack:
    template = {"Resources": {}, **json.loads((assembly / file).read_text())}
    nested = [
        _read(assembly, f"{name}/{logical_id}", resource["Metadata"]["aws:asset:path"])
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == NESTED
    ]
    return Stack(name, template, tuple(nested))


def diff(stack: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The changes of resources from one template to another, those that follow from replaced ones too."""
    old, new = before["Resources"], after["Resources"]
    changes = [Change(stack, name, old[name]["Type"], "removed") for name in old if name not in new]
    changes += [Change(stack, name, new[name]["Type"], "added") for name in new if name not in old]
    changed = {name: parts for name in new if name in old and (parts := _changed(old[name], new[name]))}
    replaced = {name for name, parts in changed.items() if _replaces(old[name], new[name], parts)}
    while more := {
        name
        for name in set(new) & set(old) - replaced
        if replaced
        & {
            referred(each)
            for part in _fixed(new[name])
            for each in references(new[name].get("Properties", {}).get(part))
        }
    }:
        replaced |= more
    for name in new:
        if name in replaced or name in changed:
            kind: Kind = "replaced" if name in replaced else "changed"
            changes.append(Change(stack, name, new[name]["Type"], kind, frozenset(changed.get(name, ()))))
    return changes


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """The properties that differ, and the attributes of the resource."""
    before, after = old.get("Properties", {}), new.get("Properties", {})
    rest = {key for key in old.keys() | new.keys() if key not in ("Properties", "Metadata")}
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} | {
        key for key in rest if old.get(key) != new.get(key)
    }


def _replaces(old: Mapping[str, Any], new: Mapping[str, Any], parts: set[str]) -> bool:
    return old["Type"] != new["Type"] or bool(parts & _fixed(new))


def _fixed(resource: Mapping[str, Any]) -> set[str]:
    """The properties whose change replaces a resource, or may."""
    if resource["Type"].startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
        return {"ServiceToken"}  # CloudFormation refuses that, which is no better
    found = schema(resource["Type"])
    pointers = [*found.get("createOnlyProperties", ()), *found.get("conditionalCreateOnlyProperties", ())]
    return {pointer.split("/")[2] for pointer in pointers}


def names_of(stack: str, resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The name that a template gives a resource, where it gives one."""
    properties = resource.get("Properties", {})
    found = schema(resource["Type"])
    for pointers in (found.get("primaryIdentifier", ()), *found.get("additionalIdentifiers", ())):
        parts = [pointer.split("/")[2] for pointer in pointers]
        if parts and all(part in properties for part in parts):
            yield resource["Type"], json.dumps([_known_in(stack, properties[part]) for part in parts])


def _known_in(stack: str, value: Any) -> Any:
    """A value, in which what refers to resources and parameters says of which stack."""
    if isinstance(value, list):
        return [_known_in(stack, each) for each in value]
    if not isinstance(value, dict):
        return value
    if not str(value.get("Ref", "AWS::")).startswith("AWS::") or "Fn::GetAtt" in value:
        return {"of": stack, **value}
    return {key: _known_in(stack, each) for key, each in value.items()}


def exports(template: Mapping[str, Any]) -> dict[str, str]:
    """The values that a stack exports, by the exports' names."""
    outputs = template.get("Outputs", {}).values()
    return {
        json.dumps(output["Export"]["Name"]): json.dumps(output["Value"], sort_keys=True)
        for output in outputs
        if "Export" in output
    }


def imports(value: Any) -> Iterator[str]:
    """The names of the exports that a template uses, in metadata too."""
    if isinstance(value, list):
        for each in value:
            yield from imports(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Fn::ImportValue":
                yield json.dumps(each)
            else:
                yield from imports(each)


@cache
def schema(type_: str) -> Mapping[str, Any]:
    """CloudFormation's schema of a type; empty where it has none."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # slow to import, for every worker

    try:
        return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    except ResourceNotFoundError:
        return {}
