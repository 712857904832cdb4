"""alert.h: one valid JSON line of at most 4096 bytes, whatever it reports."""

from __future__ import annotations

import datetime
import json
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shielded_function_monitoring.alert import POLICIES, Alert, Policy, parse_line
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS, SEVERITIES, level_of, severity_of, violations
from unit.core.native import Native

pytestmark = pytest.mark.promise("alert.one-line")

ALERT_MAX = 4096
TEXTS = ("host", "protocol", "sni", "path", "syscall", "object", "allow", "trace")
ORIGIN = ("function", "version", "region", "account")
PLACE = {
    "function": "create_connection",
    "file": "/var/task/urllib3/util/connection.py",
    "line": 73,
    "packages": ["urllib3", "requests", "app"],
}


def write(native: Native, **fields: Any) -> bytes:
    """The line for these fields of `struct alert`, written to the end of a page."""
    alert = native.ffi.new("struct alert *")
    place = fields.pop("place", {})
    packages = place.get("packages", [])
    alert.place.function, alert.place.file = (native.text(place.get(name, "")) for name in ("function", "file"))
    alert.place.line, alert.place.package_count = place.get("line", 0), place.get("package_count", len(packages))
    for number, package in zip(range(native.lib.ALERT_PACKAGES), packages, strict=False):
        alert.place.packages[number] = native.text(package)
    arguments = fields.pop("arguments", [])
    alert.argument_count = fields.pop("argument_count", len(arguments))
    for place, argument in zip(range(native.lib.ALERT_ARGUMENTS), arguments, strict=False):
        alert.arguments[place] = native.text(argument)
    origin = native.ffi.new("struct line_origin *")
    for name in ORIGIN:
        setattr(origin, name, native.text(fields.pop(name, "")))
    made = native.writer(native.lib.ORIGIN_MAX)
    native.lib.put_origin(made, origin)
    assert not made.full
    alert.origin = native.text(native.written(made))
    if ip := fields.pop("ip", ""):
        alert.ip = native.address(ip)[0]
    for name, value in fields.items():
        setattr(alert, name, native.text(value) if name in (*TEXTS, "reason") else value)
    out = native.ffi.cast("char *", native.room.place(bytes(ALERT_MAX)))
    return bytes(native.ffi.buffer(out, native.lib.alert_write(alert, out)))


def read(line: bytes) -> dict[str, Any]:
    """Checks what holds for every line."""
    assert len(line) <= ALERT_MAX
    assert line.endswith(b"}\n")
    assert not any(byte < 0x20 or byte == 0x7F for byte in line[:-1])
    return json.loads(line.decode(), object_pairs_hook=read_object)


def read_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in members]
    assert len(names) == len(set(names)), f"a member stands there twice: {names}"
    return dict(members)


def test_a_whole_line(native: Native) -> None:
    origin = {"function": "checkout", "version": "$LATEST", "region": "eu-west-1", "account": "123456789012"}
    judged = {
        "policy": native.lib.OUTBOUND_CONNECTIVITY,
        "mode": native.lib.MODE_BLOCK,
        "pid": 17,
        "object": "_socket.so",
    }
    details = {"host": "evil.example", "ip": "203.0.113.7", "port": 443, "protocol": "tcp", "allow": "evil.example:443"}
    line = write(native, **origin, **judged, **details, place=PLACE, seconds=1795527420, micros=123456)
    assert line == (
        b'{"function_shield":true,"v":1,"function":"checkout","version":"$LATEST","region":"eu-west-1",'
        b'"account":"123456789012","timestamp":"2026-11-24T13:37:00.123456Z","level":"ERROR",'
        b'"policy":"outbound_connectivity","mode":"block","severity":"critical","count":1,'
        b'"details":{"host":"evil.example","ip":"203.0.113.7","port":443,"protocol":"tcp"},'
        b'"caller":{"object":"_socket.so","function":"create_connection","file":"/var/task/urllib3/util/connection.py",'
        b'"line":73,"package":"urllib3","through":["urllib3","requests","app"]},"pid":17,"allow":"evil.example:443"}\n'
    )


@pytest.mark.promise("deny.every-mode")
def test_a_reason_stands_in_the_place_of_an_entry(native: Native) -> None:
    fields = {"host": "webhook.site", "allow": "webhook.site", "protocol": "tls", "sni": "evil.example"}
    line = read(write(native, mode=native.lib.MODE_BLOCK, reason="deny_outbound", **fields))
    assert line["details"] == {"host": "webhook.site", "protocol": "tls", "sni": "evil.example"}
    assert (line["mode"], line["severity"], line["reason"]) == ("block", "critical", "deny_outbound")
    parsed = parse_line(json.dumps(line))
    assert isinstance(parsed, Alert)
    assert parsed.reason == "deny_outbound"
    assert "allow" not in line


def test_where_in_the_source_a_call_was_made(native: Native) -> None:
    def caller(**place: Any) -> object:
        return read(write(native, place=place)).get("caller")

    place = {"function": "f", "file": "/var/task/a.py"}
    assert caller(**place, packages=["a"]) == {**place, "package": "a", "through": ["a"]}
    assert caller(**{**PLACE, "packages": []}) is None
    # More packages than there is room for.
    assert caller(packages=list("abcdef"), package_count=2**32 - 1) == {"package": "a", "through": list("abcdef")}


def test_long_texts_of_a_place_are_cut(native: Native) -> None:
    place = {"function": "f" * 999, "file": "/" * 999, "packages": ["p" * 999] * 6}
    caller = read(write(native, place=place))["caller"]
    assert (caller["function"], caller["file"], caller["package"]) == tuple(c * 253 + "..." for c in "f/p")
    assert caller["through"][0] == "p" * 253 + "..."
    assert sum(map(len, caller["through"])) <= ALERT_MAX / 3


def test_a_usual_place_beside_the_longest_program(native: Native) -> None:
    """Long arguments do not take its room away: it is cut, and there."""
    long = {"path": "/" + "p" * 5000, "arguments": ["x" * 5000] * 16, "allow": "/" + "p" * 690}
    line = read(write(native, **long, **dict.fromkeys(ORIGIN, "o" * 999), object="o" * 999, place=PLACE))
    assert line["caller"]["package"] == "urllib3"
    assert line["caller"]["through"][:2] == ["urllib3", "requests"]
    assert line["caller"]["line"] == 73
    assert line["caller"]["file"].startswith("/var/task/urllib3/")


def test_only_what_is_set_is_written(native: Native) -> None:
    line = write(native, mode=native.lib.MODE_ALERT, left_out=12)
    assert line == (
        b'{"function_shield":true,"v":1,"timestamp":"1970-01-01T00:00:00.000000Z","level":"WARN","policy":'
        b'"outbound_connectivity","mode":"alert","severity":"warning","count":13,"details":{},"pid":0}\n'
    )


@pytest.mark.promise("alert.severity")
def test_a_call_through_another_package_is_a_notice(native: Native) -> None:
    line = read(write(native, mode=native.lib.MODE_ALERT, reason="package", host="h" * 999))
    assert (line["reason"], line["level"]) == ("package", level_of("outbound_connectivity", "alert", reason="package"))
    assert line["severity"] == severity_of("outbound_connectivity", "alert", reason="package") == "notice"
    assert [each for each in SEVERITIES if violations(severity=each).matches(json.dumps(line))] == ["notice"]


@pytest.mark.promise("alert.severity")
@pytest.mark.parametrize("path", ["", "/usr/bin/id", *PLATFORM_PROGRAMS, *(path + "x" for path in PLATFORM_PROGRAMS)])
@pytest.mark.parametrize(("number", "policy"), list(enumerate(POLICIES)))
def test_level_and_severity_are_what_alarms_go_by(native: Native, number: int, policy: Policy, path: str) -> None:
    for mode, blocks in product((native.lib.MODE_BLOCK, native.lib.MODE_ALERT), (False, True)):
        line = read(write(native, policy=number, mode=mode, path=path, blocks=blocks))
        assert line["policy"] == policy
        assert line["level"] == level_of(policy, line["mode"], path, blocks=blocks)
        assert line["severity"] == severity_of(policy, line["mode"], path, blocks=blocks)
        found = [each for each in SEVERITIES if violations(severity=each).matches(json.dumps(line))]
        assert found == [line["severity"]]


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("unit", ["a", '"', "\0", "\x7f", "é", "\U0001f512", b"\xff", b"\xf0\x9f"], ids=repr)
def test_long_texts_are_cut_and_the_line_is_whole(native: Native, field: str, unit: str | bytes) -> None:
    """The worst bytes take six each."""
    raw = unit.encode() if isinstance(unit, str) else unit
    line = read(write(native, **{field: raw * 5000}))
    if field == "allow":
        assert "allow" not in line  # a part of an entry would permit something else
        return
    said: str = (line if field == "trace" else line["caller"] if field == "object" else line["details"])[field]
    assert said.endswith("...")
    assert set(said[:-3]) <= set(raw.decode(errors="replace"))


def test_the_longest_line_fits(native: Native) -> None:
    worst = "\0" * 5000
    texts = dict.fromkeys((*TEXTS, *ORIGIN), worst) | {
        "ip": "2001:db8:1111:2222:3333:4444:5555:6666",
        "allow": "\0" * 116,
    }
    numbers = {"port": 65535, "micros": 999999, "seconds": 2**64 - 1, "policy": native.lib.CREATE_CHILD_PROCESS}
    place = {"function": worst, "file": worst, "line": 2**32 - 1, "packages": [worst] * 6}
    rest = {"arguments": [worst] * 16, "place": place, "pid": 2**32 - 1, "left_out": 2**32 - 1}
    line = write(native, **texts, **numbers, **rest)
    said = read(line)
    assert said["allow"] == "\0" * 116
    assert said["count"] == 2**32
    assert len(line) > 3300


def test_arguments_are_cut(native: Native) -> None:
    details = read(write(native, arguments=["x" * 300, "y", "z" * 5000] + ["w" * 200] * 13))["details"]
    first, second, third, *rest = details["arguments"]
    assert first == "x" * 253 + "..."
    assert second == "y"
    assert third == "z" * 253 + "..."
    assert sum(map(len, details["arguments"])) <= 1024
    assert len(rest) < 13

    more_than_there_is_room_for = write(native, arguments=["a"] * 16, argument_count=1000)
    assert read(more_than_there_is_room_for)["details"]["arguments"] == ["a"] * 16


LAST = 253402300799  # 9999-12-31T23:59:59Z, the last that RFC 3339 has


@given(seconds=st.integers(0, LAST), micros=st.integers(0, 999999))
@example(seconds=0, micros=0)
@example(seconds=951782400, micros=1)  # 2000-02-29
@example(seconds=4107542400, micros=1)  # 2100-03-01: no leap year
@example(seconds=LAST, micros=999999)
@example(seconds=LAST + 1, micros=1_000_000)
def test_timestamps(native: Native, seconds: int, micros: int) -> None:
    writer, beyond = native.writer(27), (seconds, micros) > (LAST, 999999)
    native.lib.put_timestamp(writer, seconds, micros)
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=0 if beyond else seconds, microseconds=micros)
    said = "9999-12-31T23:59:59.999999" if beyond else when.isoformat(timespec="microseconds")
    assert native.written(writer).decode() == f"{said}Z"
