"""The controls that have a mode, by the variable that sets it, for `run --alert` and `set-mode`."""

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
"""The control's name, as in ShieldPolicy and the alert lines, with its mode where the variable is not set; empty: the
runtime decides."""

FILE_VARIABLE: Final = "SHIELD_POLICY_FILE"


def variable(policy: str) -> str:
    """The environment variable that sets a control's mode."""
    return f"SHIELD_{policy.upper()}"


def in_alert_mode(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with "alert" in place of "block". "allow" stays.

    A mode without a variable is the default. With a policy file the mode may be in that file, so it stays.
    """
    changed = dict(environment)
    for policy, default in POLICIES.items():
        name = variable(policy)
        if environment.get(name, "" if FILE_VARIABLE in environment else default) == "block":
            changed[name] = "alert"
    return changed
