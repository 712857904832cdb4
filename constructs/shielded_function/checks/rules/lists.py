"""Rules: the list of hosts admits no more than intended."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from ...policy import ShieldPolicy
from ...policy.targets import Target, read_entry
from ..policies import PLACEHOLDER
from ..shared_hosts import shared_hosts, shared_suffix
from ..templates import LambdaFunction
from .rule import Context, Problem, variable

WIDEST: Final = {4: 16, 6: 32}
"""The shortest prefix of a public network that is not wide: 65,536 addresses of IPv4; of IPv6, the allocation of a
regional registry to one provider (https://www.ripe.net/publications/docs/ripe-738/)."""

_AT: Final = variable("allow_outbound")


def entries(function: LambdaFunction) -> Iterator[Target]:
    """The known entries of a function's list, where the list has an effect."""
    if (policy := function.policy.policy) is None or policy.outbound_connectivity == "allow":
        return
    for text in policy.allow_outbound:
        if isinstance(text, str) and PLACEHOLDER not in text:
            yield read_entry(text)


def network_too_wide(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """A network of too many addresses."""
    for entry in entries(function):
        network = entry.network
        if network is None or network.prefixlen >= WIDEST[network.version] or _is_private(network):
            continue
        yield Problem(
            f"allow_outbound has {entry.entry}, a network of {network.num_addresses:,} public addresses",
            "list host names, or the networks of the one you mean "
            f"(at most /{WIDEST[network.version]} for IPv{network.version})",
            _AT,
        )


def _is_private(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether the whole network is private: 10.0.0.0/8, fc00::/7, but not 0.0.0.0/0."""
    return network.is_private and network.prefixlen > 0


def wildcard_too_wide(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """A wildcard under which anyone can have a name: a public suffix, or a parent of one."""
    for entry in entries(function):
        suffix = shared_suffix(entry.name) if entry.is_wildcard else ""
        if suffix:
            yield Problem(
                f"allow_outbound has {entry.entry}, under which anybody can have a name ({suffix})",
                "list the names of the one you mean, *.theirs." + entry.name,
                _AT,
            )


def name_without_dot(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """A name of one label, which is no host of the internet."""
    for entry in entries(function):
        if entry.name and "." not in entry.name and entry.name != "localhost":
            yield Problem(
                f"allow_outbound has {entry.entry}, a name without a dot",
                "write the whole name, as the code does: api.stripe.com; acknowledge a name of your own network",
                _AT,
            )


def shared_host(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """A host where any customer can receive data."""
    for entry in entries(function):
        if not entry.name or (entry.is_wildcard and shared_suffix(entry.name)):
            continue
        for host, why in admitted_shared_hosts(entry, function.policy.policy)[:1]:
            where = "" if host == entry.name else f" ({host})"
            yield Problem(
                f"allow_outbound has {entry.entry}{where}: {why}",
                "send through a host of your own where you can; otherwise acknowledge it with the reason",
                _AT,
            )


def admitted_shared_hosts(entry: Target, policy: ShieldPolicy | None) -> list[tuple[str, str]]:
    """The admitted hosts where anybody can receive data, with the reason, without those of `deny_outbound`."""
    return [
        (host, why)
        for host, why in shared_hosts(entry.name, entry.is_wildcard)
        if not policy or "*" in host or policy.decide("connect", f"{host}:443").reason != "deny_outbound"
    ]
