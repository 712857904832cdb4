"""The timeline of a report: bars by period, stacked by control."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from .model import Period
from .parts import class_of, in_order, text

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 1000, 180, 46, 22, 10


def timeline(periods: Sequence[Period]) -> Iterable[str]:
    """The section; none where nothing happened."""
    if not periods:
        return
    begun = _without_gaps(sorted({each.begun for each in periods}))
    stacks: dict[str, dict[str, int]] = {each: {} for each in begun}
    for each in periods:
        stacks[each.begun][each.policy] = stacks[each.begun].get(each.policy, 0) + each.count
    policies = in_order(each.policy for each in periods)
    most = max(sum(stack.values()) for stack in stacks.values()) or 1
    room, tall = _WIDTH - _LEFT - 8, _HEIGHT - _BOTTOM - _TOP
    step = room / len(begun)
    yield "<h2>When</h2>"
    yield '<div class="wide-scroll">'
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Violations over time">'
    yield f'<line x1="{_LEFT}" y1="{_TOP + tall}" x2="{_WIDTH - 8}" y2="{_TOP + tall}"/>'
    yield f'<text x="4" y="{_TOP + 10}">{most:,}</text><text x="4" y="{_TOP + tall}">0</text>'
    for at, moment in enumerate(begun):
        base = float(_TOP + tall)
        for policy in filter(stacks[moment].__contains__, policies):
            count = stacks[moment][policy]
            height = max(tall * count / most, 1.0 if count else 0.0)
            base -= height
            yield (
                f'<rect class="{class_of(policy)}" x="{_LEFT + at * step + step * 0.1:.1f}" y="{base:.1f}" '
                f'width="{max(step * 0.8, 0.5):.1f}" height="{height:.1f}">'
                f"<title>{text(moment[:16])} UTC, {text(policy)}: {count:,}</title></rect>"
            )
    for at in sorted({0, len(begun) // 2, len(begun) - 1}):
        anchor = "start" if at == 0 else "end" if at == len(begun) - 1 else "middle"
        place = _LEFT + at * step + (step if anchor == "end" else step / 2 if anchor == "middle" else 0)
        yield f'<text x="{place:.0f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{text(begun[at][:16])}</text>'
    yield "</svg></div>"
    yield '<div class="legend">'
    yield from (f'<span><i class="{class_of(policy)}"></i>{text(policy)}</span>' for policy in policies)
    yield "</div>"


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


_PERIOD_FORMAT: Final = "%Y-%m-%d %H:%M:%S.000"
_MOST_PERIODS: Final = 800
