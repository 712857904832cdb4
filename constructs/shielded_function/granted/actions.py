"""Maps an action to the services with this operation, by a table from botocore's models (`actions.json`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

__all__ = ["Action", "covers", "endpoint_of", "known_prefixes", "parse_action", "services_of"]

_TABLE: Final = Path(__file__).with_name("actions.json")

# Actions with other names than the operation that they permit, where the operation determines the service; from the
# Service Authorization Reference.
_PERMITS: Final[Mapping[str, Mapping[str, str]]] = {
    "s3": {
        "getaccountpublicaccessblock": "s3control",
        "putaccountpublicaccessblock": "s3control",
    },
}


@dataclass(frozen=True)
class Action:
    """An action of a statement, in lower case, as IAM ignores case.

    Attributes:
        prefix: `s3`; "*" for every service's.
        name: `getobject`, maybe with `*` and `?`.
        text: as in the statement.
    """

    prefix: str
    name: str
    text: str

    @property
    def everything(self) -> bool:
        """Whether it covers every service. IAM's only wildcard for a prefix is "*" alone."""
        return any(c in self.prefix for c in "*?")


@lru_cache(maxsize=4096)
def parse_action(text: str) -> Action | None:
    """An action's parts; None for an invalid one (https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_elements_action.html)."""
    if text.strip() == "*":
        return Action("*", "*", text)
    prefix, colon, name = text.strip().lower().partition(":")
    return Action(prefix, name, text) if colon and prefix and name else None


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    pieces = {"*": ".*", "?": "."}
    return re.compile("".join(pieces.get(c, re.escape(c)) for c in pattern), re.DOTALL)


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern of IAM's (`*`, `?`) covers a text; both in lower case."""
    return _pattern(pattern).fullmatch(name) is not None


def known_prefixes() -> frozenset[str]:
    """The prefixes with services."""
    return frozenset(_table()[0])


@lru_cache(maxsize=4096)
def services_of(prefix: str, name: str) -> tuple[str, ...]:
    """The services whose operation an action, or a pattern of actions, is; empty for an unknown prefix.

    Where a prefix has several services and none has the operation, the service of that name is returned, or all: some
    actions have other names than their operations.
    """
    services, operations, _ = _table()
    candidates = services.get(prefix, ())
    if len(candidates) < 2:
        return candidates
    permits = _PERMITS.get(prefix, {})
    fit = {s for s in candidates if any(covers(name, operation) for operation in operations[s])}
    fit |= {service for action, service in permits.items() if covers(name, action)}
    if prefix == "s3" and any(c in name for c in "*?"):
        fit.add("s3")  # most of its actions have other names than its operations
    if fit:
        return tuple(s for s in candidates if s in fit)
    return (prefix,) if prefix in candidates else candidates


def endpoint_of(service: str, region: str) -> str:
    """The usual regional host name of a service in the partition aws, for another region."""
    label = _table()[2].get(service, service)
    return f"{label}.{region}.amazonaws.com"


@cache
def _table() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]], dict[str, str]]:
    table = json.loads(_TABLE.read_text(encoding="ascii"))
    services = {prefix: tuple(names.split()) for prefix, names in table["services"].items()}
    operations = {service: tuple(names.lower().split()) for service, names in table["operations"].items()}
    return services, operations, table["hosts"]
