"""The policy of one function: as given, with the additions of its app, and as resolved for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ShieldError
from ..granted.in_policy import is_advice, is_unknown_grant, wants_grants, with_grants, without_grants
from ..policy import Explanation, ShieldPolicy
from ..tokens import TEXT_TOKEN
from . import custom_resources
from .resolution import ResolvedPolicy, resolve_policy

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import IConstruct

    from ..granted import Finding, Grants

_UNKNOWN = "<known at deployment>"


class FunctionPolicy:
    """The policy of one function.

    Attributes:
        original: the given policy, without the additions of `allow_to`.
        unknown_grants: why its unset `allow_aws` became "all": the findings about its grants.
        resolved: the policy in force; None before the first `resolve`.
    """

    def __init__(
        self,
        function: lambda_.Function | lambda_.CfnFunction,
        policy: ShieldPolicy,
        by_tag: Callable[[], ShieldPolicy | None] | None = None,
        *,
        mode: str = "on",
    ) -> None:
        """
        Args:
            function: the function.
            policy: its policy, possibly with constructs and tokens.
            by_tag: returns the policy of the function's tags, which replaces `policy`; called while aspects run.
            mode: the context `shield` of the app: "alert" makes each `block` an `alert`.

        Raises:
            ShieldError: an entry is impossible.
            ShieldPolicyError: the same, of a construct without a host.
        """
        resolve_policy(without_grants(policy), function)
        self.original = policy
        self.unknown_grants: Sequence[str] = ()
        self.resolved: ResolvedPolicy | None = None
        self._function = function
        self._by_tag = by_tag
        self._only_alerts = mode == "alert"
        self._targets: tuple[IConstruct | str, ...] = ()
        self._grants: Grants | None = None
        self._answers: Sequence[str] = ()

    @property
    def given(self) -> ShieldPolicy:
        """The policy with its additions, unresolved."""
        policy = (self._by_tag and self._by_tag()) or self.original
        if self._targets:
            policy = replace(policy, allow_outbound=(*policy.allow_outbound, *self._targets))
        return self.in_mode(policy)

    def in_mode(self, policy: ShieldPolicy) -> ShieldPolicy:
        """A policy under the context of the app."""
        return policy.with_mode("alert") if self._only_alerts else policy

    @property
    def in_force(self) -> ShieldPolicy:
        """The resolved policy; before that, the given one."""
        return self.resolved.policy if self.resolved else self.given

    def add(self, targets: Sequence[IConstruct | str]) -> None:
        """Adds to `allow_outbound`; raises as the constructor does, and then changes nothing."""
        before = self._targets
        self._targets = (*before, *targets)
        try:
            resolve_policy(without_grants(self.given), self._function)
        except ValueError:
            self._targets = before
            raise

    def resolve(
        self, grants: Callable[[], Grants], answers: Callable[[], Sequence[str]], answer_hosts: Callable[[], list[str]]
    ) -> Sequence[Finding]:
        """Resolves the policy; returns warnings about its grants.

        Args:
            grants: returns the grants of the function's role; called where the policy means them.
            answers: returns the custom resources that the function answers for.
            answer_hosts: returns the hosts that receive their answers.

        Raises:
            ShieldError: an entry is impossible, or the grants that `granted` names are unknown.
        """
        policy, warnings = self.given, ()
        if wants_grants(policy):
            policy, warnings = self._with_grants(policy, grants())
        elif policy.allow_aws is None:
            policy = replace(policy, allow_aws="all")
        self._answers = answers()
        if self._answers and not custom_resources.admits_answers(policy):
            policy = replace(policy, allow_outbound=(*policy.allow_outbound, *answer_hosts()))
        self.resolved = resolve_policy(policy, self._function)
        return warnings

    def _with_grants(self, policy: ShieldPolicy, grants: Grants) -> tuple[ShieldPolicy, Sequence[Finding]]:
        """The policy with the grants, or with all of AWS where it leaves `allow_aws` unset and they are unknown."""
        warnings = grants.warnings
        if policy.allow_aws is None:
            found = (*grants.problems, *warnings)
            self.unknown_grants = self.unknown_grants or [each.message for each in found if is_unknown_grant(each)]
            if self.unknown_grants:
                self._grants = None
                return replace(policy, allow_aws="all"), ()
            warnings = [each for each in warnings if not is_advice(each)]
        elif grants.problems:
            raise ShieldError(self._function.node.path, [finding.message for finding in grants.problems])
        self._grants = grants
        return with_grants(policy, grants), warnings

    def explain(self) -> tuple[Explanation, ...]:
        """The source of each entry: the construct, or the grant."""
        buckets = self.resolved.policy.allow_buckets if self.resolved else ()
        rows = [
            Explanation(
                "allow_buckets" if entry in buckets else "allow_outbound", TEXT_TOKEN.sub(_UNKNOWN, entry), path
            )
            for entry, path in self._sources.items()
        ]
        if self._answers:
            answers = f"it answers for {', '.join(self._answers)}"
            rows.append(Explanation("allow_outbound", "hosts of CloudFormation", answers))
        rows += [Explanation("allow_aws", "all", reason) for reason in self.unknown_grants]
        return (*rows, *(self._grants.explain() if self._grants else ()))

    @property
    def on_behalf(self) -> set[str]:
        """The granted services that only Lambda or another service uses with the role, and the policy does not name."""
        listed = self.given.allow_aws or ()
        entries = self._grants.entries if self._grants else ()
        return {each.text for each in entries if each.kind == "service" and each.on_behalf} - {*map(str, listed)}

    @property
    def granted_hosts(self) -> Mapping[str, str]:
        """The entries of `allow_outbound` that come only from grants, each with its name in words."""
        entries = self._grants.entries if self._grants else ()
        listed = {str(entry).casefold() for entry in (*self.given.allow_outbound, *self._sources)}
        hosts = {entry.text.casefold(): entry.name.removesuffix(": *") for entry in entries if entry.kind == "host"}
        return {text: name for text, name in hosts.items() if text not in listed}

    def name_of(self, entry: str) -> str:
        """An entry in words: its construct, or its text without tokens."""
        known = self._sources.get(entry) or self.granted_hosts.get(entry.casefold())
        return known or TEXT_TOKEN.sub(_UNKNOWN, entry)

    @property
    def _sources(self) -> Mapping[str, str]:
        return self.resolved.sources if self.resolved else {}
