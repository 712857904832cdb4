"""The lists of hosts that `deny_outbound` accepts by name: `preset:exfiltration`, `preset:chat-webhooks`.

They are expanded when a policy is created: a function's variables contain the hosts. A host that an upgrade of this
package adds reaches a function with its next deployment. The data is in denied_hosts.json, each entry with its source.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from ..errors import ShieldPolicyError

PREFIX: Final = "preset:"
DATA: Final = importlib.resources.files("shielded_function.policy") / "denied_hosts.json"


@cache
def denied_presets() -> Mapping[str, Sequence[str]]:
    """The entries of each list, by `preset:NAME`."""
    lists = json.loads(DATA.read_text(encoding="utf-8"))["lists"]
    return {PREFIX + name: [entry for row in rows for entry in row["entries"]] for name, rows in lists.items()}


def entries_of(preset: str) -> Sequence[str]:
    """The entries of `preset:NAME`.

    Raises:
        ShieldPolicyError: there is no such list.
    """
    name = PREFIX + preset.strip().lower().removeprefix(PREFIX).strip()
    if name not in denied_presets():
        raise ShieldPolicyError("deny_outbound", f"there is no {preset!r}; use {', '.join(denied_presets())}")
    return denied_presets()[name]


def is_preset(entry: object) -> bool:
    """Whether an entry names a list."""
    return isinstance(entry, str) and entry.strip().lower().startswith(PREFIX)


def fold_denied(entries: Sequence[Any]) -> list[Any]:
    """The entries, with a list's name in place of its entries where all of them are present."""
    left, names = list(entries), list[str]()
    for name, own in denied_presets().items():
        if all(each in left for each in own):
            names.append(name)
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
    entries = [each for entry in listed for each in (entries_of(entry) if is_preset(entry) else [entry])]
    return {**fields, "deny_outbound": tuple(entries)}
