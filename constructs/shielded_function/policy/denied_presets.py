"""The lists of hosts that `deny_outbound` accepts by name: `preset:exfiltration`, `preset:chat-webhooks`.

They are expanded when a policy is created: a function's variables contain the hosts. A host that an upgrade of this
package adds reaches a function with its next deployment. The data is in denied_hosts.json, each entry with its source.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, NamedTuple

from ..errors import ShieldPolicyError

PREFIX: Final = "preset:"


class DeniedHost(NamedTuple):
    """An entry of a list.

    Attributes:
        entry: an entry of `deny_outbound`.
        kind: the kind of service, such as "request bins".
        about: its use of data.
        source: the source: a URL.
        date: when the row was written, `YYYY-MM-DD`.
    """

    entry: str
    kind: str
    about: str
    source: str
    date: str


@cache
def denied_presets() -> Mapping[str, Sequence[DeniedHost]]:
    """Each list by its name, without the prefix."""
    file = importlib.resources.files("shielded_function.policy") / "denied_hosts.json"
    lists: dict[str, list[dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))["lists"]
    return {
        name: [
            DeniedHost(entry, row["class"], row["about"], row["source"], row["date"])
            for row in rows
            for entry in row["entries"]
        ]
        for name, rows in lists.items()
    }


def entries_of(preset: str) -> list[str]:
    """The entries of `preset:NAME`.

    Raises:
        ShieldPolicyError: there is no such list.
    """
    name = preset.strip().lower().removeprefix(PREFIX).strip()
    if name not in denied_presets():
        near = get_close_matches(name, denied_presets())
        meant = f"did you mean {PREFIX}{near[0]}? " if near else ""
        known = ", ".join(f"{PREFIX}{each}" for each in denied_presets())
        raise ShieldPolicyError("deny_outbound", f"there is no {preset!r}; {meant}there are {known}")
    return [each.entry for each in denied_presets()[name]]


def is_preset(entry: object) -> bool:
    """Whether an entry names a list."""
    return isinstance(entry, str) and entry.strip().lower().startswith(PREFIX)


def fold_denied(entries: Sequence[Any]) -> list[Any]:
    """The entries, with a list's name in place of its entries where all of them are present."""
    left, names = list(entries), list[str]()
    for name, rows in denied_presets().items():
        own = [row.entry for row in rows]
        if all(each in left for each in own):
            names.append(f"{PREFIX}{name}")
            left = [each for each in left if each not in own]
    return [*names, *left]


def expand_denied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a policy with the lists that `deny_outbound` names replaced by their entries.

    Raises:
        ShieldPolicyError: there is no such list.
    """
    listed = fields["deny_outbound"]
    if not isinstance(listed, (list, tuple)):  # an error when the field is read
        return dict(fields)
    entries: list[object] = []
    for entry in listed:
        entries += entries_of(entry) if is_preset(entry) else [entry]
    return {**fields, "deny_outbound": tuple(entries)}
