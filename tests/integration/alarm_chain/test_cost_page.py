"""`docs/reference/cost-and-scale.md` is what its script computes, and the promise about the fleet holds."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.promise("alarm.cost")

ROOT = Path(__file__).parents[3]
SCRIPT = SimpleNamespace(**runpy.run_path(str(ROOT / "benchmarks" / "cost_and_scale.py")))


def test_the_page_is_current() -> None:
    text = (ROOT / "docs" / "reference" / "cost-and-scale.md").read_text(encoding="utf-8")
    assert text == SCRIPT.render(), "run python benchmarks/cost_and_scale.py"


def test_a_thousand_silent_functions_in_a_fleet() -> None:
    fleet = SCRIPT.Fleet(1_000)
    assert SCRIPT.monthly_cost(SCRIPT.FLEET, fleet) + SCRIPT.extras(fleet) <= 10


def test_a_silent_function_adds_nothing_but_its_starts() -> None:
    one, many = SCRIPT.Fleet(1), SCRIPT.Fleet(10_000)
    for fleet in (one, many):
        assert SCRIPT.monthly_cost(SCRIPT.FLEET, fleet) == pytest.approx(0.20 + SCRIPT.logs_cost(fleet))


@pytest.mark.parametrize(
    ("metrics", "dollars"),
    [(0, 0), (1, 0.30), (10_000, 3_000), (10_001, 3_000.10), (250_000, 27_000), (1_000_001, 64_500.02)],
)
def test_tiers(metrics: int, dollars: float) -> None:
    assert SCRIPT.metrics_cost(metrics) == pytest.approx(dollars)
