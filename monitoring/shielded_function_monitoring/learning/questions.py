"""An observation as the core reads it: an event, its target, and the field that its entry would go to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from shielded_function_runtime import core

from .observation import Observation, with_port

FIELDS: Final = {
    "outbound_connectivity": "allow_outbound",
    "read_write_tmp": "allow_tmp",
    "create_child_process": "allow_child_process",
    "executable_memory": "allow_executable_memory",
}
"""The list that can admit a denied target; the other controls have none."""

UNSHIELDED: Final = "unshielded:"


class Question(NamedTuple):
    """As `Policy.decide` and `ShieldPolicy.decide` take it."""

    event: str
    target: str


@lru_cache(maxsize=1024)
def _parsed(lines: str) -> core.Policy | None:
    try:
        return core.parse(lines)
    except core.PolicyError:
        return None


def decide(lines: str, question: Question) -> core.Decision | None:
    """The decision of a policy, of `NAME=value` lines; None where the core takes no such lines, or no such target."""
    policy = _parsed(lines)
    try:
        return policy.decide(*question) if policy else None
    except core.TargetError:
        return None


def admits(lines: str, question: Question) -> bool:
    """Whether such a policy lets something through."""
    decision = decide(lines, question)
    return decision is not None and decision.allowed


def place_of(region: str, account: str) -> str:
    """The settings of a function's place, as lines for the core. A malformed region or account is left out."""
    lines = f"AWS_REGION={region}\n" if re.fullmatch(r"[a-z0-9-]{1,40}", region) else ""
    return lines + (f"SHIELD_ACCOUNT_ID={account}\n" if re.fullmatch(r"\d{12}", account, re.ASCII) else "")


def question_of(seen: Observation) -> Question | None:
    """The question to a policy about an observation; None where no entry could permit it."""
    event, target = "", ""
    if seen.policy == "read_write_tmp":
        event, target = "tmp", seen.path
    elif seen.policy == "create_child_process":
        event, target = "exec-static" if seen.allow.startswith(UNSHIELDED) else "exec", seen.path
    elif seen.policy == "executable_memory":
        event, target = "memory", seen.allow
    elif seen.policy == "outbound_connectivity" and (seen.protocol == "dns" or (seen.name and not seen.port)):
        event, target = "resolve", seen.name
    elif seen.policy == "outbound_connectivity" and seen.protocol in ("tcp", "udp", "tls"):  # no entry admits others
        host = seen.name or seen.ip
        event, target = _connecting(seen), with_port(host, seen.port) if host else ""
    return Question(event, target) if target else None


def questions_of(seen: Observation) -> Iterator[Question]:
    """Each name and address of a line: the server name of TLS, the name that led to the address, the address."""
    for host in dict.fromkeys(filter(None, (seen.sni, seen.host, seen.ip))):
        is_address = address_of(host) is not None
        if not is_address:
            yield Question("resolve", host)
        if seen.port or is_address:
            yield Question(_connecting(seen), with_port(host, seen.port))


def _connecting(seen: Observation) -> str:
    return "udp" if seen.protocol == "udp" else "connect"


@lru_cache(4096)
def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as one, IPv4 in IPv6 as IPv4; None where it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
