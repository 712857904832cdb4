"""Derives the egress rules of functions' security groups from their policies, and compares others with them. Pure.

A security group knows addresses, not names: an entry by name opens its port to every address. DNS needs no rule, as
security groups do not filter queries to the VPC's resolver
(https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from shielded_function_monitoring.cfn.parts import map_constructs, text_of

from ..policy.targets import Protocol, Target
from ..tokens import has_token
from .residents import GROUP_EGRESS, Resource

if TYPE_CHECKING:
    from ..policy import ShieldPolicy

RULES: Final = 60
"""Outbound rules of a security group, for each of IPv4 and IPv6, unless the account has a higher quota
(https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html)."""
ANYWHERE: Final = "0.0.0.0/0"
ANYWHERE_V6: Final = "::/0"
NFS: Final = 2049
_AWS_PORTS: Final = {"": (443,), "iot": (8443, 8883), "iot-data": (8443, 8883)}
"""The ports of AWS's endpoints: HTTPS, and MQTT of IoT
(https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html)."""
_DESCRIPTION: Final = "shielded-function: entries of the function's policy"
NO_TRAFFIC: Final = {
    "cidrIp": "255.255.255.255/32",
    "description": "Nothing leaves: without any rule, CloudFormation would allow everything",
    "ipProtocol": "icmp",
    "fromPort": 252,
    "toPort": 86,
}
"""The rule that the CDK also writes for a group without rules."""


@dataclass(frozen=True)
class EgressRule:
    """One rule.

    Attributes:
        protocol: tcp or udp.
        port: a number, a token for one, or None for every port.
        network: in CIDR notation, or a prefix list's id; possibly a token.
        v6: whether the network is IPv6.
    """

    protocol: Protocol
    port: int | str | None
    network: str
    v6: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it leads to a prefix list."""
        return self.network.startswith("pl-")

    def as_property(self) -> dict[str, Any]:
        """The rule in the form of `SecurityGroupEgress`, with the CDK's names."""
        ports = {"fromPort": 0, "toPort": 65535} if self.port is None else {"fromPort": self.port, "toPort": self.port}
        kind = "destinationPrefixListId" if self.is_list else "cidrIpv6" if self.v6 else "cidrIp"
        network = {kind: self.network}
        return {**network, "description": _DESCRIPTION, "ipProtocol": self.protocol, **ports}


def egress_of(
    policy: ShieldPolicy, targets: Sequence[Target], *, ipv6: bool = False, file_systems: str | None = None
) -> list[EgressRule]:
    """The rules of one function.

    Args:
        policy: its policy; "granted" in `allow_aws` is resolved.
        targets: the targets of its `allow_outbound`.
        ipv6: whether it has IPv6 addresses; otherwise names resolve to IPv4.
        file_systems: the network of its file systems, mounted by NFS; None where it has none.
    """
    if policy.outbound_connectivity == "allow":
        rules = [rule for protocol in ("tcp", "udp") for rule in _to(protocol, None, ipv6)]
    else:
        rules = [rule for target in targets for rule in rules_of(target, ipv6=ipv6)]
        rules += [rule for port in _aws_ports(policy) for rule in _to("tcp", port, ipv6)]
    if file_systems:
        rules.append(EgressRule("tcp", NFS, file_systems))
    return remove_covered(rules)


def rules_of(target: Target, *, ipv6: bool = False) -> Iterator[EgressRule]:
    """The rules of an entry."""
    for protocol in target.protocols:
        if target.is_network:
            yield EgressRule(protocol, target.port, target.host, target.kind == "ipv6")
        else:
            yield from _to(protocol, target.port, ipv6)


def _to(protocol: Protocol, port: int | str | None, ipv6: bool) -> Iterator[EgressRule]:
    yield EgressRule(protocol, port, ANYWHERE)
    if ipv6:
        yield EgressRule(protocol, port, ANYWHERE_V6, v6=True)


def _aws_ports(policy: ShieldPolicy) -> list[int]:
    if policy.allow_aws == "none" and not policy.allow_buckets:
        return []
    services = policy.allow_aws if isinstance(policy.allow_aws, tuple) else ()
    wanted = ["", *(_AWS_PORTS if policy.allow_aws in ("all", None) else services)]
    return sorted({port for service in wanted for port in _AWS_PORTS.get(service, ())})


def remove_covered(rules: Iterable[EgressRule]) -> list[EgressRule]:
    """The rules without those that another rule covers."""
    found = list(dict.fromkeys(rules))
    return [rule for rule in found if not any(other != rule and covers(other, rule) for other in found)]


def covers(one: EgressRule, other: EgressRule) -> bool:
    """Whether a rule surely admits everything that another one admits."""
    if one.protocol != other.protocol or one.v6 != other.v6 or one.port not in (None, other.port):
        return False
    if one.network in (other.network, ANYWHERE, ANYWHERE_V6):
        return True
    if one.is_list or other.is_list or has_token(one.network) or has_token(other.network):
        return False
    wide, narrow = ipaddress.ip_network(one.network), ipaddress.ip_network(other.network)
    return wide.version == narrow.version and narrow.subnet_of(wide)  # pyright: ignore[reportArgumentType]


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
    listed: Any = (function.properties.get("VpcConfig") or {}).get("SecurityGroupIds") or []
    if not isinstance(listed, list):
        return ["a list known only at deployment"]
    literal = [each for each in listed if isinstance(each, str)]
    unknown = len(listed) - len(literal) - len(groups)
    return [*literal, *(["one known only at deployment"] if unknown > 0 else [])]


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
    return all(any(_meets(rule, each) for rule in rules) for each in wanted)


def _meets(rule: EgressRule, wanted: EgressRule) -> bool:
    if wanted.network:
        return covers(rule, wanted)
    return rule.protocol == wanted.protocol and rule.port in (None, wanted.port)


def _read(rule: dict[str, Any]) -> tuple[Sequence[EgressRule] | None, str]:
    """A rule of a template, and in words. None for more than one port, or another protocol."""
    protocol = str(rule.get("IpProtocol", ""))
    first, last = rule.get("FromPort"), rule.get("ToPort")
    network = rule.get("CidrIp") or rule.get("CidrIpv6")
    place = network or rule.get("DestinationSecurityGroupId") or rule.get("DestinationPrefixListId")
    ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
    place = text_of(map_constructs(place, lambda path, attribute, *_: f"{path}.{attribute}"))
    text = f"{protocol if protocol != '-1' else 'everything'}{ports} to {place}"
    if protocol == "icmp" and network == "255.255.255.255/32":
        return (), text
    # For a rule to a group or a prefix list, only the port counts.
    where = network if isinstance(network, str) else "" if network is None else str(network)
    v6 = "CidrIpv6" in rule
    if protocol not in ("tcp", "udp") or (first != last and (first, last) != (0, 65535)):
        return None, text
    name: Protocol = "tcp" if protocol == "tcp" else "udp"
    port = None if first != last else first
    return (EgressRule(name, port, where, v6),), text


def is_everything(rules: Sequence[Any]) -> bool:
    """Whether a group's egress is a default of the CDK: everything, or nothing."""
    everyone = (ANYWHERE, ANYWHERE_V6)
    return all(
        isinstance(rule, dict)
        and (
            (str(rule.get("IpProtocol")) == "-1" and (rule.get("CidrIp") or rule.get("CidrIpv6")) in everyone)
            or rule.get("CidrIp") == NO_TRAFFIC["cidrIp"]
        )
        for rule in rules
    )
