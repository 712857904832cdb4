"""A function that a perimeter covers, and the network rules for its policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aws_cdk as cdk

from ..granted.stage_reader import StageReader
from ..policy import ShieldPolicy
from ..policy.targets import EntryError, Target, read_entry
from .app_resources import classify_in
from .egress import EgressRule, egress_of, remove_covered
from .firewall import DOMAINS_A_LIST
from .residents import Resource
from .rule_names import RESOLVER_OWN, Place, domains_of

if TYPE_CHECKING:
    from ..granted.statements import Caller
    from ..reading.functions import FunctionHandle
    from ..shield.function_shield import FunctionShield

TELEMETRY: Final = ShieldPolicy(allow_aws=["logs", "xray"])
"""Hosts of a capacity provider's instances besides the policies: logs and traces use the provider's VPC
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html)."""
_GRANTED: Final = 300
"""Domains reserved for grants that are not known yet."""


@dataclass(frozen=True)
class Covered:
    """A function.

    Attributes:
        attached: its shield.
        resource: its resource.
    """

    attached: FunctionShield
    resource: Resource

    @property
    def path(self) -> str:
        """Its construct path."""
        return self.attached.handle.path

    def egress(self, file_systems: Callable[[], str]) -> list[EgressRule]:
        """The egress rules for its policy.

        Args:
            file_systems: returns the network of its file systems.

        Raises:
            EntryError: an entry cannot be expressed.
        """
        vpc: Any = self.resource.properties.get("VpcConfig") or {}
        mounted = bool(self.resource.properties.get("FileSystemConfigs"))
        rules = egress_of(
            self.attached.policy,
            self.targets(),
            ipv6=vpc.get("Ipv6AllowedForDualStack") not in (None, False),
            file_systems=file_systems() if mounted else None,
        )
        return remove_covered([*rules, *egress_of(TELEMETRY, ())]) if self.on_provider else rules

    @property
    def on_provider(self) -> bool:
        """Whether it runs on the instances of a capacity provider (`AWS::Lambda::CapacityProvider`)."""
        return bool(self.resource.properties.get("CapacityProviderConfig"))

    def targets(self) -> list[Target]:
        """The targets of its policy. An entry with a port replaces a granted host without one.

        Raises:
            EntryError: an entry cannot be expressed.
        """
        found = targets_of(self.attached.policy, self.attached.handle.stack)
        with_port = {target.host for target in found if target.port is not None}
        return [
            target
            for target in found
            if target.port is not None or target.host not in with_port or not self.is_granted(target)
        ]

    def is_granted(self, target: Target) -> bool:
        """Whether the entry comes only from a grant."""
        return target.entry.casefold() in self.attached.policies.granted_hosts


class Grants:
    """The grants of covered functions: read at the first request, when templates are written."""

    def __init__(self, covered: Mapping[str, Covered]) -> None:
        self._covered = covered

    @cached_property
    def reader(self) -> StageReader:
        """Reads the stage of the functions."""
        handles = [covered.attached.handle for covered in self._covered.values()]
        stage = cdk.Stage.of(handles[0].resource)
        assert stage is not None, "a construct always has a stage: at least its app"
        return StageReader(stage, handles)

    @cached_property
    def callers(self) -> Sequence[tuple[FunctionHandle, Caller]]:
        """Each function, and the grants of its role."""
        return list(self.reader.callers()) if self._covered else []


def targets_of(policy: ShieldPolicy, stack: cdk.Stack) -> list[Target]:
    """The targets of a policy's `allow_outbound`, seen from a stack.

    Raises:
        EntryError: an entry cannot be expressed.
    """
    return [read_entry(str(entry), classify_in(stack)) for entry in policy.allow_outbound]


class Names(NamedTuple):
    """The names that a policy lets a function look up.

    Attributes:
        single: domains.
        several: texts of several domains between commas; their number is known only at deployment.
    """

    single: list[str]
    several: list[str]


def names_of(policy: ShieldPolicy, stack: cdk.Stack, place: Place) -> Names:
    """The names of a policy, seen from a stack.

    Raises:
        EntryError: DNS Firewall accepts no such name.
    """
    targets = targets_of(policy, stack)
    joined = {target.host: target.divider for target in targets if target.kind == "names"}
    return Names(
        [domain for domain in domains_of(policy, targets, place) if domain not in joined],
        [cdk.Fn.join(",", cdk.Fn.split(divider, host)) for host, divider in joined.items()],
    )


def is_resolved(policy: ShieldPolicy) -> bool:
    """Whether a shield has resolved constructs and grants to entries; if not, it reports an error."""
    known = all(isinstance(entry, str) and entry != "granted" for _, entry in policy.unknown_entries)
    return known and policy.allow_aws is not None


def expected_names(policies: Iterable[ShieldPolicy], stack: cdk.Stack, place: Place) -> int:
    """The most domains that policies may need, estimated before grants are known."""
    names: set[str] = {*RESOLVER_OWN}
    later = 0
    for policy in policies:
        if policy.outbound_connectivity == "allow":
            continue
        later += sum(_GRANTED if entry == "granted" else 1 for _, entry in policy.unknown_entries)
        try:
            names.update(names_of(_known_part(policy), stack, place).single)
        except EntryError:
            continue  # reported at the final read
    return len(names) + min(later, DOMAINS_A_LIST)


def _known_part(policy: ShieldPolicy) -> ShieldPolicy:
    """A policy without values that are resolved later: constructs, tokens and grants."""
    later: dict[str, list[Any]] = {}
    for field, entry in policy.unknown_entries:
        later.setdefault(field, []).append(entry)
    known: dict[str, Any] = {}
    for field, entries in later.items():
        value: Any = getattr(policy, field)
        kept = [] if isinstance(value, str) else [each for each in value if not any(each is one for one in entries)]
        known[field] = kept or ("none" if field == "allow_aws" else ())
    return replace(policy, presets=(), **known)
