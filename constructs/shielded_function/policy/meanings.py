"""The meaning of a policy's values and entries: the one table of sentences, by field and value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .core_parsing import read_outbound
from .fields import effective_on_failure
from .presets import PRESETS
from .texts import BY

LISTED = "*"
"""The key for every other value, such as a list with entries."""

MEANINGS: Mapping[str, Mapping[str | None, str]] = {
    "outbound_connectivity": {
        "block": "only listed hosts and AWS may be resolved and reached; all else is refused and reported",
        "alert": "every host may be reached; those that are not listed are reported",
        "allow": "every host may be reached",
    },
    "allow_outbound": {
        "": "no host is listed",
        LISTED: "these hosts, addresses and networks may be reached",
    },
    "deny_outbound": {
        "": "no host is refused in every mode",
        LISTED: "these hosts, addresses and networks are refused and reported in every mode, whatever else admits them",
    },
    "allow_aws": {
        None: "the endpoints of every AWS service in the function's region may be reached; in a CDK app, the grants of "
        "the role",
        "all": "the endpoints of every AWS service in the function's region may be reached",
        "none": "no AWS endpoint may be reached unless it is listed as a host",
        LISTED: "the endpoints of these AWS services in the function's region may be reached",
    },
    "allow_buckets": {
        "": "S3 is not narrowed to buckets",
        LISTED: "of S3, these buckets may be reached, by their own host names, and nothing else",
    },
    "check_tls_name": {
        "on": "a TLS connection to an address that was allowed by name must name an allowed server",
        "off": "the server that a TLS connection names is not checked",
    },
    "read_write_tmp": {
        "block": "only listed paths under /tmp may be used; all else is refused and reported",
        "alert": "every path under /tmp may be used; those that are not listed are reported",
        "allow": "every path under /tmp may be used",
    },
    "allow_tmp": {"": "no path is listed", LISTED: "these paths under /tmp may be used"},
    "clear_tmp": {
        "on": "files created under /tmp during an invocation are deleted before the next one, except those in "
        "allow_tmp",
        "off": "files under /tmp stay",
    },
    "create_child_process": {
        "block": "only listed programs may be started; all else is refused and reported",
        "alert": "every program may be started; those that are not listed are reported",
        "allow": "every program may be started, if the shield can be put into it",
    },
    "allow_child_process": {"": "no program is listed", LISTED: "these programs may be started"},
    "read_handler": {
        "block": "the handler's source may not be read once the function is ready",
        "alert": "the handler's source may be read; that is reported once the function is ready",
        "allow": "the handler's source may be read",
    },
    "executable_memory": {
        None: "memory may be made executable only by a runtime that compiles as it runs",
        "block": "memory may not be made executable",
        "alert": "memory may be made executable; that is reported",
        "allow": "memory may be made executable",
    },
    "allow_executable_memory": {"": "no library is listed", LISTED: "these libraries may make memory executable"},
    "block_foreign_functions": {
        "on": "ctypes, cffi, JNA and other foreign-function bridges may not be loaded, unless allow_executable_memory "
        "lists them",
        "off": "ctypes, cffi and JNA may be loaded",
    },
    "kernel_limits": {
        "on": "where the lists are empty, the kernel holds blocked files and programs against native code too",
        "off": "no limit of the kernel stands behind the shield",
    },
    "on_failure": {
        "refuse": "the function does not start when the shield cannot be armed",
        "run_unshielded": "the function starts without a shield, and reports it, when the shield cannot be armed",
    },
    "log_arguments": {
        "on": "alerts show the arguments of programs",
        "off": "alerts leave the arguments of programs out",
    },
    "presets": {"": "no library's needs were added", LISTED: "the needs of these libraries are in the fields above"},
    "until": {
        None: "alert mode has no end",
        LISTED: "alert mode is to end by {}; nothing changes by itself",
    },
}
_IN_FORCE: Mapping[str, str] = {"allow_aws": "all", "executable_memory": "by_runtime"}  # where the field is unset


def explain_value(field: str, value: Any, fields: Mapping[str, Any]) -> tuple[str, str]:
    """A field's value as the core writes it, and its meaning.

    Args:
        value: the field's, or the text of its entries.
        fields: all fields of the policy.
    """
    if field == "on_failure":
        value = effective_on_failure(fields)
    key = {True: "on", False: "off", (): ""}.get(value, value)
    shown = _IN_FORCE.get(field, "") if key is None else str(key)
    sentences = MEANINGS[field]
    return shown, (sentences[key] if key in sentences else sentences[LISTED]).format(shown)


def meaning_of_entry(field: str, entry: str) -> str:
    """The meaning of one entry in canonical form."""
    if field in ("allow_outbound", "deny_outbound"):
        return _meaning_of_host(entry)
    if field == "allow_tmp":
        deep = entry.endswith("/**")
        return "this directory and all that lies below it" if deep else "the paths that this pattern matches"
    if field == "allow_child_process":
        unshielded = entry.startswith("unshielded:")
        return f"this program, {'with or without the shield' if unshielded else 'with the same shield'} in it"
    if field == "presets":
        return PRESETS[entry].meaning
    if field == "allow_executable_memory":
        return f"memory that {entry} itself asks for"
    return f"{'the endpoints of' if field == 'allow_aws' else 'the bucket'} {entry}"


def _meaning_of_host(entry: str) -> str:
    protocol, host, port = read_outbound(entry)
    is_address = ":" in host or host.replace(".", "").isdigit()
    kind = "the network" if "/" in host else "the address" if is_address else "the host"
    target = f"every host below {host.removeprefix('*.')}" if host.startswith("*.") else f"{kind} {host}"
    ports = " ".join(word for word in ("" if port else "any", protocol.upper(), "port", port) if word)
    packages = entry.partition(BY)[2]
    return f"{target}, {ports}" + (f"; reported where the call did not come through {packages}" if packages else "")
