"""The controls that have a mode, by the variable that sets it: what `run --alert` and `set-mode` change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MODES: Final = ("block", "alert", "allow")

POLICIES: Final[Mapping[str, str]] = {
    "outbound_connectivity": "block",
    "read_write_tmp": "block",
    "create_child_process": "block",
    "read_handler": "allow",
    "executable_memory": "",
}
"""A control's name, as the fields of ShieldPolicy and the alert lines have it, and the mode that it has where its
variable is not set; empty: the runtime decides."""

FILE_VARIABLE: Final = "SHIELD_POLICY_FILE"


def variable(policy: str) -> str:
    """The environment variable that sets a control's mode."""
    return f"SHIELD_{policy.upper()}"


def in_alert_mode(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables, changed so that what they would block is only reported. What they allow stays allowed.

    A mode that is in no variable is the default; where there is a policy file, it may be in that, and stays.
    """
    changed = dict(environment)
    for policy, default in POLICIES.items():
        name = variable(policy)
        if environment.get(name, "" if FILE_VARIABLE in environment else default) == "block":
            changed[name] = "alert"
    return changed
