"""A model of DNS Firewall: ordered rules, domain lists, quotas. Pure.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-actions.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Action = Literal["ALLOW", "ALERT", "BLOCK"]

DOMAINS_A_LIST: Final = 1000
"""Domains in one request that updates a list
(https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_UpdateFirewallDomains.html)."""
LISTS: Final = 96
"""Lists of allowed names, as a rule group has 100 rules: one is for all other names, three are for threats
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html)."""
PRIORITIES: Final = range(101, 9901)
"""https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_AssociateFirewallRuleGroup.html"""
THREATS: Final = ("DNS_TUNNELING", "DGA", "DICTIONARY_DGA")
"""The detectors of DNS Firewall Advanced: data in names, and names that an algorithm generated
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/firewall-advanced.html)."""
FIRST_THREAT: Final = 1
FIRST_LIST: Final = 10
LAST_RULE: Final = 10_000
"""Priorities within the group: the lists of allowed names start here; the rule for all other names is last."""


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


def split(domains: Sequence[str]) -> list[Sequence[str]]:
    """Splits domains into lists that DNS Firewall accepts; at least one."""
    return [domains[at : at + DOMAINS_A_LIST] for at in range(0, max(len(domains), 1), DOMAINS_A_LIST)]
