"""The lines that the C core writes follow the schema, in every reader's form of it, and the filter counts them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shielded_function_monitoring import Alert, parse_line
from shielded_function_monitoring.alert import MAX_LINE, MODES, POLICIES, Origin
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS, level_of, severity_of
from shielded_function_monitoring.pattern import all_of, exists, is_true, text
from shielded_function_monitoring.schema import json_schema
from shielded_function_runtime import core

SHIELDED = is_true("$.function_shield")
COUNTED = all_of(SHIELDED, exists("$.policy"))
SCHEMA = Draft202012Validator(json_schema())
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=200)
raw = st.binary(min_size=1, max_size=200).filter(lambda value: b"\0" not in value)
long = st.sampled_from(["a", '"', "\x01", "é", "\U0001f512", b"\xff"]).map(lambda unit: unit * 5000)
anything = st.one_of(texts, raw, long, st.sampled_from(PLATFORM_PROGRAMS))
NUMBER = st.integers(0, 2**32 - 1)
FACTS = st.fixed_dictionaries(
    {"policy": st.sampled_from(POLICIES), "mode": st.sampled_from(MODES)},
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
)


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
