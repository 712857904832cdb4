"""The rules of composite alarms: `ALARM("a") OR (ALARM("b") AND NOT OK("c"))`.

    >>> rule = parse_rule('ALARM("checkout") OR ALARM(refund)')
    >>> rule.alarms
    ('checkout', 'refund')
    >>> rule.holds({"checkout": "OK", "refund": "ALARM"})
    True

Syntax: `AlarmRule` of PutCompositeAlarm
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html). NOT binds before AND, AND
before OR, as in Python, whose parser reads the rule here. Alarms are named by their name or ARN.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from ..errors import ShieldError
from .states import AlarmState

MAX_CHILDREN: Final = 100
"""Alarms that one rule may name."""
MAX_LENGTH: Final = 10_240
"""Characters of a rule."""

_TOKEN: Final = re.compile(
    r"""\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^\s()"]+))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))"""
)
_EXPECTED: Final = "ALARM(name), OK(name), INSUFFICIENT_DATA(name), AND, OR, NOT, TRUE, FALSE or a parenthesis"


class RuleError(ShieldError):
    """Not a rule, or one that CloudWatch would refuse; the message says where."""


@dataclass(frozen=True)
class CompositeRule:
    """A condition on the states of other alarms: `wanted` has each state with the name of its alarm."""

    text: str
    wanted: Sequence[tuple[AlarmState, str]]
    tree: ast.expr = field(repr=False, compare=False)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms that it names, each once."""
        return tuple(dict.fromkeys(name for _, name in self.wanted))

    def holds(self, states: Mapping[str, AlarmState]) -> bool:
        """Whether it is met by these states, by the names that the rule uses.

        Raises:
            RuleError: it names an alarm that is not among them.
        """
        if missing := [name for name in self.alarms if name not in states]:
            raise RuleError(f"AlarmRule names {missing[0]}: there is no such alarm")
        return _holds(self.tree, [states[name] == state for state, name in self.wanted])


def parse_rule(text: str) -> CompositeRule:
    """Reads a rule.

    Raises:
        RuleError: it is not one, or is longer, or names more alarms, than CloudWatch takes.
    """
    wanted: list[tuple[AlarmState, str]] = []
    python: list[str] = []
    at = 0
    while text[at:].strip():
        if (match := _TOKEN.match(text, at)) is None:
            raise RuleError(f"AlarmRule, character {at + 1}: expected {_EXPECTED}, found {text[at : at + 20]!r}")
        state, quoted, plain, word, sign = match.groups()
        if state:
            python.append(f"wanted[{len(wanted)}]")
            wanted.append((cast("AlarmState", state), quoted or plain))
        else:
            python.append(sign or (word.title() if word in ("TRUE", "FALSE") else word.lower()))
        at = match.end()
    if len(text) > MAX_LENGTH:
        raise RuleError(f"AlarmRule has {len(text)} characters; CloudWatch takes {MAX_LENGTH}")
    try:
        rule = CompositeRule(text, tuple(wanted), ast.parse(" ".join(python), mode="eval").body)
        _holds(rule.tree, [False] * len(wanted))
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise RuleError(
            f"AlarmRule: an AND, an OR or a parenthesis is missing, or is one too many: {text[:200]}"
        ) from error
    if len(rule.alarms) > MAX_CHILDREN:
        raise RuleError(f"AlarmRule names {len(rule.alarms)} alarms; CloudWatch takes {MAX_CHILDREN}")
    return rule


def _holds(tree: ast.expr, wanted: Sequence[bool]) -> bool:
    match tree:
        case ast.BoolOp(op=op, values=values):
            held = [_holds(value, wanted) for value in values]
            return all(held) if isinstance(op, ast.And) else any(held)
        case ast.UnaryOp(operand=operand):
            return not _holds(operand, wanted)
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=int(number))):
            return wanted[number]
        case ast.Constant(value=bool(value)):
            return value
        case _:  # `ALARM("a") (ALARM("b"))` is a call in Python
            raise SyntaxError("not a rule")
