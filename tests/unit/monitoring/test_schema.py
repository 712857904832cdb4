"""The schema in the docs is the reader's, the page's examples and the C core's lines follow it, docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import shielded_function_monitoring
from shielded_function_monitoring import Alert, AlertError, ShieldEvent, parse_line
from shielded_function_monitoring.alert import ALARMING_EVENTS, DETAILS, EVENTS, MAX_LINE, ORIGIN, POLICIES, Origin
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS, level_of, severity_of
from shielded_function_monitoring.frames import Frame
from shielded_function_monitoring.pattern import all_of, exists, is_true, text
from shielded_function_monitoring.schema import json_schema
from shielded_function_runtime import core

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PAGE = (REFERENCE / "alert-lines.md").read_text()
EXAMPLES = [block.strip() for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
COUNTED = all_of(is_true("$.function_shield"), exists("$.policy"))
SCHEMA = Draft202012Validator(json_schema())
COMMON, COUNTING = ("function_shield", "v", "timestamp", "level"), ("policy", "mode", "count")


def test_the_schema_in_the_docs_is_current() -> None:
    """`python -m shielded_function_monitoring.schema > docs/reference/alert-line.schema.json`"""
    assert json.loads((REFERENCE / "alert-line.schema.json").read_text()) == json_schema()
    Draft202012Validator.check_schema(json_schema())


def test_every_field_has_a_row_and_every_event_an_example() -> None:
    lines = [json.loads(example) for example in EXAMPLES]
    assert {line["event"] for line in lines if "event" in line} == set(EVENTS)
    assert sum("event" not in line for line in lines) >= 2
    told = set(re.findall(r"^\| `([\w.]+)`", PAGE, re.MULTILINE))
    fields = json_schema()["oneOf"][0]["properties"]
    caller = fields["caller"]["properties"]
    lists = {f"details.{name}" for name in DETAILS} | {f"caller.{name}" for name in caller}
    assert {*fields, *ORIGIN, "event", *lists} - {"details", "caller"} <= told
    assert {*POLICIES, "start", *EVENTS} <= set(re.findall(r"`(\w+)`", PAGE))


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_counts_as_a_violation_has_a_policy_and_a_count(example: str) -> None:
    line: dict[str, Any] = json.loads(example)
    SCHEMA.validate(line)
    counts = "event" not in line or line["event"] in ALARMING_EVENTS
    assert ("policy" in line and "count" in line) == counts
    assert COUNTED.matches(example) == counts
    value = parse_line(example)
    assert value is not None
    assert (value.policy, value.mode, value.function) == tuple(map(line.get, ("policy", "mode", "function")))
    assert value.count == (line["count"] if counts else 0)
    assert (value.level, value.origin) == (line["level"], Origin(*map(line.get, ORIGIN)))
    assert f"{value.timestamp:%Y-%m-%dT%H:%M:%S.%fZ}" == line["timestamp"]
    if isinstance(value, ShieldEvent):
        common = {*COMMON, *ORIGIN, "event", *(COUNTING if counts else ())}
        assert value.fields == {name: each for name, each in line.items() if name not in common}


# The line as the design writes it.
LINE: dict[str, Any] = json.loads("""{
    "function_shield": true, "v": 1, "function": "checkout", "version": "7", "region": "eu-west-1",
    "account": "123456789012", "timestamp": "2026-11-24T13:37:00.123456Z", "level": "WARN",
    "policy": "outbound_connectivity", "mode": "block", "count": 1,
    "details": {"host": "evil.example", "ip": "203.0.113.7", "port": 443, "protocol": "tcp"},
    "caller": {"object": "_socket.cpython-313-x86_64-linux-gnu.so"}, "pid": 17, "allow": "evil.example:443"}""")
OPTIONAL = ("caller", "allow", *ORIGIN, "function_shield")
EVENT = {key: LINE[key] for key in (*COMMON, "function")}


def test_an_alert() -> None:
    assert parse_line(json.dumps(LINE)) == Alert(
        timestamp=datetime(2026, 11, 24, 13, 37, 0, 123456, tzinfo=timezone.utc),
        level="WARN",
        policy="outbound_connectivity",
        mode="block",
        details={"host": "evil.example", "ip": "203.0.113.7", "port": 443, "protocol": "tcp"},
        pid=17,
        caller="_socket.cpython-313-x86_64-linux-gnu.so",
        allow="evil.example:443",
        origin=Origin("checkout", "7", "eu-west-1", "123456789012"),
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
        ({"timestamp": "2026-11-24T13:37:00Z"}, "timestamp: '2026-11-24T13:37:00Z' is not like"),
        ({"timestamp": 1}, "timestamp: expected str, found 1"),
        ({"level": None}, "level: expected str, found null"),
        ({"mode": "allow"}, "mode: 'allow' is not one of block, alert"),
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
    line = change if "event" in change else LINE | change
    made = {name: value for name, value in line.items() if value is not ...}
    with pytest.raises(AlertError) as error:
        parse_line(json.dumps(made))
    assert says in str(error.value)
    assert not SCHEMA.is_valid(made)


@pytest.mark.parametrize("change", [{"folded": 1}, {"pid": -1}, {"level": "X"}, {"details": {"unknown": 1}}])
def test_the_schema_is_stricter_than_the_reader(change: dict[str, Any]) -> None:
    assert SCHEMA.is_valid(LINE)
    assert SCHEMA.is_valid(FOLDED)
    assert parse_line(json.dumps(LINE | change))
    assert not SCHEMA.is_valid(LINE | change)


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


SHIELDED = is_true("$.function_shield")
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=200)
raw = st.binary(min_size=1, max_size=200).filter(lambda value: b"\0" not in value)
long = st.sampled_from(["a", '"', "\x01", "é", "\U0001f512", b"\xff"]).map(lambda unit: unit * 5000)
anything = st.one_of(texts, raw, long, st.sampled_from(PLATFORM_PROGRAMS))
NUMBER = st.integers(0, 2**32 - 1)
FACTS = st.fixed_dictionaries(
    {"policy": st.sampled_from(POLICIES), "mode": st.sampled_from(["block", "alert"])},
    optional={
        **dict.fromkeys(("function", "version", "region", "account"), anything),
        **dict.fromkeys(("host", "protocol", "sni", "path", "syscall", "object", "allow", "trace"), anything),
        "reason": st.sampled_from(["package", "deny_outbound"]),
        "ip": st.ip_addresses().map(str),
        "port": st.integers(0, 65535),
        "arguments": st.lists(anything, max_size=20),
        "pid": NUMBER,
        "count": st.integers(1, 2**32 - 1),
        "seconds": st.integers(0, 999_999_999_999),
        "micros": NUMBER,
    },
).map(lambda facts: facts if facts["policy"] == "read_handler" else {**facts, "count": 1})


@pytest.mark.promise("alert.one-line")
@given(FACTS)
def test_any_facts(facts: dict[str, Any]) -> None:
    line = core.alert_line(**facts)
    assert len(line.encode()) < MAX_LINE
    SCHEMA.validate(json.loads(line))
    alert = parse_line(line)
    assert isinstance(alert, Alert)
    severe = (alert.policy, alert.mode, alert.details.get("path", ""), facts.get("reason", ""))
    assert (alert.policy, alert.mode, alert.pid) == (facts["policy"], facts["mode"], facts.get("pid", 0))
    assert (alert.details.get("port", 0), alert.count) == (facts.get("port", 0), facts.get("count", 1))
    assert (alert.severity, alert.level) == (severity_of(*severe), level_of(*severe))
    assert (alert.trace is None) == ("trace" not in facts)
    assert len(alert.details.get("arguments", [])) <= len(facts.get("arguments", []))
    counted = [name for name in POLICIES if all_of(SHIELDED, text("$.policy", "=", name)).matches(line)]
    assert (counted, COUNTED.matches(line)) == ([facts["policy"]], True)


@given(*[st.text("abcXYZ019-_$", max_size=64)] + [st.text("abc0123456789-", max_size=12)] * 3)
def test_who_wrote_it(function: str, version: str, region: str, account: str) -> None:
    line = core.alert_line(
        policy="read_write_tmp", mode="block", seconds=1_700_000_000, function=function, version=version, region=region,
        account=account,
    )  # fmt: skip
    alert = parse_line(line)
    assert isinstance(alert, Alert)
    assert alert.timestamp.timestamp() == 1_700_000_000
    assert alert.origin == Origin(function or None, version or None, region or None, account or None)


@pytest.mark.parametrize("count", [0, -1, 2**32])
def test_no_such_count(count: int) -> None:
    with pytest.raises(ValueError, match=r"^count: "):
        core.alert_line(policy="read_write_tmp", mode="block", count=count)


@pytest.mark.promise("package.docs")
def test_examples() -> None:
    path, prefix = shielded_function_monitoring.__path__, f"{shielded_function_monitoring.__name__}."
    modules = [importlib.import_module(module.name) for module in pkgutil.walk_packages(path, prefix)]
    results = {module.__name__.removeprefix(prefix): doctest.testmod(module) for module in modules}
    assert [name for name, found in results.items() if found.failed] == []
    assert {"alert", "filters", "pattern", "queries"} <= {name for name, found in results.items() if found.attempted}
