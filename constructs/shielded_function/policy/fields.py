"""The fields of a policy as a table: the kind of each determines how its variable is written and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Mode = Literal["block", "alert", "allow"]
OnFailure = Literal["refuse", "run_unshielded"]
AwsScope = Literal["all", "none", "granted"]
Event = Literal["connect", "udp", "resolve", "tmp", "tmp-at-start", "exec", "exec-static", "memory"]

# In the order of `ShieldPolicy`, which is the core's.
Kind = Literal["mode", "list", "aws", "switch", "word"]
KINDS: Mapping[str, Kind] = {
    "outbound_connectivity": "mode",
    "allow_outbound": "list",
    "deny_outbound": "list",
    "allow_aws": "aws",
    "allow_buckets": "list",
    "check_tls_name": "switch",
    "read_write_tmp": "mode",
    "allow_tmp": "list",
    "clear_tmp": "switch",
    "create_child_process": "mode",
    "allow_child_process": "list",
    "read_handler": "mode",
    "executable_memory": "mode",
    "allow_executable_memory": "list",
    "block_foreign_functions": "switch",
    "kernel_limits": "switch",
    "on_failure": "word",
    "log_arguments": "switch",
}
MODES = tuple(field for field, kind in KINDS.items() if kind == "mode")
FIELDS = (*KINDS, "presets", "until")  # of ShieldPolicy: the last two have no variable
LISTS = tuple(field for field, kind in KINDS.items() if kind == "list")
ENTRIES = tuple(field for field, kind in KINDS.items() if kind in ("list", "aws"))  # fields with entries

# The strictest of their modes applies to an unset executable_memory, and to a program that the
# shield cannot be put into.
FOUR = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")

# Left out of the environment at this value, for which the core has no word.
UNSET: Mapping[str, object] = {"allow_aws": None, "executable_memory": None, "allow_buckets": (), "on_failure": None}
# Written only when they differ from the core's own defaults: an environment is limited to 4 KB.
DEFAULT_SETTINGS: Mapping[str, str] = {
    "SHIELD_ALLOW_OUTBOUND": "",
    "SHIELD_DENY_OUTBOUND": "",
    "SHIELD_ALLOW_AWS": "all",
    "SHIELD_CHECK_TLS_NAME": "on",
    "SHIELD_ALLOW_TMP": "",
    "SHIELD_CLEAR_TMP": "off",
    "SHIELD_ALLOW_CHILD_PROCESS": "",
    "SHIELD_ALLOW_EXECUTABLE_MEMORY": "",
    "SHIELD_BLOCK_FOREIGN_FUNCTIONS": "off",
    "SHIELD_KERNEL_LIMITS": "on",
    "SHIELD_LOG_ARGUMENTS": "off",
}
# Settings of the layer, of the function's place and of the engine, outside the policy.
NOT_POLICY = ("SHIELD_NODE_CALLERS", "SHIELD_NEXT_WRAPPER", "SHIELD_ACCOUNT_ID", "SHIELD_STATE")

# The value of `allow_aws` for all grants of the function's role.
GRANTED = "granted"


def effective_on_failure(fields: Mapping[str, Any]) -> OnFailure:
    """`on_failure`, and the core's choice where it is unset (native/core/setting_table.c)."""
    refuses = any(fields[field] for field in ("clear_tmp", "block_foreign_functions", "deny_outbound"))
    blocks = refuses or any(fields[field] == "block" for field in MODES)
    return fields["on_failure"] or ("refuse" if blocks else "run_unshielded")


def setting_of(field: str) -> str:
    """The variable that sets a field."""
    return f"SHIELD_{field.upper()}"


def field_of(setting: str) -> str:
    """The field that a variable sets; empty when it sets none."""
    name = setting.removeprefix("SHIELD_").lower()
    return name if name in KINDS else ""
