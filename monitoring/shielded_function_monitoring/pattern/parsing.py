"""Reads a pattern's text back."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal, cast

from .conditions import MAX_LENGTH, STATES, Condition, Group, Operator, Pattern
from .selectors import PatternError, Selector, Step, Wildcard

MAX_DEPTH: Final = 32
"""Nested parentheses that `parse` accepts; CloudWatch names no limit."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def parse_selector(selector: str) -> Selector:
    """Reads `$.a.['b.c'][0]`.

    Raises:
        PatternError: it is not a selector.
    """
    reader = _Reader(selector)
    result = reader.selector()
    reader.end()
    return result


def parse(rendered: str) -> Pattern:
    """Reads a rendered filter pattern; `parse(p.render()) == p`.

    Raises:
        PatternError: it is not a JSON filter pattern of the subset kept here; the message says where.
    """
    if len(rendered) > MAX_LENGTH:
        raise PatternError(f"the filter pattern has {len(rendered)} characters; CloudWatch takes {MAX_LENGTH}")
    reader = _Reader(rendered)
    reader.expect("{")
    pattern = reader.disjunction(0)
    reader.expect("}")
    reader.end()
    return pattern


_SELECTOR_STEP = re.compile(
    r"""\.\['(?P<quoted>[^'\x00-\x1f]+)'\] | \.(?P<key>[A-Za-z0-9_-]+) | (?P<field>\.\*)
      | \[(?P<index>\d{1,9})\] | (?P<element>\[\*\])""",
    re.VERBOSE,
)
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\["\\])*)"')
_WORD = re.compile(r"[A-Za-z0-9_.*+-]+")
_OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
_STATE = re.compile(r"IS\s+(NULL|TRUE|FALSE)\b")
_ABSENT = re.compile(r"NOT\s+EXISTS\b")


class _Reader:
    """A recursive-descent reader; `()` binds before `&&`, and `&&` before `||`."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def _blank(self) -> None:
        while self._source[self._at : self._at + 1] in (" ", "\t"):
            self._at += 1

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._source, self._at)
        if match:
            self._at = match.end()
        return match

    def _take(self, token: str) -> bool:
        self._blank()
        if self._source.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _fail(self, wanted: str) -> PatternError:
        found = self._source[self._at : self._at + 20] or "the end"
        return PatternError(f"filter pattern, character {self._at + 1}: expected {wanted}, found {found}")

    def expect(self, token: str) -> None:
        if not self._take(token):
            raise self._fail(token)

    def end(self) -> None:
        self._blank()
        if self._at != len(self._source):
            raise self._fail("the end")

    def disjunction(self, depth: int) -> Pattern:
        return self._joined("||", lambda: self._joined("&&", lambda: self._operand(depth)))

    def _joined(self, connective: Literal["&&", "||"], read: Callable[[], Pattern]) -> Pattern:
        operands = [read()]
        while self._take(connective):
            operands.append(read())
        return operands[0] if len(operands) == 1 else Group(connective, tuple(operands))

    def _operand(self, depth: int) -> Pattern:
        if not self._take("("):
            return self._condition()
        if depth >= MAX_DEPTH:
            raise PatternError(f"the filter pattern nests more than {MAX_DEPTH} parentheses")
        inner = self.disjunction(depth + 1)
        self.expect(")")
        return inner

    def selector(self) -> Selector:
        self.expect("$")
        steps: list[Step] = []
        while match := self._match(_SELECTOR_STEP):
            name = cast(str, match.lastgroup)
            found = match.group(name)
            steps.append(Wildcard(found) if name in ("field", "element") else int(found) if name == "index" else found)
        if not steps:
            raise self._fail("a field, as in $.policy")
        return Selector(*steps)

    def _condition(self) -> Pattern:
        selector = self.selector()
        self._blank()
        if state := self._match(_STATE):
            return Condition(selector, "IS", STATES[state[1]])
        if self._match(_ABSENT):
            return Condition(selector, "NOT EXISTS")
        sign = self._match(_OPERATOR)
        if not sign:
            raise self._fail("an operator")
        self._blank()
        operator = cast(Operator, sign[0])
        if quoted := self._match(_STRING):
            return Condition(selector, operator, re.sub(r"\\(.)", r"\1", quoted[1]))
        if word := self._match(_WORD):
            return Condition(selector, operator, Decimal(word[0]) if _NUMBER.fullmatch(word[0]) else word[0])
        if self._source.startswith("%", self._at):
            raise PatternError(f"filter pattern, character {self._at + 1}: regular expressions are not tried here")
        raise self._fail('a number or a text in ""')
