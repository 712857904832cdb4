"""The rules of composite alarms: `ALARM("a") OR (ALARM("b") AND NOT OK("c"))`.

    >>> rule = parse_rule('ALARM("checkout") OR ALARM(refund)')
    >>> rule.alarms()
    ('checkout', 'refund')
    >>> rule.holds({"checkout": "OK", "refund": "ALARM"})
    True

Syntax: `AlarmRule` of PutCompositeAlarm
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html). NOT binds before AND, AND
before OR. Alarms are named by their name or ARN.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from ..alarm import AlarmState
from ..errors import ShieldError

MAX_CHILDREN: Final = 100
"""Alarms that one rule may name."""
MAX_DEPTH: Final = 32
"""Nested parentheses and NOTs that are read here."""

_TOKEN: Final = re.compile(r'\s*(?:(?P<quoted>"[^"]*")|(?P<sign>[()])|(?P<word>[^\s()"]+))')


class RuleError(ShieldError):
    """Not a rule, or one that CloudWatch would refuse; the message says where."""


class Rule(ABC):
    """A condition on the states of other alarms."""

    @abstractmethod
    def holds(self, states: Mapping[str, AlarmState]) -> bool:
        """Whether it is met by these states, by the names that the rule uses.

        Raises:
            RuleError: it names an alarm that is not among them.
        """

    @abstractmethod
    def alarms(self) -> tuple[str, ...]:
        """The alarms that it names, each once."""


@dataclass(frozen=True)
class InState(Rule):
    """`ALARM("x")`."""

    state: AlarmState
    alarm: str

    def holds(self, states: Mapping[str, AlarmState]) -> bool:
        if self.alarm not in states:
            raise RuleError(f'{self.state}("{self.alarm}"): there is no such alarm')
        return states[self.alarm] == self.state

    def alarms(self) -> tuple[str, ...]:
        return (self.alarm,)


@dataclass(frozen=True)
class Constant(Rule):
    """`TRUE` or `FALSE`."""

    value: bool

    def holds(self, states: Mapping[str, AlarmState]) -> bool:
        return self.value

    def alarms(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Joined(Rule):
    """Rules of which all, any, or none (`NOT`, of one) must hold."""

    connective: Literal["AND", "OR", "NOT"]
    operands: tuple[Rule, ...]

    def holds(self, states: Mapping[str, AlarmState]) -> bool:
        held = [operand.holds(states) for operand in self.operands]
        return {"AND": all(held), "OR": any(held), "NOT": not held[0]}[self.connective]

    def alarms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for operand in self.operands for name in operand.alarms()))


def parse_rule(text: str) -> Rule:
    """Reads a rule.

    Raises:
        RuleError: it is not one, or names more alarms than CloudWatch takes.
    """
    reader = _Reader(text)
    rule = reader.either(0)
    reader.end()
    if len(rule.alarms()) > MAX_CHILDREN:
        raise RuleError(f"AlarmRule names {len(rule.alarms())} alarms; CloudWatch takes {MAX_CHILDREN}")
    return rule


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise RuleError(f"AlarmRule, character {position + 1}: {text[position : position + 20]!r}")
            self._tokens.append(match[cast(str, match.lastgroup)])
            position = match.end()
        self._at = 0

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        taken = self._next == token
        self._at += taken
        return taken

    def _fail(self, wanted: str) -> RuleError:
        return RuleError(f"AlarmRule: expected {wanted}, found {self._next or 'the end'}: {self._text[:200]}")

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise self._fail(token)

    def end(self) -> None:
        if self._at != len(self._tokens):
            raise self._fail("AND, OR or the end")

    def either(self, depth: int) -> Rule:
        operands = [self._both(depth)]
        while self._take("OR"):
            operands.append(self._both(depth))
        return operands[0] if len(operands) == 1 else Joined("OR", tuple(operands))

    def _both(self, depth: int) -> Rule:
        operands = [self._one(depth)]
        while self._take("AND"):
            operands.append(self._one(depth))
        return operands[0] if len(operands) == 1 else Joined("AND", tuple(operands))

    def _one(self, depth: int) -> Rule:
        if depth > MAX_DEPTH:
            raise RuleError(f"AlarmRule nests more than {MAX_DEPTH} deep")
        if self._take("NOT"):
            return Joined("NOT", (self._one(depth + 1),))
        if self._take("("):
            inner = self.either(depth + 1)
            self._need(")")
            return inner
        word = self._next
        if word in ("TRUE", "FALSE"):
            self._at += 1
            return Constant(word == "TRUE")
        if word not in ("ALARM", "OK", "INSUFFICIENT_DATA"):
            raise self._fail("ALARM, OK, INSUFFICIENT_DATA, NOT, TRUE, FALSE or (")
        self._at += 1
        self._need("(")
        name = self._next.strip('"')
        if not name or self._next in ("(", ")"):
            raise self._fail("the name of an alarm")
        self._at += 1
        self._need(")")
        return InState(word, name)
