"""Rules: a ShieldPerimeter covers the function, where the configuration requires it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shielded_function_monitoring.cfn.template import as_mapping, as_mappings

from ...globs import covers
from ..templates import LambdaFunction
from .rule import Context, Problem

_VPC = "Properties.VpcConfig"
_RULES = "AWS::Route53Resolver::FirewallRuleGroup"
_ASSOCIATION = "AWS::Route53Resolver::FirewallRuleGroupAssociation"


def outside_perimeter(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """A function without a `ShieldPerimeter`, or with one that only alerts."""
    if not any(covers(glob, function.place.path) for glob in context.perimeter):
        return
    if not as_mapping(function.properties.get("VpcConfig")).get("SubnetIds"):
        yield Problem("it is in no VPC, so nothing outside of its process limits it", "give it vpc=", _VPC)
    elif not function.perimeter or not any(True for _ in _within(context, function.perimeter, _ASSOCIATION)):
        yield Problem(
            "no ShieldPerimeter covers it", "make a ShieldPerimeter of its VPC, and let its functions= name it", _VPC
        )
    elif not any(_blocks(each) for each in _within(context, function.perimeter, _RULES)):
        yield Problem(
            f"its perimeter, {function.perimeter}, only alerts", 'say mode="block" there, once its log is quiet', _VPC
        )


def _within(context: Context, path: str, kind: str) -> Iterator[Mapping[str, Any]]:
    """The resources of a type within a construct."""
    for template in context.assembly.templates:
        for logical_id, properties in template.of_type(kind):
            if template.paths.get(logical_id, "").startswith(f"{path}/"):
                yield properties


def _blocks(rules: Mapping[str, Any]) -> bool:
    return any(rule.get("Action") == "BLOCK" for rule in as_mappings(rules.get("FirewallRules")))
