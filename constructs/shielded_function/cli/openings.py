"""Openings that an enforced policy leaves: hosts that may receive data, and ways to undo the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shielded_function.checks.policies import PLACEHOLDER
from shielded_function.checks.rules.lists import admitted_shared_hosts
from shielded_function.checks.shared_hosts import shared_suffix
from shielded_function.policy import ShieldPolicy
from shielded_function.policy.targets import read_entry


class Opening(NamedTuple):
    """An opening that remains.

    Attributes:
        what: field with its value, or entry of a list.
        why: its user, and how it is used.
        remedy: the change that closes it.
    """

    what: str
    why: str
    remedy: str


_KEYS = (
    "code that brings its own keys reaches another account's resources there",
    "services of the grants (granted), allow_buckets, and endpoint policies of a VPC (ShieldPerimeter)",
)
_UNSHIELDED = "runs without the shield, and so without its limits", "a dynamic program"
_ENGINE = Opening(
    "the engine",
    "runs in the process: code written against it, such as ten lines of ctypes, can undo it",
    "a ShieldPerimeter outside of it, and a role with few grants",
)


def openings(policy: ShieldPolicy) -> list[Opening]:
    """The openings of a policy, the widest first; the last one is common to all policies."""
    found: list[Opening] = []
    mode, aws = policy.outbound_connectivity, policy.allow_aws or "all"
    if mode != "block":
        suffix = "" if mode == "allow" else "; it is reported only"
        found = [Opening(f"outbound_connectivity={mode}", f"any host receives data{suffix}", "block, with a list")]
    elif aws != "none":
        shown = aws if isinstance(aws, str) else ", ".join(map(str, aws))
        found = [Opening(f"allow_aws={shown}", *_KEYS)]
    found += of_listed_hosts(policy) if mode == "block" else ()
    programs = (str(each) for each in policy.allow_child_process if str(each).startswith("unshielded:"))
    return [*found, *(Opening(each, *_UNSHIELDED) for each in programs), _ENGINE]


def of_listed_hosts(policy: ShieldPolicy) -> Iterator[Opening]:
    """The listed hosts where anybody may receive data."""
    if not policy.check_tls_name:
        yield Opening("check_tls_name=off", "any name at a listed host's address", "on, the default")
    for text in policy.allow_outbound:
        if not isinstance(text, str) or PLACEHOLDER in text:
            continue
        entry = read_entry(text)
        suffix = shared_suffix(entry.name) if entry.is_wildcard else ""
        shared = "" if suffix else next((why for _, why in admitted_shared_hosts(entry, policy)), "")
        if suffix:
            yield Opening(text, f"anyone can have a name under it ({suffix})", "exact names")
        elif shared:
            yield Opening(text, shared, "a host of your own in front of it")
        elif entry.is_wildcard:
            yield Opening(text, "data fits into the labels of names that are looked up", "the hosts")
        elif entry.network and entry.network.num_addresses > 1:
            yield Opening(text, f"any host at one of its {entry.network.num_addresses:,} addresses", "names of hosts")
