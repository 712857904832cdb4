"""A policy's two halves, side by side: the rules of the engine in the process, and those of a perimeter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..policy.targets import EntryError, Meaning, Target, read_entry
from .egress import ANYWHERE, ANYWHERE_V6, EgressRule, egress_of, rules_of
from .rule_names import RESOLVER_OWN, Place, aws_domains, domains_of

if TYPE_CHECKING:
    from ..policy import ShieldPolicy

_NOTHING: Final = "nothing"
_REST: Final = (
    "any other name does not exist (NXDOMAIN); an address passes where its port and network are open below",
    "a ShieldPerimeter refuses it: every name would pass",
)
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


def halves_of(policy: ShieldPolicy, region: str, account: str = "") -> list[Half]:
    """Both halves, a row for each entry.

    Args:
        policy: a policy without tokens, constructs and "granted".
        region: the function's region.
        account: the function's account; without it, names that contain one have `*` in its place.

    Raises:
        EntryError: an entry cannot be expressed.
    """
    targets, place = _targets_of(policy), Place(region, account)
    domains_of(policy, targets, place)  # raises for names that no list accepts
    names = aws_domains(policy, place)
    if not names and (policy.allow_aws != "none" or policy.allow_buckets):
        raise EntryError(f"region: {region!r} is no region of AWS's: write a name such as us-east-1")
    return list(_halves_of(policy, targets, names))


def _halves_of(policy: ShieldPolicy, targets: Sequence[Target], names: Sequence[str]) -> Iterator[Half]:
    explained = policy.explain()
    by_field = {each.field: each for each in explained if not each.entry}
    listed = [each for each in explained if each.entry]
    mode = policy.outbound_connectivity
    stopped = {"block": "is denied", "alert": "is reported", "allow": "passes"}[mode]
    rest = f"any other host or address {stopped}, each time with a line"
    yield Half("outbound_connectivity", mode, rest, _REST[mode == "allow"])
    meanings = {each.entry: each.meaning for each in listed if each.field == "allow_outbound"}
    for target in targets:
        opened = ("" if target.is_network else "looked up; ") + _describe_rules(rules_of(target))
        yield Half("allow_outbound", target.entry, meanings.get(target.entry, ""), opened)
    for each in (each for each in listed if each.field == "deny_outbound"):
        yield Half(each.field, each.entry, each.meaning, f"{_NOTHING}: its rules are those of a whole VPC")
    aws = f"{len(names)} names are looked up; {_describe_rules(egress_of(policy, []))}"
    aws = aws if names else "no name of AWS's is looked up"
    yield Half("allow_aws", by_field["allow_aws"].value, by_field["allow_aws"].meaning, aws)
    for each in (each for each in listed if each.field == "allow_buckets"):
        hosts = sum(name.startswith(f"{each.entry}.") for name in names)
        yield Half(each.field, each.entry, each.meaning, f"its {hosts} names are looked up")
    switch = "on" if policy.check_tls_name else "off"
    yield Half("check_tls_name", switch, by_field["check_tls_name"].meaning, f"{_NOTHING}: see Network Firewall")
    for field in _ONLY_INSIDE:
        yield Half(field, by_field[field].value, by_field[field].meaning, _NOTHING)


def _describe_rules(rules: Iterable[EgressRule]) -> str:
    return "; ".join(
        f"{rule.protocol} {'any port' if rule.port is None else rule.port} to "
        f"{'any address' if rule.network in (ANYWHERE, ANYWHERE_V6) else rule.network}"
        for rule in rules
    )


def as_json(policy: ShieldPolicy, region: str, account: str = "") -> dict[str, Any]:
    """The halves as JSON values, with the domains and rules of a perimeter."""
    targets = _targets_of(policy)
    return {
        "halves": [vars(half) for half in halves_of(policy, region, account)],
        "domains": [*RESOLVER_OWN, *domains_of(policy, targets, Place(region, account))],
        "egress": [rule.as_property() for rule in egress_of(policy, targets)],
    }


def _targets_of(policy: ShieldPolicy) -> list[Target]:
    return [read_entry(str(entry), _unknown) for entry in policy.allow_outbound]


def _unknown(host: str) -> Meaning:
    raise EntryError(f"allow_outbound: {host}: it is known at deployment only: see the template of a ShieldPerimeter")
