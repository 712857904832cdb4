"""The timeline of a report: bars by period, stacked by control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from .model import Period

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 1000, 180, 46, 22, 10
_PERIOD_FORMAT: Final = "%Y-%m-%d %H:%M:%S.000"
_MOST_PERIODS: Final = 800


class Bar(NamedTuple):
    """The violations of one control in one period, as a rectangle of the picture."""

    begun: str
    policy: str
    times: int
    x: float
    y: float
    width: float
    height: float


class Timeline(NamedTuple):
    """The picture: `most` violations are its full height; `labels` have a time, a place and an anchor."""

    most: int
    bars: Sequence[Bar]
    labels: Sequence[tuple[str, float, str]]


def timeline(periods: Sequence[Period]) -> Timeline | None:
    """The timeline; None where nothing happened."""
    if not periods:
        return None
    begun = _without_gaps(sorted({each.begun for each in periods}))
    stacks: dict[str, Counter[str]] = {each: Counter() for each in begun}
    for each in sorted(periods, key=lambda each: each.policy):
        stacks[each.begun][each.policy] += each.count
    most = max(stack.total() for stack in stacks.values()) or 1
    step, tall = (WIDTH - LEFT - 8) / len(begun), HEIGHT - BOTTOM - TOP
    bars = []
    for at, moment in enumerate(begun):
        base = float(TOP + tall)
        for policy, count in stacks[moment].items():
            height = max(tall * count / most, 1.0 if count else 0.0)
            base -= height
            bars.append(Bar(moment, policy, count, LEFT + (at + 0.1) * step, base, max(step * 0.8, 0.5), height))
    ends = {len(begun) - 1: ("end", 1.0), len(begun) // 2: ("middle", 0.5), 0: ("start", 0.0)}
    return Timeline(most, bars, [(begun[at], LEFT + (at + share) * step, end) for at, (end, share) in ends.items()])


def _without_gaps(begun: list[str]) -> list[str]:
    """Adds the periods without violations, so that a bar's place is its time."""
    try:
        times = sorted({datetime.strptime(each, _PERIOD_FORMAT) for each in begun})
    except ValueError:
        return begun
    steps = [after - before for before, after in pairwise(times)]
    hourly = any(each.hour or each.minute for each in times)
    step = min([*steps, timedelta(hours=1) if hourly else timedelta(days=1)])
    count = (times[-1] - times[0]) // step + 1
    if count > _MOST_PERIODS:
        return begun
    return sorted({*begun, *((times[0] + at * step).strftime(_PERIOD_FORMAT) for at in range(count))})
