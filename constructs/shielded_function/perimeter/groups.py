"""The security groups of functions: their functions, and the rules that they get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .egress import RULES, EgressRule, covers
from .entries import Protocol
from .residents import GROUP, GROUP_EGRESS, Resource


@dataclass
class Group:
    """A security group of this app.

    Attributes:
        resource: its resource.
        functions: the construct paths of its functions.
        before: its original egress, resolved.
    """

    resource: Resource
    functions: list[str] = field(default_factory=list[str])
    before: Sequence[Any] = ()


def imported_in(function: Resource, groups: Sequence[Resource]) -> list[str]:
    """The names of a function's security groups from outside this app.

    Args:
        function: its resource.
        groups: its groups of this app.
    """
    listed: Any = (function.properties.get("vpcConfig") or {}).get("securityGroupIds") or []
    if not isinstance(listed, list):
        return ["a list known only at deployment"]
    literal = [each for each in listed if isinstance(each, str)]
    unknown = len(listed) - len(literal) - len(groups)
    return [*literal, *(["one known only at deployment"] if unknown > 0 else [])]


def groups_of(function: Resource, all_: Iterable[Resource]) -> list[Resource]:
    """The groups of this app that a function has."""
    return [each for each in all_ if each.type == GROUP and each.path in function.references]


def too_many(path: str, rules: Sequence[EgressRule]) -> str | None:
    """The problem where a group cannot have so many rules."""
    for v6 in (False, True):
        count = sum(rule.v6 == v6 for rule in rules)
        if count > RULES:
            return (
                f"{path}: its functions' policies need {count} egress rules for IPv{6 if v6 else 4}, of which a "
                f"security group takes {RULES}: name the protocol in front of entries (tcp://), list networks, not "
                "addresses, or give each function its own group"
            )
    return None


def lost(group: Group, rules: Sequence[EgressRule]) -> list[str]:
    """Egress rules of a group that the policies do not need."""
    written = [_read(each) for each in group.before if isinstance(each, dict)]
    return [text for found, text in written if found is None or not _is_covered(found, rules)]


def beside(egress: Resource, group: Resource, rules: Sequence[EgressRule]) -> str | None:
    """A rule in a separate resource, where it opens more than the policies need."""
    if egress.type != GROUP_EGRESS or group.path not in egress.references:
        return None
    found, text = _read({**egress.properties})
    return None if found is not None and _is_covered(found, rules) else f"{egress.name} opens {text}"


def _is_covered(wanted: Sequence[EgressRule], rules: Sequence[EgressRule]) -> bool:
    return all(any(_covers(rule, each) for rule in rules) for each in wanted)


def _covers(rule: EgressRule, wanted: EgressRule) -> bool:
    if wanted.network:
        return covers(rule, wanted)
    return rule.protocol == wanted.protocol and rule.port in (None, wanted.port)


def _read(rule: dict[str, Any]) -> tuple[Sequence[EgressRule] | None, str]:
    """A rule of a template, and in words. None for more than one port, or another protocol."""
    protocol = str(rule.get("ipProtocol", ""))
    first, last = rule.get("fromPort"), rule.get("toPort")
    network = rule.get("cidrIp") or rule.get("cidrIpv6")
    place = network or rule.get("destinationSecurityGroupId") or rule.get("destinationPrefixListId")
    ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
    text = f"{protocol if protocol != '-1' else 'everything'}{ports} to {place}"
    if protocol == "icmp" and network == "255.255.255.255/32":
        return (), text
    # For a rule to a group or a prefix list, only the port counts.
    where = network if isinstance(network, str) else "" if network is None else str(network)
    v6 = "cidrIpv6" in rule
    if protocol not in ("tcp", "udp") or (first != last and (first, last) != (0, 65535)):
        return None, text
    name: Protocol = "tcp" if protocol == "tcp" else "udp"
    port = None if first != last else first
    return (EgressRule(name, port, where, v6),), text


_EVERYBODY = ("0.0.0.0/0", "::/0")


def is_everything(rules: Sequence[Any]) -> bool:
    """Whether a group's egress is a default of the CDK: everything, or nothing."""
    return all(
        isinstance(rule, dict)
        and (
            (str(rule.get("ipProtocol")) == "-1" and (rule.get("cidrIp") or rule.get("cidrIpv6")) in _EVERYBODY)
            or rule.get("cidrIp") == "255.255.255.255/32"
        )
        for rule in rules
    )
