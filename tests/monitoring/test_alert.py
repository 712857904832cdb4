"""The schema of the shield's lines."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from shielded_function_monitoring import MODES, POLICIES, Alert, AlertError, ShieldEvent, parse_line

# The line as the design writes it.
LINE: dict[str, Any] = {
    "function_shield": True,
    "timestamp": "2026-11-24T13:37:00.123456Z",
    "level": "WARN",
    "policy": "outbound_connectivity",
    "mode": "block",
    "details": {"host": "evil.example", "ip": "203.0.113.7", "port": 443, "protocol": "tcp"},
    "caller": {"object": "_socket.cpython-313-x86_64-linux-gnu.so"},
    "pid": 17,
    "allow": "evil.example:443",
}
WHEN = datetime(2026, 11, 24, 13, 37, 0, 123456, tzinfo=timezone.utc)


def test_an_alert() -> None:
    assert parse_line(json.dumps(LINE)) == Alert(
        timestamp=WHEN,
        level="WARN",
        policy="outbound_connectivity",
        mode="block",
        details={"host": "evil.example", "ip": "203.0.113.7", "port": 443, "protocol": "tcp"},
        pid=17,
        caller="_socket.cpython-313-x86_64-linux-gnu.so",
        allow="evil.example:443",
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("mode", MODES)
def test_every_policy_and_mode(policy: str, mode: str) -> None:
    alert = parse_line(json.dumps({**LINE, "policy": policy, "mode": mode}))
    assert isinstance(alert, Alert)
    assert (alert.policy, alert.mode) == (policy, mode)


def test_what_is_optional() -> None:
    bare = {key: LINE[key] for key in LINE if key not in ("caller", "allow")} | {"details": {}, "folded": 9, "new": 1}
    alert = parse_line(json.dumps(bare))
    assert isinstance(alert, Alert)
    assert (alert.caller, alert.allow, alert.details, alert.folded) == (None, None, {}, 9)


def test_an_event() -> None:
    line = (
        '{"function_shield":true,"event":"armed","timestamp":"2026-11-24T13:37:00.123456Z","level":"INFO",'
        '"version":"0.1.0","engine":"process","sites":423,"patched":96,"micros":2700,"pid":17}'
    )
    event = parse_line(line)
    assert event == ShieldEvent(
        timestamp=WHEN,
        level="INFO",
        event="armed",
        fields={"version": "0.1.0", "engine": "process", "sites": 423, "patched": 96, "micros": 2700, "pid": 17},
    )


@pytest.mark.parametrize(
    "line",
    ["", "END RequestId: 1", "[1]", "null", "{}", '{"function_shield":"true"}', '{"function_shield":1}', "[" * 50_000],
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"timestamp": "yesterday"}, "timestamp: 'yesterday' is not like"),
        ({"timestamp": 1}, "timestamp: expected str, found 1"),
        ({"level": None}, "level: expected str, found null"),
        ({"policy": "read_tmp"}, "policy: 'read_tmp' is not one of outbound_connectivity,"),
        ({"mode": "allow"}, "mode: 'allow' is not one of block, alert"),
        ({"details": []}, "details: expected dict"),
        ({"details": {"port": "443"}}, "port: expected int"),
        ({"details": {"port": True}}, "port: expected int, found true"),
        ({"details": {"arguments": ["a", 1]}}, "details.arguments: expected strings"),
        ({"caller": "libc.so.6"}, "caller: expected dict"),
        ({"pid": "17"}, "pid: expected int"),
    ],
)
def test_what_breaks_the_schema(change: dict[str, Any], says: str) -> None:
    with pytest.raises(AlertError) as error:
        parse_line(json.dumps({**LINE, **change}))
    assert says in str(error.value)


@pytest.mark.parametrize("name", ["timestamp", "level", "mode", "details", "pid"])
def test_what_must_be_there(name: str) -> None:
    with pytest.raises(AlertError, match=rf"^{name}: missing$"):
        parse_line(json.dumps({key: LINE[key] for key in LINE if key != name}))


def test_neither_policy_nor_event() -> None:
    with pytest.raises(AlertError, match=r"^event: missing$"):
        parse_line(json.dumps({key: LINE[key] for key in LINE if key != "policy"}))
