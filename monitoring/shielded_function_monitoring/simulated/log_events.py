"""Log lines with their times, and an alert line for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from shielded_function_monitoring.filters import level_of, severity_of

from ..alert import MODES, POLICIES, SCHEMA_VERSION, Mode, Policy
from ..errors import ShieldError


@dataclass(frozen=True)
class LogEvent:
    """One log line.

    Attributes:
        time: seconds since the epoch.
        message: the line, without its newline.
    """

    time: float
    message: str


def alert_line(
    function: str,
    policy: Policy = "outbound_connectivity",
    mode: Mode = "block",
    *,
    count: int = 1,
    time: float = 0.0,
    details: Mapping[str, Any] | None = None,
    region: str = "us-east-1",
    account: str = "123456789012",
    caller: Mapping[str, Any] | None = None,
    blocks: bool = False,
) -> str:
    """A line as the shield writes it, for tests of alarms that need no function.

        alert_line("checkout", details={"host": "evil.example", "port": 443, "protocol": "tcp"})

    Args:
        function: the function's name.
        policy: which control was violated.
        mode: `block` or `alert`.
        count: how many violations the line stands for; above 1 it is a `folded` one, but of `read_handler`.
        time: when, in seconds since the epoch.
        details: of the attempt, as `alert.Details` has it.
        region: the function's.
        account: the function's.
        caller: who called, as the line has it: `{"object": "_socket.so", "package": "urllib3"}`.

        blocks: whether the function's policy sets a control to block.

    Raises:
        ShieldError: there is no such control or mode, or the count is less than 1.
    """
    if policy not in POLICIES or mode not in MODES or count < 1:
        raise ShieldError(f"alert_line: no alert has the control {policy!r}, the mode {mode!r} and the count {count!r}")
    severe = (policy, mode, (details or {}).get("path", ""))
    when = datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    line = {
        "function_shield": True,
        "v": SCHEMA_VERSION,
        "function": function,
        "version": "$LATEST",
        "region": region,
        "account": account,
        "timestamp": when,
        "level": level_of(*severe, blocks=blocks),
        **({"event": "folded"} if count > 1 and policy != "read_handler" else {}),
        "policy": policy,
        "mode": mode,
        "severity": severity_of(*severe, blocks=blocks),
        "count": count,
        "details": dict(details or {}),
        **({"caller": dict(caller)} if caller else {}),
        "pid": 1,
    }
    return json.dumps(line, separators=(",", ":"))
