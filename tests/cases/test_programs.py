"""Programs and the network: what must happen to each attempt (inside/child.py, inside/network.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.checking import Results, check, of_section, rows, run_all

CHILD, NETWORK = of_section("child"), of_section("network")


@pytest.fixture(scope="module")
def results(layer: Path) -> Results:
    return run_all(layer, CHILD + NETWORK)


@pytest.mark.parametrize(("name", "attach"), rows(CHILD))
def test_create_child_process(results: Results, name: str, attach: str) -> None:
    check(results[name, attach])


@pytest.mark.parametrize(("name", "attach"), rows(NETWORK))
def test_outbound_connectivity(results: Results, name: str, attach: str) -> None:
    check(results[name, attach])
