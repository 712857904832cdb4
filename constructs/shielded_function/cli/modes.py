"""The controls that have a mode, by the variable that sets it, for `run --alert` and `set-mode`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shielded_function.names import POLICY_FILE_VARIABLE
from shielded_function.policy.fields import setting_of

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


def in_alert_mode(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with "alert" in place of "block". "allow" stays.

    A mode without a variable is the default. With a policy file the mode may be in that file, so it stays.
    """
    changed = dict(environment)
    for policy, default in POLICIES.items():
        name = setting_of(policy)
        if environment.get(name, "" if POLICY_FILE_VARIABLE in environment else default) == "block":
            changed[name] = "alert"
    return changed
