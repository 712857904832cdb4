"""Finds rows that are clearly worse than recorded. No effects here: figures in, verdicts out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

_DRAWS = 400
_MARGIN = 1.10  # a ratio's interval has to lie above the recorded one by more
_SHARE = 0.05  # of a count: more than so much more is worse


@dataclass(frozen=True)
class Figures:
    """What is recorded of a row, or was measured; None for what was not.

    Attributes:
        calls: system calls that the shield adds to one call of the row.
        faults: page faults that it adds.
        ratio: of the processor's time, shielded to unshielded.
        interval: where the ratio lies in 95 % of a bootstrap.
        size: of a file, in KB.
    """

    calls: float | None = None
    faults: float | None = None
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    size: float | None = None

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Figures:
        """What `as_json` made."""
        interval = found.get("interval")
        return cls(**{**found, "interval": (interval[0], interval[1]) if interval else None})

    def as_json(self) -> dict[str, object]:
        """Without None values."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def ratio_and_interval(
    pairs_of_processes: Sequence[Sequence[tuple[float, float]]],
) -> tuple[float, tuple[float, float]]:
    """The ratio over all rounds of all pairs of processes, and where it lies in 95 % of the draws.

    Processes are drawn first, then their rounds: where a process happens to lie in memory is worth some per cent, which
    no number of rounds evens out.
    """
    draw = random.Random(0)
    ratios = [[shielded / unshielded for unshielded, shielded in rounds] for rounds in pairs_of_processes]
    drawn = [
        median(median(draw.choices(rounds, k=len(rounds))) for rounds in draw.choices(ratios, k=len(ratios)))
        for _ in range(_DRAWS)
    ]
    cuts = quantiles(drawn, n=40)
    return median(median(rounds) for rounds in ratios), (cuts[0], cuts[-1])


def worse(recorded: Figures, now: Figures, slack: float) -> list[str]:
    """Figures of a row that became clearly worse, a phrase each. `slack`: how many calls or faults more say nothing."""
    found: list[str] = []
    counts = (("system calls", recorded.calls, now.calls), ("page faults", recorded.faults, now.faults))
    for what, before, after in counts:
        if before is not None and after is not None and after > before + max(slack, _SHARE * abs(before)):
            found.append(f"adds {after:.2f} {what}, recorded {before:.2f}")
    if recorded.size is not None and now.size is not None and now.size > recorded.size * (1 + _SHARE):
        found.append(f"{now.size:.0f} KB, recorded {recorded.size:.0f}")
    if is_slower(recorded, now) and now.interval and recorded.interval:
        found.append(
            f"{now.ratio:.3f}x ({now.interval[0]:.3f} to {now.interval[1]:.3f}), "
            f"recorded {recorded.ratio:.3f}x (to {recorded.interval[1]:.3f})"
        )
    return found


def is_slower(recorded: Figures, now: Figures) -> bool:
    """Whether the ratio's interval lies above the recorded one by more than the margin."""
    if recorded.interval is None or now.interval is None:
        return False
    return now.interval[0] > recorded.interval[1] * _MARGIN
