"""The lines that a shielded function writes: their schema, and reading them.

Two kinds, told apart by their keys: an *alert* has a `policy` (something was denied, or would have been), an
*event* has an `event` (the shield armed, refused to start, let the function run without it, or
left out alerts of a storm, counted queries for names that look like data, had its policy tightened by code).

    >>> line = ('{"function_shield":true,"timestamp":"2026-11-24T13:37:00.123456Z","level":"WARN",'
    ...         '"policy":"read_write_tmp","mode":"block","details":{"path":"/tmp/x"},"pid":17}')
    >>> alert = parse_line(line)
    >>> alert.policy, alert.details
    ('read_write_tmp', {'path': '/tmp/x'})
    >>> parse_line("START RequestId: 1") is None
    True
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, Literal, TypedDict, TypeVar, cast, get_args

Policy = Literal[
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "read_handler",
    "executable_memory",
    "self_protection",
]
Mode = Literal["block", "alert"]
EventName = Literal["armed", "refused", "unshielded", "folded", "unusual_names", "tightened"]

POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
"""The modes that write alerts: `allow` writes none."""
EVENTS: Final[tuple[EventName, ...]] = get_args(EventName)
ALARMING_EVENTS: Final[tuple[EventName, ...]] = ("refused", "unshielded")
"""The events after which a function does not run as its policy says."""
MAX_LINE: Final = 4096
"""Bytes in a line with its newline: one pipe write of this size is atomic (pipe(7), PIPE_BUF)."""


class Details(TypedDict, total=False):
    """What was attempted. Only what is known is there."""

    host: str
    ip: str
    port: int
    protocol: str
    sni: str
    path: str
    syscall: str
    arguments: list[str]


@dataclass(frozen=True)
class Alert:
    """One violation.

    Attributes:
        timestamp: when, in UTC.
        level: the log level, for Lambda's level filter.
        policy: which policy it is against.
        mode: `block` (it failed) or `alert` (it went through).
        details: what was attempted.
        pid: the process, as it sees itself.
        caller: the shared object that the call came from, when known.
        allow: the allow-list entry that would permit it, when there is one.
        folded: how many alerts of a storm were left out before this one.
    """

    timestamp: datetime
    level: str
    policy: Policy
    mode: Mode
    details: Details
    pid: int
    caller: str | None = None
    allow: str | None = None
    folded: int = 0


@dataclass(frozen=True)
class ShieldEvent:
    """One event of the shield itself.

    Attributes:
        timestamp: when, in UTC.
        level: the log level.
        event: what happened.
        fields: the rest of the line, by key (`version`, `modes`, `reason`, ...).
    """

    timestamp: datetime
    level: str
    event: EventName
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])


class AlertError(ValueError):
    """A line that says it is the shield's but does not follow the schema; the message names the field."""


_DETAILS: Final[dict[str, type[object]]] = {
    "host": str,
    "ip": str,
    "port": int,
    "protocol": str,
    "sni": str,
    "path": str,
    "syscall": str,
    "arguments": list,
}

_T = TypeVar("_T")


def parse_line(line: str) -> Alert | ShieldEvent | None:
    """Reads a log line; None when it is not the shield's.

    Keys that this version does not know are ignored, so that an older reader takes a newer function's lines.

    Raises:
        AlertError: it is the shield's (`"function_shield": true`) and a field is missing or wrong.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, Any]", value)
    if fields.get("function_shield") is not True:
        return None
    timestamp, level = _timestamp(fields), _required(fields, "level", str)
    if "policy" not in fields:
        event = cast(EventName, _one_of(fields, "event", EVENTS))
        known = ("function_shield", "timestamp", "level", "event")
        return ShieldEvent(timestamp, level, event, {key: fields[key] for key in fields if key not in known})
    caller = _object(fields, "caller")
    return Alert(
        timestamp=timestamp,
        level=level,
        policy=cast(Policy, _one_of(fields, "policy", POLICIES)),
        mode=cast(Mode, _one_of(fields, "mode", MODES)),
        details=_details(fields),
        pid=_required(fields, "pid", int),
        caller=None if caller is None else _optional(caller, "object", str),
        allow=_optional(fields, "allow", str),
        folded=_optional(fields, "folded", int) or 0,
    )


def _optional(fields: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    value = fields.get(name)
    if value is None and name not in fields:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise AlertError(f"{name}: expected {kind.__name__}, found {json.dumps(value)[:80]}")
    return value


def _required(fields: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    value = _optional(fields, name, kind)
    if value is None:
        raise AlertError(f"{name}: missing")
    return value


def _one_of(fields: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = _required(fields, name, str)
    if value not in allowed:
        raise AlertError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
    return value


def _timestamp(fields: Mapping[str, Any]) -> datetime:
    value = _required(fields, "timestamp", str)
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise AlertError(f"timestamp: {value!r} is not like 2026-11-24T13:37:00.123456Z") from None


def _object(fields: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    return cast("dict[str, Any] | None", _optional(fields, name, dict))


def _details(fields: Mapping[str, Any]) -> Details:
    given = _object(fields, "details")
    if given is None:
        raise AlertError("details: missing")
    found: dict[str, Any] = {}
    for name, kind in _DETAILS.items():
        value = _optional(given, name, kind)
        if value is not None:
            found[name] = value
    if not all(isinstance(argument, str) for argument in found.get("arguments", [])):
        raise AlertError("details.arguments: expected strings")
    return cast(Details, found)
