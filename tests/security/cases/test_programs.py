"""Programs and the network: what must happen to each attempt (inside/child*.py, forks.py, network.py)."""

from __future__ import annotations

import pytest

from security.cases.checking import check, each_of, of_section, result, results
from security.cases.suite import Result

__all__ = ["result", "results"]

CHILD, NETWORK = of_section("child", "child_allowed", "forks"), of_section("network")


@pytest.mark.promise("child.judged")
@each_of(CHILD)
def test_create_child_process(result: Result) -> None:
    check(result)


@pytest.mark.promise("outbound.judged")
@each_of(NETWORK)
def test_outbound_connectivity(result: Result) -> None:
    check(result)
