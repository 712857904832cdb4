"""A policy's two halves, side by side: the rules of the engine in the process, and those of a perimeter. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .egress import EgressRule, egress_of, rules_of
from .entries import EntryError, Kind, Target, read_entries
from .names import RESOLVER_OWN, Place, aws_domains, domains_of

if TYPE_CHECKING:
    from ..policy import ShieldPolicy

_NOTHING: Final = "nothing"
_ONLY_INSIDE: Final = ("read_write_tmp", "create_child_process", "read_handler", "executable_memory")


@dataclass(frozen=True)
class Half:
    """One row of both halves.

    Attributes:
        field: the policy's field.
        entry: the entry, or the field's value.
        engine: the rule of the engine in the function.
        perimeter: the rule of a `ShieldPerimeter`.
    """

    field: str
    entry: str
    engine: str
    perimeter: str


@dataclass(frozen=True)
class Outside:
    """A perimeter's rules for a policy.

    Attributes:
        domains: the domains that DNS Firewall admits.
        egress: the egress rules of the security group.
    """

    domains: list[str]
    egress: list[EgressRule]


def outside_of(policy: ShieldPolicy, region: str, account: str = "") -> Outside:
    """A perimeter's rules.

    Args:
        policy: a policy without tokens, constructs and "granted".
        region: the function's region.
        account: the function's account; without it, names that contain one have `*` in its place.

    Raises:
        EntryError: an entry cannot be expressed.
    """
    targets = read_entries(map(str, policy.allow_outbound), _unknown)
    domains = [*RESOLVER_OWN, *domains_of(policy, targets, Place(region, account))]
    return Outside(domains, egress_of(policy, targets))


def halves_of(policy: ShieldPolicy, region: str, account: str = "") -> list[Half]:
    """Both halves, a row for each entry.

    Args:
        policy: a policy without tokens, constructs and "granted".
        region: the function's region.
        account: the function's account.

    Raises:
        EntryError: an entry cannot be expressed.
    """
    explained = policy.explain()
    by_field = {each.field: each for each in explained if not each.entry}
    mode = policy.outbound_connectivity
    stopped = {"block": "is denied", "alert": "is reported", "allow": "passes"}[mode]
    rows = [
        Half(
            "outbound_connectivity", mode, f"any other host or address {stopped}, each time with a line", _rest(policy)
        )
    ]
    targets = read_entries(map(str, policy.allow_outbound), _unknown)
    domains_of(policy, targets, Place(region, account))  # raises for names that no list accepts
    meanings = {each.entry: each.meaning for each in explained if each.field == "allow_outbound"}
    rows += [
        Half("allow_outbound", target.entry, meanings.get(target.entry, ""), _of_target(target)) for target in targets
    ]
    rows += [
        Half("deny_outbound", each.entry, each.meaning, f"{_NOTHING}: its rules are those of a whole VPC")
        for each in explained
        if each.field == "deny_outbound" and each.entry
    ]
    names = aws_domains(policy, Place(region, account))
    if not names and (policy.allow_aws != "none" or policy.allow_buckets):
        raise EntryError(f"region: {region!r} is no region of AWS's: write a name such as us-east-1")
    aws = (
        f"{len(names)} names are looked up; {_describe_rules(egress_of(policy, []))}"
        if names
        else "no name of AWS's is looked up"
    )
    rows.append(Half("allow_aws", by_field["allow_aws"].value, by_field["allow_aws"].meaning, aws))
    for each in explained:
        if each.field == "allow_buckets" and each.entry:
            hosts = sum(name.startswith(f"{each.entry}.") for name in names)
            rows.append(Half("allow_buckets", each.entry, each.meaning, f"its {hosts} names are looked up"))
    switch = "on" if policy.check_tls_name else "off"
    rows.append(Half("check_tls_name", switch, by_field["check_tls_name"].meaning, f"{_NOTHING}: see Network Firewall"))
    for field in _ONLY_INSIDE:
        rows.append(Half(field, by_field[field].value, by_field[field].meaning, _NOTHING))
    return rows


def _rest(policy: ShieldPolicy) -> str:
    if policy.outbound_connectivity == "allow":
        return "a ShieldPerimeter refuses it: every name would pass"
    return "any other name does not exist (NXDOMAIN); an address passes where its port and network are open below"


def _of_target(target: Target) -> str:
    opened = _describe_rules(rules_of(target))
    return opened if target.is_network else f"looked up; {opened}"


def _describe_rules(rules: Iterable[EgressRule]) -> str:
    return "; ".join(f"{_port(rule)} to {_place(rule)}" for rule in rules)


def _port(rule: EgressRule) -> str:
    return f"{rule.protocol} {'any port' if rule.port is None else rule.port}"


def _place(rule: EgressRule) -> str:
    return "any address" if rule.network in ("0.0.0.0/0", "::/0") else rule.network


def as_json(policy: ShieldPolicy, region: str, account: str = "") -> dict[str, Any]:
    """The halves as JSON values."""
    outside = outside_of(policy, region, account)
    return {
        "halves": [vars(half) for half in halves_of(policy, region, account)],
        "domains": outside.domains,
        "egress": [rule.as_property() for rule in outside.egress],
    }


def _unknown(host: str) -> Kind:
    raise EntryError(f"allow_outbound: {host}: it is known at deployment only: see the template of a ShieldPerimeter")
