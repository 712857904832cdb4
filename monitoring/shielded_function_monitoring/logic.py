"""Reads conditions that are joined by AND, OR, NOT and parentheses, by Python's own parser.

NOT binds before AND, and AND before OR, as in Python, in filter patterns and in the rules of composite alarms alike.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .errors import ShieldError

_T = TypeVar("_T")


@dataclass(frozen=True)
class Language:
    """One way to write such conditions.

    Attributes:
        name: the text's name in messages.
        error: the class of its errors.
        token: one condition, or one of the words as group `word`.
        words: each operator, constant and parenthesis, as Python has it.
        expected: the possible tokens, for messages.
    """

    name: str
    error: type[ShieldError]
    token: re.Pattern[str]
    words: Mapping[str, str]
    expected: str

    def read(
        self, text: str, condition: Callable[[re.Match[str]], _T], joined: Callable[[str, Sequence[_T]], _T]
    ) -> _T:
        """The value of a text.

        Args:
            text: the conditions.
            condition: makes the value of one condition.
            joined: makes that of several, joined by `and`, `or` or `not`. The constant True is `and` of none, and
                False is `or` of none.

        Raises:
            ShieldError: `error`: the text is of another form; the message says where.
        """
        conditions: list[_T] = []
        python: list[str] = []
        at = 0
        while rest := text[at:].lstrip():
            at = len(text) - len(rest)
            if (match := self.token.match(text, at)) is None:
                raise self.error(f"{self.name}, character {at + 1}: expected {self.expected}, found {rest[:20]!r}")
            at = match.end()
            if word := match["word"]:
                python.append(self.words[word])
            else:
                python.append(f"c{len(conditions)}")
                conditions.append(condition(match))
        try:
            return _value(ast.parse(" ".join(python), mode="eval").body, conditions, joined)
        except (SyntaxError, RecursionError, MemoryError) as error:
            message = f"{self.name}: an operator or a parenthesis is missing, or is one too many: {text[:200]}"
            raise self.error(message) from error


def _value(tree: ast.expr, conditions: Sequence[_T], joined: Callable[[str, Sequence[_T]], _T]) -> _T:
    match tree:
        case ast.BoolOp(op=op, values=values):
            parts = [_value(each, conditions, joined) for each in values]
            return joined("and" if isinstance(op, ast.And) else "or", parts)
        case ast.UnaryOp(operand=operand):
            return joined("not", [_value(operand, conditions, joined)])
        case ast.Name(id=name):
            return conditions[int(name[1:])]
        case ast.Constant(value=bool(value)):
            return joined("and" if value else "or", ())
        case _:  # `ALARM("a") (ALARM("b"))` is a call in Python
            raise SyntaxError("no condition")
