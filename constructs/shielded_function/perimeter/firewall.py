"""DNS Firewall's domain lists, priorities and quotas. Pure.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-actions.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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


def split(domains: Sequence[str]) -> list[Sequence[str]]:
    """Splits domains into lists that DNS Firewall accepts; at least one."""
    return [domains[at : at + DOMAINS_A_LIST] for at in range(0, max(len(domains), 1), DOMAINS_A_LIST)]
