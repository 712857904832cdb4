"""The schema of the shield's lines."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from shielded_function_monitoring import Alert, AlertError, ShieldEvent, parse_line
from shielded_function_monitoring.alert import ALARMING_EVENTS, EVENTS, Origin
from shielded_function_monitoring.frames import Frame

# The line as the design writes it.
LINE: dict[str, Any] = json.loads("""{
    "function_shield": true, "v": 1, "function": "checkout", "version": "7", "region": "eu-west-1",
    "account": "123456789012", "timestamp": "2026-11-24T13:37:00.123456Z", "level": "WARN",
    "policy": "outbound_connectivity", "mode": "block", "count": 1,
    "details": {"host": "evil.example", "ip": "203.0.113.7", "port": 443, "protocol": "tcp"},
    "caller": {"object": "_socket.cpython-313-x86_64-linux-gnu.so"}, "pid": 17, "allow": "evil.example:443"}""")
ORIGIN = Origin("checkout", "7", "eu-west-1", "123456789012")
WHEN = datetime(2026, 11, 24, 13, 37, 0, 123456, tzinfo=timezone.utc)
OPTIONAL = ("caller", "allow", "function", "version", "region", "account", "function_shield")
EVENT = {key: LINE[key] for key in ("function_shield", "v", "function", "timestamp", "level")}


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
        origin=ORIGIN,
    )


def test_what_is_optional() -> None:
    """And a newer version of the schema is read."""
    bare = {key: LINE[key] for key in LINE if key not in OPTIONAL[:-1]} | {
        "details": {},
        "count": 9,
        "policy": "read_handler",
        "v": 2,
        "new": 1,
    }
    alert = parse_line(json.dumps(bare))
    assert isinstance(alert, Alert)
    assert (alert.caller, alert.allow, alert.details, alert.count) == (None, None, {}, 9)
    assert (alert.function, alert.origin) == (None, Origin())


def test_an_event() -> None:
    line = (
        '{"function_shield":true,"v":1,"function":"checkout","version":"7","timestamp":"2026-11-24T13:37:00.123456Z",'
        '"level":"INFO","event":"armed","shield_version":"0.1.0","engine":"process","sites":423,"micros":2700,"pid":17}'
    )
    event = parse_line(line)
    assert event == ShieldEvent(
        timestamp=WHEN,
        level="INFO",
        event="armed",
        origin=Origin("checkout", "7"),
        fields={"shield_version": "0.1.0", "engine": "process", "sites": 423, "micros": 2700, "pid": 17},
    )


LEFT_OUT = {"policy": "read_write_tmp", "mode": "alert", "count": 18}
FAILED: Any = {"policy": "start", "count": 1}
COUNTS = {"folded": LEFT_OUT, "repeated": LEFT_OUT, "refused": FAILED, "unshielded": FAILED}


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("further", [{"pid": 17}, {"pid": 17, "details": {"path": "/tmp/x"}, "reason": "x"}])
def test_which_events_count(name: str, further: dict[str, Any]) -> None:
    """Lines that were left out, and starts that failed."""
    counted: dict[str, Any] = COUNTS.get(name, {})
    event = parse_line(json.dumps({**EVENT, "event": name, **counted, **further}))
    assert isinstance(event, ShieldEvent)
    assert (event.policy, event.mode, event.count) == (
        counted.get("policy"),
        counted.get("mode"),
        counted.get("count", 0),
    )
    assert (event.fields, event.function, set(COUNTS)) == (further, "checkout", set(ALARMING_EVENTS))


@pytest.mark.parametrize(
    "line",
    ["", "END RequestId: 1", "[1]", "null", "{}", '{"function_shield":"true"}', '{"function_shield":1}', "[" * 50_000],
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_line(line) is None


FOLDED = {**EVENT, "event": "folded", "policy": "read_write_tmp", "mode": "alert", "count": 18, "pid": 17}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        *(({name: ...}, f"{name}: missing") for name in LINE if name not in OPTIONAL),
        ({**FOLDED, "event": "fallen"}, "event: 'fallen' is not one of armed,"),
        ({**FOLDED, "policy": "start"}, "policy: 'start' is not one of outbound_connectivity,"),
        ({**FOLDED, "event": "refused"}, "policy: 'read_write_tmp' is not one of start"),
        ({**FOLDED, "mode": "allow"}, "mode: 'allow' is not one of block, alert"),
        ({**FOLDED, "count": None}, "count: expected int, found null"),
        ({**FOLDED, "details": {"port": "x"}}, 'port: expected int, found "x"'),
        ({"timestamp": "yesterday"}, "timestamp: 'yesterday' is not like"),
        ({"timestamp": 1}, "timestamp: expected str, found 1"),
        ({"level": None}, "level: expected str, found null"),
        ({"policy": "read_tmp"}, "policy: 'read_tmp' is not one of outbound_connectivity,"),
        ({"details": []}, "details: expected dict"),
        ({"details": {"port": "443"}}, "port: expected int"),
        ({"details": {"port": True}}, "port: expected int, found true"),
        ({"details": {"arguments": ["a", 1]}}, "details.arguments: expected strings"),
        ({"caller": "libc.so.6"}, "caller: expected dict"),
        ({"caller": {"line": "73"}}, "line: expected int"),
        ({"caller": {"package": 7}}, "package: expected str"),
        ({"caller": {"through": "urllib3"}}, "through: expected list"),
        ({"caller": {"through": ["urllib3", 7]}}, "caller.through: expected strings"),
        ({"v": 0}, "v: 0 is no version of the schema"),
        ({"v": "1"}, "v: expected int"),
        ({"count": 0}, "count: 0 is less than 1"),
        ({"count": True}, "count: expected int, found true"),
        ({"count": 2}, "count: 2, and only events and reads of the handler stand for several"),
        ({"pid": "17"}, "pid: expected int"),
        ({"function": 1}, "function: expected str"),
    ],
)
def test_what_breaks_the_schema(change: dict[str, Any], says: str) -> None:
    with pytest.raises(AlertError) as error:
        parse_line(json.dumps({name: value for name, value in (LINE | change).items() if value is not ...}))
    assert says in str(error.value)


CALLER: Any = {
    "function": "connect",
    "file": "/var/task/a.py",
    "line": 73,
    "package": "b",
    "through": ["b", "c", "app"],
}


@pytest.mark.parametrize(
    ("caller", "frame", "place", "chain"),
    [
        (CALLER, Frame(**{**CALLER, "through": ("b", "c", "app")}), "/var/task/a.py:73", ("b", "c", "app")),
        ({"object": "libuv.so"}, None, "", ()),
        ({"file": "/var/task/app.py"}, Frame(file="/var/task/app.py"), "/var/task/app.py", ()),
        ({"package": "app"}, Frame(package="app"), "", ("app",)),
        ({"through": ["a", "b"]}, Frame(through=("a", "b")), "", ()),
        ({"package": "a", "through": ["a", "", "c"]}, Frame(package="a", through=("a", "", "c")), "", ("a",)),
    ],
)
def test_the_frame_that_made_the_call(caller: Any, frame: Frame | None, place: str, chain: tuple[str, ...]) -> None:
    alert = parse_line(json.dumps({**LINE, "caller": caller}))
    assert isinstance(alert, Alert)
    assert alert.frame == frame
    assert ((alert.frame or Frame()).place, (alert.frame or Frame()).chain) == (place, chain)
