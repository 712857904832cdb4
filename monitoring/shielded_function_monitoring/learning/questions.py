"""One kind of violation, and the core's question about it: an event, its target, and the entry that admits it alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shielded_function_monitoring.frames import Chain
from shielded_function_runtime import core

from .evidence import NOT_SEEN, Evidence

FIELDS: Final = {
    "outbound_connectivity": "allow_outbound",
    "read_write_tmp": "allow_tmp",
    "create_child_process": "allow_child_process",
    "executable_memory": "allow_executable_memory",
}
"""The list that can admit a denied target; the other controls have none."""

UNSHIELDED: Final = "unshielded:"
_NOTHING: Final = "SHIELD_ALLOW_AWS=none\n"
_PLAIN: Final = re.compile(r"/tmp/[A-Za-z0-9_./-]+", re.ASCII)
"""A path that a list cannot read as anything else."""
_BY: Final = " by "


class Observation(NamedTuple):
    """One violation of a function's policy, with its evidence. A field that is not known is empty, or 0.

    `denied`: an entry of `deny_outbound` refused it, in every mode: no entry of an allow list would admit it.
    """

    policy: str
    mode: str
    host: str = ""
    ip: str = ""
    port: int = 0
    protocol: str = ""
    sni: str = ""
    path: str = ""
    allow: str = ""
    denied: bool = False
    evidence: Evidence = NOT_SEEN

    @property
    def target(self) -> tuple[Any, ...]:
        """Its subject, without the caller."""
        return self[:-1]

    @property
    def name(self) -> str:
        """The host's name: a server name that is not allowed stands beside the name that led to the address."""
        return self.sni or self.host

    def describe(self) -> str:
        """The target in a few words: `api.stripe.com:443`, `/tmp/x`."""
        target = self.name or self.path or self.ip
        if not target and self.policy == "executable_memory":
            return self.allow  # the library that asked
        if not target:
            return self.protocol
        return with_port(target, self.port) if self.port else target


def with_port(host: str, port: int) -> str:
    """`host:port`, or `[address]:port`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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


@lru_cache(maxsize=65536)
def entry_for(question: Question) -> str:
    """The entry that would admit it, as the core words it; empty when none would, or the target is malformed.

    It was tried: a policy with this entry alone admits the target. A text that a list would read as something else,
    with a space at its end or the end of a line in it, has no entry.
    """
    decision = decide(_NOTHING, question)
    if not decision or not (entry := decision.allow) or not entry.isprintable():
        return ""
    if question.event == "tmp" and entry == question.target and _PLAIN.fullmatch(entry):
        return entry
    return entry if admits(f"{_NOTHING}SHIELD_{FIELDS[decision.policy].upper()}={entry}\n", question) else ""


@lru_cache(maxsize=65536)
def entry_by(entry: str, packages: str) -> str:
    """The entry of a host with packages behind it, `requests>app or boto3`; as it is where it does not take them."""
    value = f"{entry}{_BY}{packages}"
    if "," in packages or not packages.isprintable():  # a forged line: it would be another entry
        return entry
    is_taken = decide(f"{_NOTHING}SHIELD_ALLOW_OUTBOUND={value}\n", Question("resolve", "example.com")) is not None
    return value if is_taken else entry


def is_by_others(seen: Observation) -> bool:
    """Whether the call is allowed, and came through other packages than its entry names."""
    return seen.policy == "outbound_connectivity" and _BY in seen.allow


def entry_of(seen: Observation, chain: Chain = ()) -> str:
    """The entry that would admit the attempt; empty when none would, as where `deny_outbound` refused it.

    A line has one itself (`allow`), which any writer of the log can forge: this one comes from the attempt. Its
    packages are the chain's, or the line's where that is not known.
    """
    question = question_of(seen)
    entry = entry_for(question) if question and not seen.denied else ""
    if not (entry and is_by_others(seen)):
        return entry
    return entry_by(entry, ">".join(chain) or seen.allow.partition(_BY)[2])
