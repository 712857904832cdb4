"""When a row of the benchmark counts as clearly worse than what is recorded of it."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
SLACK = 0.2


def _load(name: str) -> ModuleType:
    """A module of the folder, which is not a package."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


comparison = _load("comparison")
Figures = comparison.Figures


@pytest.mark.parametrize(
    ("recorded", "now", "is_worse"),
    [
        (0.0, 0.2, False),
        (0.0, 0.25, True),
        (3.06, 3.2, False),
        (3.06, 4.06, True),
        (200.0, 210.0, False),
        (200.0, 211.0, True),
        (8.0, 3.0, False),
    ],
)
def test_counts(recorded: float, now: float, is_worse: bool) -> None:
    for kind in ("calls", "faults"):
        found = comparison.worse(Figures(**{kind: recorded}), Figures(**{kind: now}), SLACK)
        assert bool(found) is is_worse, found


@pytest.mark.parametrize(
    ("interval", "is_worse"),
    [((1.0, 1.3), False), ((1.15, 1.16), False), ((1.2, 1.4), True), ((1.16, 1.17), True)],
)
def test_a_ratio_is_worse_above_the_recorded_interval(interval: tuple[float, float], is_worse: bool) -> None:
    """By more than a tenth: 1.05 was recorded as the upper end."""
    recorded = Figures(ratio=1.02, interval=(1.0, 1.05))
    now = Figures(ratio=sum(interval) / 2, interval=interval)
    assert comparison.is_slower(recorded, now) is is_worse
    assert bool(comparison.worse(recorded, now, SLACK)) is is_worse


def test_a_library_may_grow_a_little() -> None:
    recorded = Figures(size=200.0)
    assert comparison.worse(recorded, Figures(size=210.0), SLACK) == []
    assert comparison.worse(recorded, Figures(size=211.0), SLACK) == ["211 KB, recorded 200"]


def test_what_was_not_recorded_or_not_measured_is_not_worse() -> None:
    measured = Figures(calls=9.0, faults=9.0, ratio=9.0, interval=(8.0, 10.0), size=9.0)
    assert comparison.worse(Figures(), measured, SLACK) == []
    assert comparison.worse(measured, Figures(), SLACK) == []


@pytest.mark.parametrize(
    "figures", [Figures(calls=1.0, faults=0.0), Figures(ratio=1.1, interval=(1.0, 1.2)), Figures()]
)
def test_figures_survive_their_file(figures: object) -> None:
    assert Figures.from_json(figures.as_json()) == figures  # type: ignore[attr-defined]


def test_the_interval_knows_that_processes_differ() -> None:
    """Many rounds of few processes that differ: the interval spans the processes. Alike, it is narrow."""
    noise = random.Random(1)

    def rounds(ratio: float) -> list[tuple[float, float]]:
        return [(100.0, 100.0 * ratio * noise.uniform(0.99, 1.01)) for _ in range(50)]

    ratio, (low, high) = comparison.ratio_and_interval([rounds(r) for r in (1.0, 1.1, 1.2, 1.3, 1.4)])
    assert ratio == pytest.approx(1.2, abs=0.02)
    assert low <= 1.12
    assert high >= 1.28
    ratio, (low, high) = comparison.ratio_and_interval([rounds(1.2) for _ in range(5)])
    assert 1.19 < low <= ratio <= high < 1.21
