"""An observation as the core reads it: an event, its target, and the field that its entry would go to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from .observation import Observation

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


def place_of(region: str, account: str) -> str:
    """The settings of a function's place, as lines for the core. A malformed region or account is left out."""
    lines = f"AWS_REGION={region}\n" if re.fullmatch(r"[a-z0-9-]{1,40}", region) else ""
    return lines + (f"SHIELD_ACCOUNT_ID={account}\n" if re.fullmatch(r"\d{12}", account, re.ASCII) else "")


def question_of(seen: Observation) -> Question | None:
    """The question to a policy about an observation; None where no entry could permit it."""
    if seen.policy == "read_write_tmp":
        return Question("tmp", seen.path) if seen.path else None
    if seen.policy == "create_child_process":
        if not seen.path:
            return None
        static = seen.allow.startswith(UNSHIELDED)
        return Question("exec-static" if static else "exec", seen.path)
    if seen.policy == "executable_memory":
        return Question("memory", seen.allow) if seen.allow else None
    if seen.policy == "outbound_connectivity":
        return _outbound(seen)
    return None


def _outbound(seen: Observation) -> Question | None:
    # A server name that is not allowed is reported with the name that led to the address beside it.
    name = seen.sni or seen.host
    if seen.protocol == "dns" or (name and not seen.port):
        return Question("resolve", name) if name else None
    if seen.protocol not in ("tcp", "udp", "tls"):
        return None  # a kind of socket that no entry admits
    host = name or seen.ip
    if not host:
        return None
    event = "udp" if seen.protocol == "udp" else "connect"
    return Question(event, f"[{host}]:{seen.port}" if ":" in host else f"{host}:{seen.port}")


@lru_cache(4096)
def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as one, IPv4 in IPv6 as IPv4; None where it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def questions_of(seen: Observation) -> Iterator[Question]:
    """Each name and address of a line: the server name of TLS, the name that led to the address, the address."""
    event = "udp" if seen.protocol == "udp" else "connect"
    for host in dict.fromkeys(filter(None, (seen.sni, seen.host, seen.ip))):
        is_address = address_of(host) is not None
        if not is_address:
            yield Question("resolve", host)
        if seen.port or is_address:
            yield Question(event, f"[{host}]:{seen.port}" if ":" in host else f"{host}:{seen.port}")
