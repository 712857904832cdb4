"""The engine and its own safety (inside/gate.py, alerts.py, settings.py, memory.py, states.py)."""

from __future__ import annotations

import pytest

from security.cases.checking import check, each_of, of_section, result, results
from security.cases.suite import Result

__all__ = ["result", "results"]

GATE, STATES = of_section("gate", "settings"), of_section("states")
CHANNEL = of_section("alerts")
TEXT, RUNS = of_section("memory", begin=("text_", "engine_", "segment_")), of_section("memory", begin="memory_")


@pytest.mark.promise("shield.gate", "shield.high-bits", "memory.sites", "memory.late-libraries", "child.limits")
@each_of(GATE)
def test_ways_into_the_kernel(result: Result) -> None:
    """Also by numbers that look like others', and from libraries that come later."""
    check(result)


@pytest.mark.promise("alert.not-silenced", "alert.one-line")
@each_of(CHANNEL)
def test_the_channel_of_alerts(result: Result) -> None:
    """And its lines, whatever the bytes."""
    check(result)


@pytest.mark.promise("shield.text", "shield.text-stays", "shield.engine-stays")
@each_of(TEXT)
def test_patched_text_and_the_engines_own_pages(result: Result) -> None:
    check(result)


@pytest.mark.promise("memory.not-run", "memory.personality")
@each_of(RUNS)
def test_memory_that_is_to_run(result: Result) -> None:
    check(result)


@pytest.mark.promise("shield.transparent")
@each_of(STATES)
def test_signals_threads_and_odd_states(result: Result) -> None:
    check(result)
