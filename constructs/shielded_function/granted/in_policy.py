"""Policies with "granted": before the role's grants are known, and with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..policy import ShieldPolicy

if TYPE_CHECKING:
    from . import Finding, Grants


_UNTOLD: Final = frozenset(
    f"shielded-function:granted{rule}"
    for rule in (
        *("AssumedRole", "DataPlane", "Everything", "ImportedRole", "ManagedPolicy", "PrecreatedRole", "Undisclosed"),
        *("UnknownAction", "UnknownService"),
    )
)
"""Findings that make the grants possibly incomplete."""


def is_unknown_grant(finding: Finding) -> bool:
    """Whether a finding says that a role's grants, or a grant's hosts, are unknown."""
    return finding.id in _UNTOLD


def is_advice(finding: Finding) -> bool:
    """Whether a finding only says that every bucket is admitted: only an explicit "granted" reports it."""
    return finding.id == "shielded-function:grantedAllBuckets"


def wants_grants(policy: ShieldPolicy) -> bool:
    """Whether `allow_aws` says "granted", or is unset where it means something."""
    services = policy.allow_aws
    if services is None:
        return policy.outbound_connectivity != "allow"
    return services == "granted" or (not isinstance(services, str) and "granted" in services)


def without_grants(policy: ShieldPolicy) -> ShieldPolicy:
    """The policy as far as it is known before the app is complete."""
    return _with_entries(policy, _beside(policy), (), (), ()) if wants_grants(policy) else policy


def _beside(policy: ShieldPolicy) -> object:
    """The fields that equality of policies ignores: they are part of the cache key."""
    return policy.presets, policy.until


def with_grants(policy: ShieldPolicy, grants: Grants) -> ShieldPolicy:
    """The policy with the role's grants in place of "granted".

    Buckets narrow S3. Where the policy names s3 beside "granted", it means any bucket.
    """
    return _with_entries(policy, _beside(policy), grants.services, grants.buckets, grants.hosts)


@lru_cache
def _with_entries(
    policy: ShieldPolicy,
    beside: object,
    services: Sequence[str],
    buckets: Sequence[str],
    hosts: Sequence[str],
) -> ShieldPolicy:
    del beside
    listed = policy.allow_aws
    named = [] if listed is None or isinstance(listed, str) else [name for name in listed if name != "granted"]
    return replace(
        policy,
        allow_aws=tuple(dict.fromkeys((*named, *services))) or "none",
        allow_buckets=policy.allow_buckets if "s3" in named else (*policy.allow_buckets, *buckets),
        allow_outbound=(*policy.allow_outbound, *hosts),
    )
