"""DNS Firewall on a VPC: the rule group, its lists of allowed names, and their late content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_route53resolver as route53resolver
from constructs import Construct

from ..policy import ShieldPolicy
from ..policy.targets import EntryError
from ..reading.late import late_list
from ..shield.resolution import ResolvedPolicy, resolve_policy
from ..shield.resolution.exports import keep_exports
from . import firewall
from .arguments import Mode
from .covered import TELEMETRY, Covered, Names, expected_names, is_resolved, names_of
from .rule_names import RESOLVER_OWN, Place


class AllowedNames:
    """The rules of a VPC's DNS Firewall: lists of allowed names, and then every other name."""

    def __init__(
        self,
        scope: Construct,
        covered: Mapping[str, Covered],
        also: ShieldPolicy,
        tell: Callable[[str], None],
        *,
        vpc_id: str,
        priority: int,
        mode: Mode,
        threats: bool = False,
        is_off: bool = False,
    ) -> None:
        """
        Args:
            scope: the scope of the resources.
            covered: the functions, by path; aspects may add more.
            also: the policy of other residents of the VPC.
            tell: receives problems.
            vpc_id: the VPC's id.
            priority: the rule group's priority in the VPC.
            mode: the action on every other name.
            threats: DNS Firewall's detectors check every name first, allowed or not.
            is_off: the VPC gets no rules; their exports stay
        """
        self._scope = scope
        self._covered = covered
        self._also = also
        self._tell = tell
        self._stack = cdk.Stack.of(scope)
        self._place = Place(self._stack.region, self._stack.account)
        self._lists: list[Any] = []
        self._names: tuple[Sequence[ShieldPolicy], Names] | None = None
        every = route53resolver.CfnFirewallDomainList(scope, "EveryName", domains=["*"])
        action: dict[str, Any] = {"action": "ALERT"}
        if mode == "block":
            action = {"action": "BLOCK", "block_response": "NXDOMAIN"}
        self._last = route53resolver.CfnFirewallRuleGroup.FirewallRuleProperty(
            priority=firewall.LAST_RULE, firewall_domain_list_id=every.attr_id, **action
        )
        self._first = [
            route53resolver.CfnFirewallRuleGroup.FirewallRuleProperty(
                priority=number, dns_threat_protection=threat, confidence_threshold="HIGH", **action
            )
            for number, threat in enumerate(firewall.THREATS if threats else (), firewall.FIRST_THREAT)
        ]
        self._group = route53resolver.CfnFirewallRuleGroup(scope, "Rules", firewall_rules=[*self._first, self._last])
        self._kept_for = vpc_id if is_off else None
        if is_off:
            return
        route53resolver.CfnFirewallRuleGroupAssociation(
            scope, "RulesOfVpc", firewall_rule_group_id=self._group.attr_id, vpc_id=vpc_id, priority=priority
        )

    def make_lists(self) -> None:
        """Creates the lists that the policies will need, in addition to existing ones."""
        if self._kept_for is not None:
            also = self._resolve_also()
            keep_exports([self._kept_for, *(also.environment.values() if also else ())], self._stack)
            return
        policies = [*(covered.attached.policy for covered in self._covered.values()), self._also, *self._telemetry()]
        count = len(firewall.split([""] * expected_names(policies, self._stack, self._place)))
        if count > firewall.LISTS:
            self._tell(
                f"the policies have more than the {firewall.LISTS * firewall.DOMAINS_A_LIST:,} names that DNS Firewall "
                "takes: list domains by *. in place of their hosts"
            )
        for number in range(len(self._lists), min(count, firewall.LISTS)):
            made = route53resolver.CfnFirewallDomainList(
                self._scope, f"AllowedNames{number or ''}", domains=late_list(lambda at=number: self._list(at))
            )
            self._lists.append(
                route53resolver.CfnFirewallRuleGroup.FirewallRuleProperty(
                    action="ALLOW",
                    priority=firewall.FIRST_LIST + number,
                    firewall_domain_list_id=made.attr_id,
                    firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
                )
            )
        self._group.firewall_rules = [*self._first, *self._lists, self._last]

    def _list(self, number: int) -> list[str]:
        """The domains of one list; the first also has those whose number is not known."""
        single, several = self._all_names()
        lists = firewall.split(single)
        if len(lists) > len(self._lists):
            self._tell(
                f"the policies have {len(single):,} names, more than the lists created for them: "
                'let no tag and no aspect turn a policy into allow_aws="all" while the app is synthesized'
            )
        domains = list(lists[number]) if number < len(lists) else ["localhost"]
        return cdk.Fn.split(",", cdk.Fn.join(",", [*domains, *several])) if several and number == 0 else domains

    def _all_names(self) -> Names:
        """The names that the VPC may look up. Computed again after policies change."""
        policies = [covered.attached.policy for covered in self._covered.values()]
        if self._names is None or [*map(id, self._names[0])] != [*map(id, policies)]:
            also, own = self._resolve_also(), self._scope.node.path
            asked = [(each.path, each.attached.policy, each.attached.handle.stack) for each in self._covered.values()]
            asked = [each for each in asked if is_resolved(each[1])]
            asked += [(own, policy, self._stack) for policy in self._telemetry()]
            found = [self._names_of(*each) for each in (*asked, *([(own, also.policy, self._stack)] if also else []))]
            single = dict.fromkeys((*RESOLVER_OWN, *(name for names in found for name in names.single)))
            several = dict.fromkeys(text for names in found for text in names.several)
            self._names = policies, Names(list(single), list(several))
        return self._names[1]

    def _telemetry(self) -> list[ShieldPolicy]:
        """The names for instances of capacity providers, where functions run on some."""
        return [TELEMETRY] if any(covered.on_provider for covered in self._covered.values()) else []

    def _resolve_also(self) -> ResolvedPolicy | None:
        resource: Any = self._group  # which provides stack and path
        try:
            return resolve_policy(self._also, resource)
        except ValueError as error:
            self._tell(f"also_allow: {error}")
            return None

    def _names_of(self, path: str, policy: ShieldPolicy, stack: cdk.Stack) -> Names:
        try:
            return names_of(policy, stack, self._place)
        except EntryError as error:
            self._tell(f"{path}: {error}")
            return Names([], [])
