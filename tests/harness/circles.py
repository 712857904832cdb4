"""Circles in a template: resources that refer to each other, which CloudFormation refuses."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from shielded_function_monitoring.cfn.parts import references
from shielded_function_monitoring.cfn.template import referred


def find_circle(template: Mapping[str, Any]) -> list[str]:
    """The logical ids of a circle, the first one again at the end; empty where there is none.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html
    """
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    uses = {name: {each for each in used_by(body) if each in resources} for name, body in resources.items()}
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def used_by(resource: Mapping[str, Any]) -> list[str]:
    """The logical ids that a resource refers to, or depends on."""
    after = resource.get("DependsOn", [])
    return [*([after] if isinstance(after, str) else after), *map(referred, references(resource))]
