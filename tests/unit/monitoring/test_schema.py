"""The schema in the docs is the module's, the page's examples and the C core's lines follow it, docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import shielded_function_monitoring
from shielded_function_monitoring import Alert, parse_line
from shielded_function_monitoring.alert import ALARMING_EVENTS, DETAILS, EVENTS, MAX_LINE, ORIGIN, POLICIES, Origin
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS, level_of, severity_of
from shielded_function_monitoring.pattern import all_of, exists, is_true, text
from shielded_function_monitoring.schema import json_schema
from shielded_function_runtime import core

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PAGE = (REFERENCE / "alert-lines.md").read_text()
EXAMPLES = [block.strip() for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
COUNTED = all_of(is_true("$.function_shield"), exists("$.policy"))
SCHEMA = Draft202012Validator(json_schema())


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
    assert value.count == (line["count"] if counts else 0)


REFUSED: dict[str, list[Any]] = {
    "v": [0, None],
    "count": [0, 2],
    "folded": [1],
    "policy": ["start"],
    "mode": ["allow"],
    "pid": [-1],
    "level": ["X"],
    "details": [{"port": "443"}, {"unknown": 1}],
    "timestamp": ["2026-11-24T13:37:00Z"],
}


def test_what_the_schema_refuses() -> None:
    line: dict[str, Any] = json.loads(EXAMPLES[0])
    assert SCHEMA.is_valid(line)
    valid = [
        (name, value) for name, values in REFUSED.items() for value in values if SCHEMA.is_valid(line | {name: value})
    ]
    assert valid == []


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
