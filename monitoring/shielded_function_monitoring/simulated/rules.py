"""The rules of composite alarms: `ALARM("a") OR (ALARM("b") AND NOT OK("c"))`.

    >>> rule = parse_rule('ALARM("checkout") OR ALARM(refund)')
    >>> rule.alarms
    ('checkout', 'refund')
    >>> rule.holds({"checkout": "OK", "refund": "ALARM"})
    True

Syntax: `AlarmRule` of PutCompositeAlarm
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html). Alarms are named by their
name or ARN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..logic import Language
from .metrics import SimulationError
from .states import AlarmState

_RULE: Final = Language(
    "AlarmRule",
    SimulationError,
    re.compile(
        r"""(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^\s()"]+))\s*\)"""
        r"""|(?P<word>(?:AND|OR|NOT|TRUE|FALSE)\b|[()])"""
    ),
    {"AND": "and", "OR": "or", "NOT": "not", "TRUE": "True", "FALSE": "False", "(": "(", ")": ")"},
    "ALARM(name), OK(name), INSUFFICIENT_DATA(name), AND, OR, NOT, TRUE, FALSE or a parenthesis",
)
_States = Mapping[str, AlarmState]
_Holds = Callable[[_States], bool]


@dataclass(frozen=True)
class CompositeRule:
    """A condition on the states of other alarms: `alarms` are their names, each once."""

    alarms: tuple[str, ...]
    holds: _Holds
    """Whether it is met by these states, by the names that the rule uses."""


def parse_rule(text: str) -> CompositeRule:
    """Reads a rule.

    Raises:
        SimulationError: it is not one.
    """
    names: dict[str, None] = {}

    def condition(match: re.Match[str]) -> _Holds:
        name = match["quoted"] or match["plain"]
        names[name] = None
        return lambda states: states[name] == match["state"]

    holds = _RULE.read(text, condition, _joined)
    return CompositeRule(tuple(names), holds)


def _joined(operator: str, parts: Sequence[_Holds]) -> _Holds:
    match operator:
        case "and":
            return lambda states: all(part(states) for part in parts)
        case "or":
            return lambda states: any(part(states) for part in parts)
        case _:
            return lambda states: not parts[0](states)
