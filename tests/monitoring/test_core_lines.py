"""The lines that the C core writes follow the schema, and the filter counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function_monitoring import MAX_LINE, MODES, POLICIES, Alert, parse_line, violations
from shielded_function_runtime import core

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=200)
raw = st.binary(min_size=1, max_size=200).filter(lambda value: b"\0" not in value)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("mode", MODES)
def test_every_policy_and_mode(policy: str, mode: str) -> None:
    line = core.alert_line(policy=policy, mode=mode, pid=17, seconds=1_700_000_000)
    alert = parse_line(line)
    assert isinstance(alert, Alert)
    assert (alert.policy, alert.mode, alert.pid) == (policy, mode, 17)
    assert alert.timestamp.timestamp() == 1_700_000_000
    counted = {name for name in POLICIES if violations(name).matches(line)}
    assert (counted, violations().matches(line)) == ({policy}, True)


@given(
    host=texts,
    port=st.integers(1, 65535),
    path=st.one_of(texts, raw),
    arguments=st.lists(st.one_of(texts, raw), max_size=4),
    object=texts,
    folded=st.integers(1, 2**32 - 1),
    allow=texts,
)
def test_any_facts(
    host: str,
    port: int,
    path: str | bytes,
    arguments: list[str | bytes],
    object: str,
    folded: int,
    allow: str,
) -> None:
    line = core.alert_line(
        policy="create_child_process",
        mode="block",
        host=host,
        port=port,
        path=path,
        arguments=arguments,
        object=object,
        folded=folded,
        allow=allow,
        pid=17,
    )
    assert len(line.encode()) < MAX_LINE
    alert = parse_line(line)
    assert isinstance(alert, Alert)
    assert (alert.details.get("port"), alert.folded) == (port, folded)
    assert len(alert.details.get("arguments", [])) == len(arguments)
    assert violations().matches(line)
