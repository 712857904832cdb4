"""Circles in a template: resources that refer to each other, which CloudFormation refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast

_IN_SUB = re.compile(r"\$\{([^!.}]+)")


def find_circle(template: Mapping[str, Any]) -> list[str]:
    """The logical ids of a circle, the first one again at the end; empty where there is none.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html
    """
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    uses = {name: {each for each in referred(body) if each in resources} for name, body in resources.items()}
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def referred(value: object) -> Iterator[str]:
    """What a value refers to by `Ref`, `Fn::GetAtt`, `Fn::Sub` or `DependsOn`."""
    if isinstance(value, list):
        for each in cast("list[object]", value):
            yield from referred(each)
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            first = inner[0] if isinstance(inner, list) and inner else inner
            if key in ("Ref", "Fn::GetAtt") and isinstance(first, str):
                yield first.partition(".")[0]
            elif key == "Fn::Sub" and isinstance(first, str):
                yield from _IN_SUB.findall(first)
            elif key == "DependsOn":
                yield from [inner] if isinstance(inner, str) else inner
            yield from referred(inner)
