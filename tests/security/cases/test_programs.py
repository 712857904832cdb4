"""Programs and the network: what must happen to each attempt (inside/child*.py, forks.py, network.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from security.cases.checking import Results, check, of_section, rows

CHILD, NETWORK = of_section("child", "child_allowed", "forks"), of_section("network")


@pytest.fixture(scope="module")
def results(layer: Path) -> Results:
    return Results(layer, CHILD + NETWORK)


@pytest.mark.promise("child.judged")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(CHILD))
def test_create_child_process(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("outbound.judged")
@pytest.mark.parametrize(("name", "attach", "modes"), rows(NETWORK))
def test_outbound_connectivity(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))
