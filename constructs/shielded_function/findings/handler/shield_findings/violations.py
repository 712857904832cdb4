"""Reads the violations in a delivery of CloudWatch Logs. Pure."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any, Final

DID: Final = {
    "outbound_connectivity": ("reached a new host", "tried to reach a new host"),
    "read_write_tmp": ("used a new file of /tmp", "tried to use a new file of /tmp"),
    "create_child_process": ("started a new program", "tried to start a new program"),
    "read_handler": ("read its handler's source", "tried to read its handler's source"),
    "executable_memory": ("made memory executable", "tried to make memory executable"),
    "self_protection": ("touched the shield", "tried to touch the shield"),
    "start": ("did not start as its policy says", "did not start as its policy says"),
}
"""The controls, and the text about a violation in alert mode, and in block mode."""
NOT_WRITTEN: Final = "(counted, not written)"
FURTHER: Final = "(further targets)"
"""The target of the finding for all new ones within an hour beyond the limit."""

_BEGINNING: Final = '{"function_shield":true'
_VARYING: Final = re.compile(r"tmp[a-z0-9_]{8}|[0-9a-fA-F-]{8,}|\d{3,}")
"""The parts of a /tmp file's name that differ between runs: `tempfile`'s part, long hexadecimal numbers, digits."""
_MODES: Final = ("block", "alert")
_MAX_COUNT: Final = 10_000_000
_MAX_LINE: Final = 4096
"""Bytes in a line of the shield; a longer one is not the shield's, and would not fit into an event."""
_LONGEST: Final = 512
_LONGEST_NAME: Final = 64
"""Characters of a function's name."""


@dataclass(frozen=True)
class Delivery:
    """Lines of one log stream, as a subscription filter delivers them.

    Attributes:
        account: the account of the log group.
        log_group: its name.
        log_stream: the log stream's name.
        lines: the lines.
    """

    account: str
    log_group: str
    log_stream: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Violation:
    """A function's violation of its policy, as a line reports it.

    Attributes:
        function: its name; empty where the line has none.
        policy: the control; `start` for a refused or unshielded start.
        mode: block or alert; empty for a start.
        target: the target of the attempt.
        package: the package that the function's own code called; empty where unknown.
        time: the time, in milliseconds since the epoch.
        line: the line.
        delivery: its delivery.
    """

    function: str
    policy: str
    mode: str
    target: str
    package: str
    time: int
    line: Mapping[str, Any]
    delivery: Delivery = field(repr=False)

    @property
    def identity(self) -> str:
        """Equal for equal findings: function, control, target and package."""
        parts = (self.delivery.account, self.function, self.policy, self.target, self.package)
        return sha256(json.dumps(parts).encode()).hexdigest()

    def further(self, hour: int) -> Violation:
        """The finding that stands for it where too many are new: one for each hour since the epoch."""
        return replace(self, target=f"{FURTHER} {hour}", package="")


def delivery_of(event: Mapping[str, Any]) -> Delivery | None:
    """The lines that a subscription filter delivers; None for its test message.

    Raises:
        ValueError, KeyError, OSError: the event is malformed.
    """
    payload = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"], validate=True)))
    if payload["messageType"] != "DATA_MESSAGE":
        return None
    lines = tuple(str(each["message"]) for each in payload["logEvents"])
    return Delivery(str(payload["owner"]), str(payload["logGroup"]), str(payload["logStream"]), lines)


def violations_in(delivery: Delivery) -> tuple[list[Violation], int]:
    """The violations, each finding once, and the number of unusable lines."""
    found: dict[str, Violation] = {}
    unused = 0
    for line in delivery.lines:
        violation = _violation(line, delivery)
        if violation is None:
            unused += 1
        elif violation.line.get("event") != "repeated":  # each of them has a line
            found.setdefault(violation.identity, violation)
    return list(found.values()), unused


def _violation(text: str, delivery: Delivery) -> Violation | None:
    line = _read(text[text.rfind(_BEGINNING) :]) if _BEGINNING in text else {}
    policy, count = text_of(line, "policy"), line.get("count")
    time = _milliseconds(text_of(line, "timestamp"))
    if policy not in DID or time is None:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _MAX_COUNT:
        return None
    mode = text_of(line, "mode")
    return Violation(
        function=text_of(line, "function")[:_LONGEST_NAME],
        policy=policy,
        mode=mode if mode in _MODES else "",
        target=_target(line),
        package=_package(object_of(line, "caller")),
        time=time,
        line=line,
        delivery=delivery,
    )


def _package(caller: Mapping[str, Any]) -> str:
    """The last package in front of the function's own code, as reports count."""
    through = caller.get("through")
    names = [name for name in through if isinstance(name, str)] if isinstance(through, list) else []
    return names[-2][:_LONGEST] if len(names) > 1 else text_of(caller, "package")


def _milliseconds(text: str) -> int | None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return max(0, int(moment.timestamp() * 1000))


def _read(text: str) -> dict[str, Any]:
    """A JSON line that an event can contain unchanged; an empty object for others."""
    try:
        if len(text.encode()) > _MAX_LINE:
            return {}
        line = json.loads(text)
        json.dumps(line, allow_nan=False, ensure_ascii=False).encode()  # not too deep, no NaN, no lone surrogates
    except (ValueError, RecursionError):
        return {}
    return line if isinstance(line, dict) else {}


def _target(line: Mapping[str, Any]) -> str:
    event = text_of(line, "event")
    if event == "folded":
        return NOT_WRITTEN
    if event:
        return f"{event}: {text_of(line, 'reason')}"[:_LONGEST]
    details = object_of(line, "details")
    for name in ("sni", "host", "path", "ip", "syscall"):
        if found := text_of(details, name):
            if line["policy"] == "read_write_tmp":
                found = _VARYING.sub("*", found)
            port = port_of(details)
            return f"{found}:{port}" if port else found
    return text_of(details, "protocol")


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """A text of a line, cut where it is long; empty for other types."""
    value = fields.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""


def object_of(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object of a line; empty for other types."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def port_of(details: Mapping[str, Any]) -> int:
    """A port; 0 for other values."""
    port = details.get("port")
    return port if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536 else 0
