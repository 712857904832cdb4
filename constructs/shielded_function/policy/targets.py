"""Parses an entry of `allow_outbound`: a name or a network, its protocols, its port. Pure.

An entry may contain tokens of the CDK, which are texts such as `${Token[TOKEN.12]}`; `Classify` tells the kind of a
token.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from ..errors import ShieldError
from ..tokens import TEXT_TOKEN
from .texts import without_packages

Protocol = Literal["tcp", "udp"]
Kind = Literal["name", "names", "ipv4", "ipv6"]
"""A host name, several names between commas, an IPv4 network or address, and an IPv6 one."""


class Meaning(NamedTuple):
    """A host with tokens at deployment.

    Attributes:
        kind: its kind.
        prefix: the network's prefix, which an address needs.
        divider: the text between several names.
    """

    kind: Kind
    prefix: str = ""
    divider: str = ""


Classify = Callable[[str], Meaning]
"""The host of an entry with tokens at deployment. Raises EntryError where it is unknown."""

_HELD: Final = re.compile("\0(\\d+)\0")
BOTH: Final[tuple[Protocol, ...]] = ("tcp", "udp")
_PREFIXES: Final[Mapping[str, tuple[Protocol, ...]]] = {"tcp://": ("tcp",), "udp://": ("udp",)}


class EntryError(ShieldError):
    """An entry that no network rule can express; the message gives the reason and an alternative."""


@dataclass(frozen=True)
class Target:
    """The target of an entry.

    Attributes:
        entry: the entry.
        kind: a name, names, or a network.
        host: the name, in lower case and with its `*.`; or the network, with its prefix.
        port: a number, a token for one, or None for any.
        protocols: tcp, udp or both.
        divider: the text between several names, known at deployment.
    """

    entry: str
    kind: Kind
    host: str
    port: int | str | None = None
    protocols: tuple[Protocol, ...] = BOTH
    divider: str = ""

    @property
    def is_network(self) -> bool:
        """Whether it is an address or a network."""
        return self.kind in ("ipv4", "ipv6")

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
        """The address or network; None for a name."""
        return ipaddress.ip_network(self.host) if self.is_network else None

    @property
    def is_wildcard(self) -> bool:
        """Whether it admits names below the name."""
        return self.host.startswith("*.")

    @property
    def name(self) -> str:
        """The name, without `*.`; empty for an address."""
        return "" if self.is_network else self.host.removeprefix("*.")


def read_entry(entry: str, classify: Classify = lambda _: Meaning("name")) -> Target:
    """Parses one entry in a policy's canonical form (`[tcp://]host[:port]`, `[v6/prefix]:port`, `v6/prefix`).

    Raises:
        EntryError: it cannot be expressed.
    """
    tokens = TEXT_TOKEN.findall(entry)
    held = iter(range(len(tokens)))
    text = TEXT_TOKEN.sub(lambda _: f"\0{next(held)}\0", without_packages(entry))
    protocols = next((ways for prefix, ways in _PREFIXES.items() if text.startswith(prefix)), BOTH)
    host, port = _split(text.partition("://")[2] or text)

    def whole(part: str) -> str:
        return _HELD.sub(lambda found: tokens[int(found[1])], part)

    number = None if port is None else int(port) if port.isdigit() else whole(port)
    if _HELD.search(host):
        kind, prefix, divider = classify(whole(host))
        return Target(entry, kind, whole(host) + prefix, number, protocols, divider)
    try:
        network = ipaddress.ip_network(host, strict=False)
    except ValueError:
        return Target(entry, "name", host.lower(), number, protocols)
    return Target(entry, "ipv4" if network.version == 4 else "ipv6", str(network), number, protocols)


def _split(text: str) -> tuple[str, str | None]:
    """Host and port. A prefix may be inside or after the brackets of IPv6."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](/\d+)?(?::(.+))?", text, re.DOTALL)
    if bracketed:
        return bracketed[1] + (bracketed[2] or ""), bracketed[3]
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None
