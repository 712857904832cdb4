"""Names that no one customer owns: public suffixes, and hosts where any customer can receive data."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache

from publicsuffixlist import PSLFILE, PublicSuffixList


@cache
def shared_suffix(host: str) -> str:
    """Why anyone can have a name under a host; empty where this is unknown.

    By the public suffix list (https://publicsuffix.org), as of the installed `publicsuffixlist`, its private part too.

    >>> shared_suffix("github.io"), shared_suffix("amazonaws.com"), shared_suffix("example.com")
    ('a public suffix', 'public suffixes are under it', '')
    """
    if _suffixes().is_public(host):
        return "a public suffix"
    if host in _parents():
        return "public suffixes are under it"
    labels = host.split(".")
    for pattern, why in _entries("suffixes"):
        wanted = pattern.split(".")
        if len(wanted) == len(labels) and all(map(fnmatchcase, labels, wanted)):
            return why
    return ""


@cache
def shared_hosts(host: str, wildcard: bool) -> Sequence[tuple[str, str]]:
    """The hosts of the list that an entry admits, each with the reason why it is shared.

    Args:
        host: the entry's host, without `*.`.
        wildcard: whether it admits names below the host.
    """
    found: list[tuple[str, str]] = []
    for pattern, why in _entries("hosts"):
        if fnmatchcase(host, pattern) and not wildcard:
            found.append((host, why))
        elif wildcard and (pattern.endswith(f".{host}") or fnmatchcase(f"any.{host}", pattern)):
            found.append((pattern, why))
    return found


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


@cache
def _parents() -> frozenset[str]:
    """The parents of public suffixes that are no suffixes themselves."""
    parents: set[str] = set()
    with open(PSLFILE, encoding="utf-8") as lines:
        for line in lines:
            suffix = line.strip()
            if not suffix or suffix.startswith(("//", "!")):
                continue
            labels = (suffix if suffix.isascii() else suffix.encode("idna").decode()).split(".")
            parents.update(".".join(labels[start:]) for start in range(1, len(labels) - 1))
            if labels[0] == "*" and len(labels) == 2:
                parents.add(labels[1])
    return frozenset(parents)


@cache
def _entries(kind: str) -> Sequence[tuple[str, str]]:
    """The patterns of shared_hosts.json, each with the reason of its class."""
    file = importlib.resources.files("shielded_function.checks") / "shared_hosts.json"
    classes = json.loads(file.read_text(encoding="utf-8"))[kind]
    return [(pattern, each["why"]) for each in classes for pattern in each["patterns"]]
