"""The third decision, "known at deployment": the known part denies, and an unknown entry might admit.

For every unknown entry, candidates that would admit the target are derived from the target. Candidates that match the
unknown entry are tried: the core decides with each of them in the list.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from shielded_function_runtime.core import Decision

from ..errors import ShieldPolicyError
from .core_parsing import parse, read_outbound, write_lines
from .fields import setting_of
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
    pattern = pattern_of(field, entry)
    return any(
        _admits(question, {**question.known, setting: f"{listed},{candidate}" if listed else candidate})
        for candidate in _CANDIDATES[field](question, decision, entry)
        if field == "allow_tmp" or pattern.fullmatch(candidate)
    )


def _admits(question: Question, settings: Mapping[str, str]) -> bool:
    try:
        return _ask(question, settings).allowed
    except ShieldPolicyError:  # the candidate is malformed
        return False


def _outbound(question: Question, decision: Decision, entry: object) -> Iterator[str]:
    """The host or a domain above it, the address or a network around it; with the port or without, ..."""
    _, host, port = read_outbound(decision.allow)
    # An entry of any port admits look-ups of its name.
    shape = None if port else shape_of("allow_outbound", entry)
    port = port or (read_outbound(shape.canonical).port if shape else "")
    for place in (host, *_around(host)):
        for suffix in ("", f":{port}") if port else ("",):
            for whole in _spellings(place, suffix):
                yield from (f"{protocol}{whole}" for protocol in _PROTOCOLS[question.event])


def _spellings(place: str, port: str) -> tuple[str, ...]:
    """IPv6 is in brackets before a port, and without one where the end could be read as a port."""
    if ":" not in place:
        return (f"{place}{port}",)
    if port:
        return (f"[{place}]{port}",)
    return (place,) if "/" in place else (f"[{place}]", place)


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
    labels = read_outbound(decision.allow).host.split(".")
    return (".".join(labels[:count]) for count in range(1, len(labels)))


def _programs(question: Question, decision: Decision, entry: object) -> Iterable[str]:
    return (decision.allow, f"unshielded:{question.target}") if decision.allow else ()


def _objects(question: Question, decision: Decision, entry: object) -> Iterable[str]:
    return (decision.allow,)


def _globs(question: Question, decision: Decision, entry: object) -> Iterator[str]:
    """The glob with two stars in place of each token, which covers every value."""
    first, *others = literals_of(entry)
    rest = "".join("**" + literal for literal in others)
    globs = (first + rest,) if first else ("/tmp" + rest.removeprefix("**"), "/tmp/" + rest)
    for glob in globs:
        yield re.sub(r"\*{3,}", "**", glob)


_CANDIDATES: Mapping[str, Callable[[Question, Decision, object], Iterable[str]]] = {
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
