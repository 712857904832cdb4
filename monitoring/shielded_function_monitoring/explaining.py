"""Explains why a filter pattern does not match a line: the conditions that do not hold, and the line's values.

>>> pattern = '{ ($.function_shield IS TRUE) && ($.mode = "block") }'
>>> [str(each) for each in why_not(pattern, '{"function_shield":true,"mode":"alert"}')]
['$.mode = "block" does not hold: it is "alert"']
>>> why_not(pattern, '{"function_shield":true,"mode":"block"}')
()
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from .pattern import Condition, Group, Pattern, parse, read_line
from .visible import visible

_SHOWN: Final = 60


@dataclass(frozen=True)
class Failure:
    """One condition that does not hold.

    Attributes:
        condition: as the pattern has it; empty where the line has no fields.
        reason: the line's value.
    """

    condition: str
    reason: str

    def __str__(self) -> str:
        return f"{self.condition} does not hold: {self.reason}" if self.condition else self.reason


def why_not(pattern: str, line: str) -> tuple[Failure, ...]:
    """The conditions of a metric filter's pattern to blame; empty when the line matches.

    Of `&&`, those operands that do not hold; of `||`, all of them, since each would have been enough.

    Raises:
        PatternError: the pattern is not one for JSON lines, or has a regular expression (`%...%`).
    """
    read, value = parse(pattern), read_line(line)
    if value is None:
        return (Failure("", "the line is no object of JSON: a JSON pattern matches none of it"),)
    return tuple(_failures(read, value))


def _failures(pattern: Pattern, value: Any) -> Iterator[Failure]:
    if pattern.holds(value):
        return
    if isinstance(pattern, Group):
        for operand in pattern.operands:
            yield from _failures(operand, value)
        return
    assert isinstance(pattern, Condition)
    found = pattern.selector.select(value)
    yield Failure(pattern.expression(), f"it is {_shown(found)}" if found else f"there is no {pattern.selector.text}")


def _shown(found: list[Any]) -> str:
    texts = [json.dumps(each, default=_plain, ensure_ascii=False) for each in found[:3]]
    text = " and ".join(visible(each if len(each) <= _SHOWN else f"{each[:_SHOWN]}...") for each in texts)
    return text + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _plain(value: Any) -> Any:
    # JSON allows 1e999999999: only short numbers are written out.
    short = isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _SHOWN
    return int(value) if short and value == value.to_integral_value() else str(value)
