"""Policies that say "granted": before the role's grants are known, and with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from .policy import ShieldPolicy

if TYPE_CHECKING:
    from .granted import Grants


def wants_grants(policy: ShieldPolicy) -> bool:
    """Whether `allow_aws` says "granted"."""
    services = policy.allow_aws
    return services == "granted" or (not isinstance(services, str) and "granted" in services)


def without_grants(policy: ShieldPolicy) -> ShieldPolicy:
    """The same policy as far as it is known before the app is complete."""
    return _without_granted(policy, policy.presets) if wants_grants(policy) else policy


# Policies are equal whose entries are, whatever presets they come from: so these are part of what is looked up.


@lru_cache
def _without_granted(policy: ShieldPolicy, presets: Sequence[str]) -> ShieldPolicy:
    del presets
    others = () if isinstance(policy.allow_aws, str) else [name for name in policy.allow_aws if name != "granted"]
    return replace(policy, allow_aws=others or "none")


def with_grants(policy: ShieldPolicy, grants: Grants) -> ShieldPolicy:
    """The policy with the role's grants in place of "granted".

    Buckets narrow S3. Where the policy names s3 beside "granted", it means any bucket.
    """
    found = tuple(grants.services), tuple(grants.buckets), tuple(grants.hosts)
    return _with_entries(policy, policy.presets, *found)


@lru_cache
def _with_entries(
    policy: ShieldPolicy,
    presets: Sequence[str],
    services: Sequence[str],
    buckets: Sequence[str],
    hosts: Sequence[str],
) -> ShieldPolicy:
    del presets
    named = () if isinstance(policy.allow_aws, str) else [name for name in policy.allow_aws if name != "granted"]
    return replace(
        policy,
        allow_aws=tuple(dict.fromkeys((*named, *services))) or "none",
        allow_buckets=policy.allow_buckets if "s3" in named else (*policy.allow_buckets, *buckets),
        allow_outbound=(*policy.allow_outbound, *hosts),
    )
