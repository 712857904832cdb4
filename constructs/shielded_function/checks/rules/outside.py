"""Rules: a ShieldPerimeter covers the function, where the configuration requires it."""

from __future__ import annotations

from collections.abc import Iterator

from shielded_function_monitoring.cfn.template import as_mapping

from ...globs import covers
from ..model import LambdaFunction
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
    elif not function.perimeter or not _has(context, function.perimeter, _ASSOCIATION):
        yield Problem(
            "no ShieldPerimeter covers it", "make a ShieldPerimeter of its VPC, and let its functions= name it", _VPC
        )
    elif not _blocks(context, function.perimeter):
        yield Problem(
            f"its perimeter, {function.perimeter}, only alerts", 'say mode="block" there, once its log is quiet', _VPC
        )


def _has(context: Context, path: str, kind: str) -> bool:
    return any(
        template.paths.get(logical_id, "").startswith(f"{path}/")
        for template in context.assembly.templates
        for logical_id, _ in template.of_type(kind)
    )


def _blocks(context: Context, path: str) -> bool:
    return any(
        as_mapping(rule).get("Action") == "BLOCK"
        for template in context.assembly.templates
        for logical_id, properties in template.of_type(_RULES)
        if template.paths.get(logical_id, "").startswith(f"{path}/")
        for rule in properties.get("FirewallRules") or ()
    )
