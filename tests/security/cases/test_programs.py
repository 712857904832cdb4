"""Programs and the network: what must happen to each attempt (inside/child*.py, forks.py, network.py)."""

from __future__ import annotations

import pytest

from security.cases.checking import Results, check, each_of, of_section, results_of

CHILD, NETWORK = of_section("child", "child_allowed", "forks"), of_section("network")
results = results_of(CHILD + NETWORK)


@pytest.mark.promise("child.judged")
@each_of(CHILD)
def test_create_child_process(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))


@pytest.mark.promise("outbound.judged")
@each_of(NETWORK)
def test_outbound_connectivity(results: Results, name: str, attach: str, modes: str) -> None:
    check(results.of(name, attach, modes))
