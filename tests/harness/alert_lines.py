"""Lines of the shield for tests, each with what a test says of it; the rest is what a function usually writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shielded_function_monitoring import parse_line
from shielded_function_monitoring.filters import level_of, severity_of

FUNCTION = {"function": "checkout", "version": "7", "region": "eu-west-1", "account": "123456789012"}


def at(day: int = 20, hour: int = 10, second: int = 0) -> str:
    """A time in November 2026, as lines write it."""
    return f"2026-11-{day:02d}T{hour:02d}:00:{second:02d}.000001Z"


def line(time: str = "", **fields: Any) -> str:
    """A line of these fields, as the shield writes it; the schema is checked."""
    head = {"function_shield": True, "v": 1, **FUNCTION}
    head |= {name: fields.pop(name) for name in FUNCTION if name in fields}
    head |= {"timestamp": time or at(), "level": "INFO"}
    if "policy" in fields:
        path = "" if fields.get("event") == "folded" else fields.get("details", {}).get("path", "")
        severe = (fields["policy"], fields.get("mode"), path, fields.get("reason", "") if "details" in fields else "")
        head |= {"level": level_of(*severe), "severity": severity_of(*severe)}
    text = json.dumps({**head, **fields}, separators=(",", ":"))
    assert parse_line(text) is not None
    return text


def alert(policy: str, time: str = "", *, caller: str = "", through: Sequence[str] = (), **fields: Any) -> str:
    """An alert; what `details` has is given by name. `through`: the packages that led to it, the innermost first."""
    known = ("mode", "count", "pid", "allow", "reason", *FUNCTION)
    outer = {"mode": "alert", "count": 1, **{name: fields.pop(name) for name in known if name in fields}}
    details = {"syscall": "connect", **fields}
    told = {"object": caller} if caller else {}
    if through:
        file = f"/var/task/{through[0]}/code.py"
        told |= {"function": "call", "file": file, "line": 73, "package": through[0], "through": list(through)}
    who = {"caller": told} if told else {}
    return line(time, policy=policy, details=details, pid=17, **who, **outer)


def connect(host: str = "", ip: str = "198.51.100.7", port: int = 443, time: str = "", **fields: Any) -> str:
    """A connection, to a host by its name where one is given."""
    named = {"host": host} if host else {}
    return alert("outbound_connectivity", time, **named, ip=ip, port=port, **{"protocol": "tcp", **fields})


def lookup(host: str, time: str = "", **fields: Any) -> str:
    """A question to the name server."""
    return alert("outbound_connectivity", time, host=host, protocol="dns", **fields)


def tmp(path: str, time: str = "", **fields: Any) -> str:
    """A use of /tmp."""
    return alert("read_write_tmp", time, path=path, **{"allow": path, **fields})


def program(path: str, time: str = "", **fields: Any) -> str:
    """A program that was started."""
    return alert("create_child_process", time, path=path, **{"allow": path, **fields})


def armed(time: str = "", **fields: Any) -> str:
    """A cold start."""
    modes = {"outbound_connectivity": "alert"}
    return line(time, event="armed", shield_version="0.1.0", engine="process", modes=modes, pid=17, **fields)


def folded(policy: str, count: int, time: str = "", **fields: Any) -> str:
    """Alerts that were counted and not written."""
    return line(time, **{"event": "folded", "policy": policy, "mode": "alert", "count": count, "pid": 17, **fields})


def refused(reason: str, time: str = "", **fields: Any) -> str:
    """A start that was refused."""
    return line(time, event="refused", policy="start", count=1, reason=reason, **fields)
