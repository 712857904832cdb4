"""Simulates DNS Firewall and security groups of a synthesized template. Pure.

    perimeter = SimulatedPerimeter.from_template(template)
    perimeter.look_up("evil.example")                          # "BLOCK"
    perimeter.connect("Shop/Checkout", "203.0.113.7", 443)     # True: the address is not looked up

For your tests, and for tests that compare the perimeter with the engine.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from shielded_function_monitoring.cfn.template import Template, as_mapping, referred
from shielded_function_monitoring.cfn.values import ACCOUNT, REGION, Resolver

from ..errors import ShieldError
from ..policy.targets import Protocol

_LIST: Final = "AWS::Route53Resolver::FirewallDomainList"
_GROUP: Final = "AWS::Route53Resolver::FirewallRuleGroup"
_TARGET: Final = re.compile(r"\[(?P<v6>[^\]]+)\]:(?P<port6>\d+)|(?P<host>[^:]+):(?P<port>\d+)")
Action = Literal["ALLOW", "ALERT", "BLOCK"]


@dataclass(frozen=True)
class Rule:
    """One rule of a group.

    Attributes:
        priority: rules apply from the lowest.
        action: the action on the query.
        domains: names, or `*.name`, or `*`.
    """

    priority: int
    action: Action
    domains: Sequence[str]


def matches(domain: str, name: str) -> bool:
    """Whether a listed domain matches a queried name, ignoring case and a final dot."""
    wanted, asked = domain.lower().rstrip("."), name.lower().rstrip(".")
    if wanted == "*":
        return True
    if wanted.startswith("*"):
        return asked.endswith(wanted[1:]) and len(asked) > len(wanted) - 1
    return asked == wanted


def decide(rules: Sequence[Rule], name: str) -> Action:
    """DNS Firewall's action on a query. A query without a matching rule passes.

    With TRUST_REDIRECTION_DOMAIN, an allowed name's chain of CNAMEs is not checked, so only the name decides.
    """
    for rule in sorted(rules, key=lambda each: each.priority):
        if any(matches(domain, name) for domain in rule.domains):
            return rule.action
    return "ALLOW"


@dataclass(frozen=True)
class SimulatedPerimeter:
    """The rules of a template.

    Attributes:
        rules: DNS Firewall's; empty where the template has none.
        egress: for each function in a VPC, by its construct path or logical id, its security groups' rules.
    """

    rules: Sequence[Rule]
    egress: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict[str, Sequence[Mapping[str, Any]]])

    @classmethod
    def from_template(
        cls,
        template: Mapping[str, Any],
        *,
        region: str = REGION,
        account: str = ACCOUNT,
        values: Mapping[str, str] | None = None,
        prefix_lists: Mapping[str, Sequence[str]] | None = None,
    ) -> SimulatedPerimeter:
        """Reads one template.

        Args:
            template: from `aws_cdk.assertions.Template.to_json` or a file of `cdk.out`.
            region: its AWS region.
            account: its AWS account.
            values: values known only at deployment: `{"LogicalId": "name", "LogicalId.Endpoint.Address":
                "db.example"}`.
            prefix_lists: the networks of prefix lists, by id; a list without is taken as empty.

        Raises:
            IntrinsicError: a rule needs a value known only at deployment, and `values` lacks it.
        """
        resolver = Resolver("Stack", template, values or {}, region, account)
        read = Template(template)
        lists = {logical_id: resolver.resolve(each["Domains"]) for logical_id, each in read.of_type(_LIST)}
        rules = [
            Rule(int(rule["Priority"]), rule["Action"], lists[referred(rule["FirewallDomainListId"])])
            for _, group in read.of_type(_GROUP)
            for rule in group["FirewallRules"]
            if "FirewallDomainListId" in rule  # the decisions of AWS's detectors are unknown here
        ]
        return cls(rules, dict(_egress(read, resolver, prefix_lists or {})))

    def look_up(self, name: str) -> Action:
        """DNS Firewall's action on a query for a name."""
        return decide(self.rules, name)

    def connect(self, function: str, address: str, port: int, protocol: Protocol = "tcp") -> bool:
        """Whether the function's security groups let a connection, or a datagram, to an address out."""
        return any(admits(rule, address, port, protocol) for rule in self.egress[function])

    def reach(self, function: str, target: str, protocol: Protocol = "tcp") -> bool:
        """Whether `host:port`, `address:port` or `[v6]:port` is reached: looked up if it is a name, and let out.

        A name may resolve to any IPv4 address.

        Raises:
            ShieldError: the target has another form.
        """
        found = _TARGET.fullmatch(target)
        if found is None:
            raise ShieldError(f"target: {target!r} is none of host:port, address:port and [v6]:port")
        host, port = found["v6"] or found["host"], int(found["port6"] or found["port"])
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return self.look_up(host) != "BLOCK" and self.connect(function, "192.0.2.1", port, protocol)
        return self.connect(function, host, port, protocol)


def _egress(
    template: Template, resolver: Resolver, lists: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    for logical_id, properties in template.of_type("AWS::Lambda::Function"):
        given = as_mapping(properties.get("VpcConfig")).get("SecurityGroupIds", [])
        groups = [template.properties(referred(group)) for group in given]
        found = [resolver.resolve(rule) for group in groups for rule in group.get("SecurityGroupEgress", [])]
        rules = [
            {**rule, **network}
            for rule in found
            for network in [{"CidrIp": each} for each in lists.get(rule.get("DestinationPrefixListId", ""), [])] or [{}]
        ]
        if given:
            yield logical_id, rules
            yield resolver.path_of(logical_id), rules


def admits(rule: Mapping[str, Any], address: str, port: int, protocol: str = "tcp") -> bool:
    """Whether an egress rule, in the form of `SecurityGroupEgress`, lets a connection or datagram out."""
    if rule["IpProtocol"] not in ("-1", protocol):
        return False
    network = ipaddress.ip_network(rule.get("CidrIp") or rule.get("CidrIpv6") or "255.255.255.255/32")
    within = ipaddress.ip_address(address) in network
    return within and (rule["IpProtocol"] == "-1" or int(rule["FromPort"]) <= port <= int(rule["ToPort"]))
