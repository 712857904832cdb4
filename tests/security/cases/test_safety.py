"""The engine and its own safety (inside/gate.py, alerts.py, settings.py, memory.py, states.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from security.cases.checking import Results, check, of_section, rows

pytestmark = pytest.mark.promise("shield.gate")

GATE, STATES = of_section("gate", "alerts", "settings"), of_section("states")
NUMBERS = of_section("gate", begin=("leave_number_", "leave_x32"))
LATER = of_section("gate", begin=("entry_inline_", "entry_second_libc"))
CHANNEL, LINES = of_section("alerts", begin="log_"), of_section("alerts", begin="line_")
STORMS = of_section("alerts", begin="storm_")
TEXT, ENGINE = of_section("memory", begin="text_"), of_section("memory", begin=("engine_", "segment_"))
RUNS = of_section("memory", begin="memory_")
OWN = [*NUMBERS, *LATER, *CHANNEL, *LINES, *STORMS]


@pytest.fixture(scope="module")
def results(layer: Path) -> Results:
    return Results(layer, GATE + TEXT + ENGINE + RUNS + STATES)


@pytest.mark.parametrize(("name", "attach", "modes"), rows([case for case in GATE if case not in OWN]))
def test_ways_into_the_kernel(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("shield.high-bits")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(NUMBERS))
def test_numbers_that_look_like_others(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("memory.sites", "memory.late-libraries")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(LATER))
def test_calls_of_libraries_that_come_later(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("alert.not-silenced")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(CHANNEL))
def test_the_channel_of_alerts(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("alert.one-line")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(LINES))
def test_lines_whatever_the_bytes(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("alert.storm")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(STORMS))
def test_storms_are_counted(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("shield.text", "shield.text-stays")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(TEXT))
def test_patched_text(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("shield.engine-stays")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(ENGINE))
def test_the_engines_own_pages(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("memory.not-run")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(RUNS))
def test_memory_that_is_to_run(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("shield.transparent")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(STATES))
def test_signals_threads_and_odd_states(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))
