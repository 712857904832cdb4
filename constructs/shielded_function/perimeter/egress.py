"""Derives the egress rules of a function's security group from its policy, and simulates them. Pure.

A security group knows addresses, not names: an entry by name opens its port to every address. DNS needs no rule, as
security groups do not filter queries to the VPC's resolver
(https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..tokens import has_token
from .entries import Protocol, Target

if TYPE_CHECKING:
    from ..policy import ShieldPolicy

RULES: Final = 60
"""Outbound rules of a security group, for each of IPv4 and IPv6, unless the account has a higher quota
(https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html)."""
ANYWHERE: Final = "0.0.0.0/0"
ANYWHERE_V6: Final = "::/0"
_NFS: Final = 2049
_AWS_PORTS: Final = {"": (443,), "iot": (8443, 8883), "iot-data": (8443, 8883)}
"""The ports of AWS's endpoints: HTTPS, and MQTT of IoT
(https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html)."""
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
        network: in CIDR notation, possibly a token.
        v6: whether the network is IPv6.
    """

    protocol: Protocol
    port: int | str | None
    network: str
    v6: bool = False

    @property
    def description(self) -> str:
        """The description in the console."""
        return "shielded-function: entries of the function's policy"

    def admits(self, address: str, port: int, protocol: Protocol) -> bool:
        """Whether a connection or datagram passes."""
        if protocol != self.protocol or self.port not in (None, port) or has_token(self.network):
            return False
        return ipaddress.ip_address(address) in ipaddress.ip_network(self.network)

    def as_property(self) -> dict[str, Any]:
        """The rule in the form of `SecurityGroupEgress`, with the CDK's names."""
        ports = {"fromPort": 0, "toPort": 65535} if self.port is None else {"fromPort": self.port, "toPort": self.port}
        network = {"cidrIpv6" if self.v6 else "cidrIp": self.network}
        return {**network, "description": self.description, "ipProtocol": self.protocol, **ports}


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
        rules.append(EgressRule("tcp", _NFS, file_systems))
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
    if has_token(one.network) or has_token(other.network):
        return False
    wide, narrow = ipaddress.ip_network(one.network), ipaddress.ip_network(other.network)
    return wide.version == narrow.version and narrow.subnet_of(wide)  # pyright: ignore[reportArgumentType]


def admits(rules: Iterable[EgressRule], address: str, port: int, protocol: Protocol = "tcp") -> bool:
    """Whether a security group with these rules lets a connection or datagram out."""
    return any(rule.admits(address, port, protocol) for rule in rules)
