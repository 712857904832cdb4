"""Finds entries and modes in which one policy is looser than another, for the review of a change."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .core_parsing import parse, read_outbound
from .dates import outlasts
from .fields import FOUR, KINDS, MODES, effective_on_failure
from .texts import without_packages
from .unknown import describe, is_unknown

_RANKS = {"block": 0, "alert": 1, "allow": 2}
_MODES_OF_LISTS = {
    "allow_outbound": "outbound_connectivity",
    "allow_aws": "outbound_connectivity",
    "allow_buckets": "outbound_connectivity",
    "allow_tmp": "read_write_tmp",
    "allow_child_process": "create_child_process",
    "allow_executable_memory": "executable_memory",
}


@dataclass(frozen=True)
class Loosening:
    """A field or entry in which a policy is looser than another.

    Attributes:
        field: the field of `ShieldPolicy`.
        entry: the entry that admits more; empty when the field has none.
        before: the value of the field in the stricter policy, in words.
        after: its value in the looser one.
    """

    field: str
    entry: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.field == "deny_outbound":
            return f"{self.field}: {self.entry} was refused in every mode"
        if self.entry and not self.before:
            return f"{self.field}: {self.entry} was not admitted"
        subject = f"{self.entry} stays {self.after}" if self.entry else self.after
        return f"{self.field}: {subject}, was {self.before}"


def find_loosenings(now: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[Loosening, ...]:
    """The fields in which the canonical `now` is looser than `before`."""
    found: list[Loosening] = []
    for field, kind in KINDS.items():
        if kind in ("list", "aws"):
            found += (
                each
                for each in _LISTS[field](now, before)
                if not (_is_moot(field, each.entry, now) or _is_moot(field, each.entry, before))
            )
        elif _is_looser(field, now, before):
            found.append(Loosening(field, "", _word(field, before), _word(field, now)))
    alerting = any(now[field] == "alert" for field in MODES)
    if alerting and outlasts(now["until"], before["until"]):
        found.append(Loosening("until", "", before["until"], now["until"] or "no day"))
    return tuple(found)


def _is_moot(field: str, entry: str, fields: Mapping[str, Any]) -> bool:
    """Whether an entry of the list has no effect, as the mode allows everything.

    The strictest of the four modes applies to a program that cannot load the shield; clear_tmp denies it.
    clear_tmp keeps the entries of allow_tmp in every mode, and block_foreign_functions admits those of
    allow_executable_memory.
    """
    if field == "deny_outbound":
        return False
    if field == "allow_executable_memory" and fields["block_foreign_functions"]:
        return False
    if fields["clear_tmp"] and (field == "allow_tmp" or entry.startswith("unshielded:")):
        return False
    modes = FOUR if entry.startswith("unshielded:") else (_MODES_OF_LISTS[field],)
    return all(fields[mode] == "allow" for mode in modes)


def _word(field: str, fields: Mapping[str, Any]) -> str:
    value: object = effective_on_failure(fields) if field == "on_failure" else fields[field]
    if isinstance(value, bool):
        return "on" if value else "off"
    return "left to the runtime" if value is None else str(value)


def _is_looser(field: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    new, old = now[field], before[field]
    if field == "executable_memory":
        return _is_memory_looser(new, old, before)
    if field in ("check_tls_name", "clear_tmp", "block_foreign_functions", "kernel_limits"):
        return old and not new
    if field == "on_failure":
        # Where neither is set, the modes decide.
        unset = new is None and old is None
        return not unset and (effective_on_failure(now), effective_on_failure(before)) == ("run_unshielded", "refuse")
    if field == "log_arguments":  # neither is stricter: one hides secrets, the other shows the attempt
        return new != old
    return _RANKS[new] > _RANKS[old]


def _is_memory_looser(new: str | None, old: str | None, before: Mapping[str, Any]) -> bool:
    """None is allow for a runtime with a JIT compiler, otherwise the strictest of the four controls."""
    if new is None:
        return old in ("block", "alert")
    strictest = min(_RANKS[before[mode]] for mode in FOUR)
    return _RANKS[new] > (strictest if old is None else _RANKS[old])


def _entry(field: str, entry: object) -> Loosening:
    return Loosening(field, describe(entry), "", describe(entry))


Covers = Callable[[str, Sequence[str]], bool]
Compare = Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[Loosening]]


def _compare_entries(field: str, covers: Covers) -> Compare:
    """Compares each entry with all of the other policy's; unknown entries as text."""

    def compare(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[Loosening]:
        unknown = {without_packages(describe(entry)) for entry in before[field] if is_unknown(field, entry)}
        known = [entry for entry in before[field] if not is_unknown(field, entry)]
        return [
            _entry(field, entry)
            for entry in now[field]
            if not (without_packages(describe(entry)) in unknown if is_unknown(field, entry) else covers(entry, known))
        ]

    return compare


# Hosts


def _network(host: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(host)
    except ValueError:
        return None


def _covers_host(wide: str, narrow: str) -> bool:
    around, inside = _network(wide), _network(narrow)
    if around is not None or inside is not None:
        return (
            around is not None and inside is not None and around.version == inside.version and inside.subnet_of(around)  # pyright: ignore[reportArgumentType]
        )
    return wide == narrow or (wide.startswith("*.") and narrow.endswith(wide[1:]))


def _covers_outbound(entry: str, known: Sequence[str]) -> bool:
    narrow = read_outbound(entry)
    return any(
        (wide := read_outbound(listed)).protocol in ("", narrow.protocol)
        and wide.port in ("", narrow.port)
        and _covers_host(wide.host, narrow.host)
        for listed in known
    )


# Paths


def _covers_path(entry: str, known: Sequence[str]) -> bool:
    if entry in known:
        return True
    below = [glob.removesuffix("/**") for glob in known if glob.endswith("/**")]
    if any(not re.search("[*?]", folder) and entry.startswith(folder + "/") for folder in below):
        return True
    if re.search("[*?]", entry) or not known:
        return False
    return parse(f"SHIELD_ALLOW_TMP={','.join(known)}\n").decide("tmp", entry).allowed


def _is_listed(entry: str, known: Sequence[str]) -> bool:
    return entry in known


def _covers_program(entry: str, known: Sequence[str]) -> bool:
    return entry in known or f"unshielded:{entry}" in known


# AWS. Listed buckets decide about S3, regardless of allow_aws.


def _services(fields: Mapping[str, Any]) -> tuple[str, ...]:
    value = fields["allow_aws"] or "all"  # unset: it may become "all"
    return (value,) if isinstance(value, str) else value


def _any_bucket(fields: Mapping[str, Any]) -> bool:
    return not fields["allow_buckets"] and bool({"all", "s3"} & set(_services(fields)))


def _compare_aws(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[Loosening]:
    old = _services(before)
    if before["allow_aws"] is None and "all" in (now["allow_aws"] or ()):
        return [_entry("allow_aws", "all")]  # in an app, unset means the role's grants
    if "all" in old:
        return []
    moot = {"none", *(["s3"] if now["allow_buckets"] or _any_bucket(before) else [])}
    return [_entry("allow_aws", service) for service in _services(now) if service not in moot and service not in old]


def _compare_buckets(now: Mapping[str, Any], before: Mapping[str, Any]) -> Sequence[Loosening]:
    if _any_bucket(before):
        return []
    if _any_bucket(now) and before["allow_buckets"]:
        listed = ",".join(map(describe, before["allow_buckets"]))
        return [Loosening("allow_buckets", "", listed, "any bucket")]
    return _compare_entries("allow_buckets", _is_listed)(now, before)


_LISTS: Mapping[str, Compare] = {
    "allow_outbound": _compare_entries("allow_outbound", _covers_outbound),
    # Entries that are no longer refused in every mode.
    "deny_outbound": lambda now, before: _compare_entries("deny_outbound", _covers_outbound)(before, now),
    "allow_aws": _compare_aws,
    "allow_buckets": _compare_buckets,
    "allow_tmp": _compare_entries("allow_tmp", _covers_path),
    "allow_child_process": _compare_entries("allow_child_process", _covers_program),
    "allow_executable_memory": _compare_entries("allow_executable_memory", _is_listed),
}
