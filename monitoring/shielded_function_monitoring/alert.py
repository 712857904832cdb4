"""The lines that a shielded function writes: their schema, and reading them.

A line without `event` is an *alert*: something was denied, or would have been. A line with `event` is an *event* of the
shield itself: it armed, refused to start, let the function run unshielded, counted alerts instead of writing them,
had its policy tightened by code, or listed native code.

Each line that counts as a violation has a `policy` and a `count`, so one metric filter with the value `$.count` sees
them all.

    >>> line = ('{"function_shield":true,"v":1,"function":"checkout","version":"7","region":"eu-west-1",'
    ...         '"timestamp":"2026-11-24T13:37:00.123456Z","level":"WARN","policy":"read_write_tmp","mode":"block",'
    ...         '"count":1,"details":{"path":"/tmp/x"},"pid":17}')
    >>> alert = parse_line(line)
    >>> alert.function, alert.policy, alert.details
    ('checkout', 'read_write_tmp', {'path': '/tmp/x'})
    >>> parse_line("START RequestId: 1") is None
    True
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, Literal, TypedDict, TypeVar, cast, get_args, get_origin, get_type_hints

from .errors import ShieldError
from .frames import Frame

Policy = Literal[
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "read_handler",
    "executable_memory",
    "self_protection",
]
Mode = Literal["block", "alert"]
EventName = Literal["armed", "refused", "unshielded", "folded", "repeated", "tightened", "native", "kernel"]

SCHEMA_VERSION: Final = 1
"""`v` in each line. It grows when a field is removed or changes its meaning, and not when one is added."""
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
START: Final = "start"
"""`policy` of the events `refused` and `unshielded`, which belong to no control."""
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
"""The modes that write alerts: `allow` writes none."""
EVENTS: Final[tuple[EventName, ...]] = get_args(EventName)
ALARMING_EVENTS: Final[tuple[EventName, ...]] = ("refused", "unshielded", "folded", "repeated")
"""The events that count as violations, and so have `policy` and `count`."""
MAX_COUNT: Final = 10_000_000
"""More violations than one line can stand for: a greater `count` is forged, and would make sums senseless."""
MAX_LINE: Final = 4096
"""Bytes in a line with its newline: one pipe write of this size is atomic (pipe(7), PIPE_BUF)."""


class Details(TypedDict, total=False):
    """The attempt. Only known fields are present."""

    host: str
    ip: str
    port: int
    protocol: str
    sni: str
    path: str
    syscall: str
    arguments: list[str]


@dataclass(frozen=True)
class Origin:
    """The function that wrote a line. A field that its environment lacks is None.

    Attributes:
        function: its name.
        version: its version, `$LATEST` or a number.
        region: its region.
        account: its account.
    """

    function: str | None = None
    version: str | None = None
    region: str | None = None
    account: str | None = None


@dataclass(frozen=True)
class Alert:
    """One violation.

    Attributes:
        timestamp: when, in UTC.
        level: the log level, for Lambda's level filter.
        policy: the violated control.
        mode: `block` (it failed) or `alert` (it went through).
        details: of the attempt.
        pid: the process, as it sees itself.
        count: 1; a read of the handler adds the reads in the minute before.
        caller: the shared object that the call came from, when known.
        allow: the allow-list entry that would permit it, when there is one.
        origin: which function wrote it.
        frame: where in the function's own language the call was made, and by which packages, when the line tells.
        severity: critical, warning or notice, as `severity_of` has it, when the line tells.
        trace: the X-Ray trace of the event that was handled, when the line tells: a hint that code can fake.
        reason: `package`, where the call was allowed and came through other packages than its entry names;
            `deny_outbound`, where an entry of that list refused it, in any mode; mostly None.
    """

    timestamp: datetime
    level: str
    policy: Policy
    mode: Mode
    details: Details
    pid: int
    count: int = 1
    caller: str | None = None
    allow: str | None = None
    origin: Origin = field(default_factory=Origin)
    frame: Frame | None = None
    severity: str | None = None
    trace: str | None = None
    reason: str | None = None

    @property
    def function(self) -> str | None:
        """The function's name."""
        return self.origin.function


@dataclass(frozen=True)
class ShieldEvent:
    """One event of the shield itself.

    Attributes:
        timestamp: when, in UTC.
        level: the log level.
        event: its name, such as `armed`.
        policy: of an event that counts as a violation: the control whose alerts were counted, or `start`.
        mode: in which mode these alerts were.
        count: how many violations it stands for; 0 for an event that is none.
        origin: which function wrote it.
        fields: the rest of the line, by key (`shield_version`, `modes`, `reason`, `details`, ...).
    """

    timestamp: datetime
    level: str
    event: EventName
    policy: Policy | Literal["start"] | None = None
    mode: Mode | None = None
    count: int = 0
    origin: Origin = field(default_factory=Origin)
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def function(self) -> str | None:
        """The function's name."""
        return self.origin.function


class AlertError(ShieldError):
    """A line that says it is the shield's but does not follow the schema; the message names the field."""


DETAILS: Final[Mapping[str, type[object]]] = {
    name: get_origin(kind) or kind for name, kind in get_type_hints(Details).items()
}
ORIGIN: Final = ("function", "version", "region", "account")
_COMMON: Final = ("function_shield", "v", *ORIGIN, "timestamp", "level")

DENIED: Final = "deny_outbound"
"""`reason` of a line about a host that is refused in every mode."""

_SHOWN: Final = 80
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
    if _required(fields, "v", int) < 1:
        raise AlertError(f"v: {_shown(fields['v'])} is no version of the schema")
    timestamp, level = _timestamp(fields), _required(fields, "level", str)
    origin = Origin(*(_optional(fields, name, str) for name in ORIGIN))
    if "event" in fields:
        return _event(fields, timestamp, level, origin)
    caller = _optional(fields, "caller", dict)
    return Alert(
        timestamp=timestamp,
        level=level,
        policy=cast(Policy, _required(fields, "policy", str, POLICIES)),
        mode=cast(Mode, _required(fields, "mode", str, MODES)),
        details=_details(fields),
        pid=_required(fields, "pid", int),
        count=_count(fields),
        caller=None if caller is None else _optional(caller, "object", str),
        allow=_optional(fields, "allow", str),
        origin=origin,
        frame=None if caller is None else _frame(caller),
        severity=_optional(fields, "severity", str),
        trace=_optional(fields, "trace", str),
        reason=_optional(fields, "reason", str),
    )


def _event(fields: Mapping[str, Any], timestamp: datetime, level: str, origin: Origin) -> ShieldEvent:
    event = cast(EventName, _required(fields, "event", str, EVENTS))
    if event not in ALARMING_EVENTS:
        rest = {key: value for key, value in fields.items() if key not in (*_COMMON, "event")}
        return ShieldEvent(timestamp, level, event, origin=origin, fields=rest)
    folded = event in ("folded", "repeated")
    return ShieldEvent(
        timestamp,
        level,
        event,
        policy=cast(Any, _required(fields, "policy", str, POLICIES if folded else (START,))),
        mode=cast(Mode, _required(fields, "mode", str, MODES)) if folded else None,
        count=_count(fields),
        origin=origin,
        fields={
            **{k: v for k, v in fields.items() if k not in (*_COMMON, "event", "policy", "mode", "count")},
            **({"details": _details(fields)} if "details" in fields else {}),
        },
    )


def _count(fields: Mapping[str, Any]) -> int:
    count = _required(fields, "count", int)
    if count < 1:
        raise AlertError(f"count: {_shown(count)} is less than 1")
    if count > 1 and "event" not in fields and fields.get("policy") != "read_handler":
        raise AlertError(f"count: {_shown(count)}, and only events and reads of the handler stand for several")
    return count


def _optional(fields: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    value = fields.get(name)
    if value is None and name not in fields:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise AlertError(f"{name}: expected {kind.__name__}, found {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """A value of a line in few words: a forged one may be of any depth and length."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _required(fields: Mapping[str, Any], name: str, kind: type[_T], allowed: Sequence[str] = ()) -> _T:
    value = _optional(fields, name, kind)
    if value is None:
        raise AlertError(f"{name}: missing")
    if allowed and value not in allowed:
        raise AlertError(f"{name}: {str(value)[:_SHOWN]!r} is not one of {', '.join(allowed)}")
    return value


def _timestamp(fields: Mapping[str, Any]) -> datetime:
    value = _required(fields, "timestamp", str)
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise AlertError(f"timestamp: {value[:_SHOWN]!r} is not like 2026-11-24T13:37:00.123456Z") from None


def _frame(caller: Mapping[str, Any]) -> Frame | None:
    through = _optional(caller, "through", list)
    if not all(isinstance(each, str) for each in through or ()):
        raise AlertError("caller.through: expected strings")
    frame = Frame(
        _optional(caller, "function", str),
        _optional(caller, "file", str),
        _optional(caller, "line", int),
        _optional(caller, "package", str),
        tuple(cast("list[str]", through or ())),
    )
    return None if frame == Frame() else frame


def _details(fields: Mapping[str, Any]) -> Details:
    given = _required(fields, "details", dict)
    read = {name: _optional(given, name, kind) for name, kind in DETAILS.items()}
    found: dict[str, Any] = {name: value for name, value in read.items() if value is not None}
    if not all(isinstance(argument, str) for argument in found.get("arguments", [])):
        raise AlertError("details.arguments: expected strings")
    return cast(Details, found)
