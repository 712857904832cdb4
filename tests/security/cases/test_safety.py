"""The engine and its own safety (inside/gate.py, alerts.py, settings.py, memory.py, states.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from security.cases.checking import Results, check, of_section, rows

pytestmark = pytest.mark.promise("shield.gate")

GATE = of_section("gate", "alerts", "settings")
MEMORY, STATES = of_section("memory"), of_section("states")


@pytest.fixture(scope="module")
def results(layer: Path) -> Results:
    return Results(layer, GATE + MEMORY + STATES)


@pytest.mark.parametrize(("name", "attach", "modes"), rows(GATE))
def test_ways_into_the_kernel_and_alerts(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.parametrize(("name", "attach", "modes"), rows(MEMORY))
def test_text_and_executable_memory(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("shield.transparent")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(STATES))
def test_signals_threads_and_odd_states(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))
