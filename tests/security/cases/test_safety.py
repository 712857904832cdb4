"""The engine and its own safety (inside/gate.py, alerts.py, settings.py, memory.py, states.py)."""

from __future__ import annotations

import pytest

from security.cases.checking import check, each_of, of_section, result, results
from security.cases.suite import Result

__all__ = ["result", "results"]

pytestmark = pytest.mark.promise("shield.gate")

GATE, STATES = of_section("gate", "alerts", "settings"), of_section("states")
NUMBERS = of_section("gate", begin=("leave_number_", "leave_x32"))
LATER = of_section("gate", begin=("entry_inline_", "entry_second_libc"))
CHANNEL, LINES = of_section("alerts", begin="log_"), of_section("alerts", begin="line_")
TEXT, ENGINE = of_section("memory", begin="text_"), of_section("memory", begin=("engine_", "segment_"))
RUNS = of_section("memory", begin="memory_")
OWN = [*NUMBERS, *LATER, *CHANNEL, *LINES]


@each_of([case for case in GATE if case not in OWN])
def test_ways_into_the_kernel(result: Result) -> None:
    check(result)


@pytest.mark.promise("shield.high-bits")
@each_of(NUMBERS)
def test_numbers_that_look_like_others(result: Result) -> None:
    check(result)


@pytest.mark.promise("memory.sites", "memory.late-libraries")
@each_of(LATER)
def test_calls_of_libraries_that_come_later(result: Result) -> None:
    check(result)


@pytest.mark.promise("alert.not-silenced")
@each_of(CHANNEL)
def test_the_channel_of_alerts(result: Result) -> None:
    check(result)


@pytest.mark.promise("alert.one-line")
@each_of(LINES)
def test_lines_whatever_the_bytes(result: Result) -> None:
    check(result)


@pytest.mark.promise("shield.text", "shield.text-stays")
@each_of(TEXT)
def test_patched_text(result: Result) -> None:
    check(result)


@pytest.mark.promise("shield.engine-stays")
@each_of(ENGINE)
def test_the_engines_own_pages(result: Result) -> None:
    check(result)


@pytest.mark.promise("memory.not-run")
@each_of(RUNS)
def test_memory_that_is_to_run(result: Result) -> None:
    check(result)


@pytest.mark.promise("shield.transparent")
@each_of(STATES)
def test_signals_threads_and_odd_states(result: Result) -> None:
    check(result)
