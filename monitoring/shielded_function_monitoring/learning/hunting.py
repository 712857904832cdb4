"""Finds the functions whose lines name a target of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .evidence import Evidence
from .observation import Observation
from .observed import FunctionKey, Observed
from .questions import Question, address_of

OUTBOUND = "outbound_connectivity"


@dataclass(frozen=True)
class Sighting:
    """The attempts of one function to reach one target of the list, in one mode.

    Attributes:
        key: the function.
        target: the connection `webhook.site:443`, or the name that was looked up.
        entry: of the list.
        mode: `block` (it failed) or `alert` (it went through).
        evidence: how often, when, and by which code.
    """

    key: FunctionKey
    target: str
    entry: str
    mode: str
    evidence: Evidence


def hunt(observed: Observed, find_entry: Callable[[Question], str]) -> list[Sighting]:
    """The sightings, the latest first.

    Args:
        observed: of all functions.
        find_entry: the entry of the list that a question is about; empty for none.
    """
    found: dict[tuple[FunctionKey, str, str, str], list[Evidence]] = {}
    for log in observed.functions.values():
        for seen in log.every:
            if seen.policy != OUTBOUND:
                continue
            entry = next(filter(None, map(find_entry, questions_of(seen))), "")
            if entry:
                found.setdefault((log.key, seen.describe(), entry, seen.mode), []).append(seen.evidence)
    sightings = [Sighting(*where, Evidence.of(every)) for where, every in found.items()]
    return sorted(sightings, key=lambda each: (each.evidence.last, each.evidence.count), reverse=True)


def questions_of(seen: Observation) -> Iterator[Question]:
    """Each name and address of a line: the server name of TLS, the name that led to the address, the address."""
    event = "udp" if seen.protocol == "udp" else "connect"
    for host in dict.fromkeys(filter(None, (seen.sni, seen.host, seen.ip))):
        is_address = address_of(host) is not None
        if not is_address:
            yield Question("resolve", host)
        if seen.port or is_address:
            yield Question(event, f"[{host}]:{seen.port}" if ":" in host else f"{host}:{seen.port}")
