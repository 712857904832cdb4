"""The third decision, "known at deployment": the known part denies, and an unknown entry might admit.

For every unknown entry, candidates that would admit the target are derived from the target. Candidates that match the
unknown entry are tried: the core decides with each of them in the list.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from shielded_function_runtime.core import Decision

from ..errors import ShieldPolicyError
from .fields import setting_of
from .parsing import parse, write_lines
from .unknown import describe, literals_of, pattern_of, shape_of

REASON = "known_at_deployment"
_PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "connect": ("", "tcp://"),
    "udp": ("", "udp://"),
    "resolve": ("", "tcp://", "udp://"),
}


@dataclass(frozen=True)
class Question:
    """A question to a policy.

    Attributes:
        event: an event of `ShieldPolicy.decide`.
        target: the target of the event.
        place: the settings of the function's place: its region, its account.
        known: the settings of the policy without its unknown part.
        unknown: (field, entry) of the unknown part.
    """

    event: str
    target: str
    place: Mapping[str, str]
    known: Mapping[str, str]
    unknown: tuple[tuple[str, object], ...]


def decide(question: Question) -> Decision:
    """A policy's decision about an event; "unknown" where an entry known only at deployment might admit it."""
    decision = _ask(question, question.known)
    if decision.allowed or decision.reason == "deny_outbound":  # no entry would admit it
        return decision
    for field, entry in question.unknown:
        if question.event in _EVENTS[field] and _might_admit(question, decision, field, entry):
            return replace(decision, action="unknown", reason=REASON, entry=describe(entry))
    return decision


def _ask(question: Question, settings: Mapping[str, str]) -> Decision:
    return parse(write_lines({**question.place, **settings})).decide(question.event, question.target)


def _might_admit(question: Question, decision: Decision, field: str, entry: object) -> bool:
    if field == "allow_aws":
        # Grants add services and buckets.
        without = {name: value for name, value in question.known.items() if name != setting_of("allow_buckets")}
        return _ask(question, {**without, setting_of(field): "all"}).allowed
    setting = setting_of(field)
    listed = question.known.get(setting, "")
    return any(
        _admits(question, {**question.known, setting: f"{listed},{candidate}" if listed else candidate})
        for candidate in _CANDIDATES[field](question, decision, entry)
    )


def _admits(question: Question, settings: Mapping[str, str]) -> bool:
    try:
        return _ask(question, settings).allowed
    except ShieldPolicyError:  # the candidate is malformed
        return False


def _outbound(question: Question, decision: Decision, entry: object) -> Iterator[str]:
    """The host or a domain above it, the address or a network around it; with the port or without, ..."""
    pattern = pattern_of("allow_outbound", entry)
    host, port = _split(decision.allow)  # canonical: host[:port], address[:port], [v6]:port
    # An entry of any port admits look-ups of its name.
    ports = ("", f":{port}") if port else ("", *_ports_of(entry))
    for place in (host, *_around(host)):
        for suffix in ports:
            yield from (
                f"{protocol}{whole}"
                for whole in _spellings(place, suffix)
                for protocol in _PROTOCOLS[question.event]
                if pattern.fullmatch(f"{protocol}{whole}")
            )


def _spellings(place: str, port: str) -> tuple[str, ...]:
    """IPv6 is in brackets before a port, and without one where the end could be read as a port."""
    if ":" not in place:
        return (f"{place}{port}",)
    if port:
        return (f"[{place}]{port}",)
    return (place,) if "/" in place else (f"[{place}]", place)


def _split(entry: str) -> tuple[str, str]:
    """The host and the port of an entry in canonical form."""
    found = re.fullmatch(r"\[(.*)\](?::(\d+))?|([^:]*):(\d+)", entry)
    return (found[1] or found[3], found[2] or found[4] or "") if found else (entry, "")


def _ports_of(entry: object) -> tuple[str, ...]:
    shape = shape_of("allow_outbound", entry)
    port = _split(re.sub("^(tcp|udp)://", "", shape.canonical))[1] if shape else ""
    return (f":{port}",) if port else ()


def _around(host: str) -> Iterator[str]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        yield from ("*." + ".".join(labels[at:]) for at in range(1, len(labels) - 1))
        return
    for prefix in range(address.max_prefixlen - 1, -1, -1):
        yield str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def _buckets(question: Question, decision: Decision, entry: object) -> Iterator[str]:
    """Every prefix of the host's name."""
    pattern = pattern_of("allow_buckets", entry)
    labels = _split(decision.allow)[0].split(".")
    names = (".".join(labels[:count]) for count in range(1, len(labels)))
    return filter(pattern.fullmatch, names)


def _programs(question: Question, decision: Decision, entry: object) -> Iterator[str]:
    pattern = pattern_of("allow_child_process", entry)
    if decision.allow:
        candidates = (decision.allow, f"unshielded:{question.target}")
        yield from filter(pattern.fullmatch, candidates)


def _objects(question: Question, decision: Decision, entry: object) -> Iterator[str]:
    yield from filter(pattern_of("allow_executable_memory", entry).fullmatch, (decision.allow,))


def _globs(question: Question, decision: Decision, entry: object) -> Iterator[str]:
    """The glob with two stars in place of each token, which covers every value."""
    first, *others = literals_of(entry)
    rest = "".join("**" + literal for literal in others)
    globs = (first + rest,) if first else ("/tmp" + rest.removeprefix("**"), "/tmp/" + rest)
    for glob in globs:
        yield re.sub(r"\*{3,}", "**", glob)


_CANDIDATES: Mapping[str, Callable[[Question, Decision, object], Iterator[str]]] = {
    "allow_outbound": _outbound,
    "allow_buckets": _buckets,
    "allow_tmp": _globs,
    "allow_child_process": _programs,
    "allow_executable_memory": _objects,
}
_EVENTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("allow_outbound", "allow_buckets", "allow_aws"), ("connect", "udp", "resolve")),
    "allow_tmp": ("tmp", "tmp-at-start"),
    "allow_child_process": ("exec", "exec-static"),
    "allow_executable_memory": ("memory",),
}
