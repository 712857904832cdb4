"""The conditions of a pattern on one JSON line, their evaluation, and the functions that make them."""

from __future__ import annotations

import json
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, cast

from .selectors import PatternError, Selector

MAX_LENGTH: Final = 1024
"""Characters in a filter pattern (PutMetricFilter, `filterPattern`)."""

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "IS", "NOT EXISTS"]
Value = str | Decimal | bool | None

_COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Pattern(ABC):
    """A condition on one JSON line. Made by `text`, `number`, `exists`, `all_of` and their like."""

    def render(self) -> str:
        """The filter pattern as CloudWatch takes it.

        Raises:
            PatternError: it is longer than 1,024 characters.
        """
        rendered = f"{{ {self.expression()} }}"
        if len(rendered) > MAX_LENGTH:
            raise PatternError(f"the filter pattern has {len(rendered)} characters; CloudWatch takes {MAX_LENGTH}")
        return rendered

    def matches(self, line: str) -> bool:
        """Whether CloudWatch would count this log line. A line that is not one JSON object never matches."""
        value = read_line(line)
        return value is not None and self.holds(value)

    @abstractmethod
    def expression(self) -> str:
        """The text without the braces."""

    @abstractmethod
    def holds(self, value: Any) -> bool:
        """Whether a parsed line meets the condition; numbers are `Decimal`."""

    def __str__(self) -> str:
        return self.render()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Made once: `json.loads` with these arguments would make one for each line.
_DECODER: Final = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal, parse_constant=_refuse_constant)


def read_line(line: str) -> dict[str, Any] | None:
    """The JSON object of a log line, its numbers as `Decimal`; None where the line is none.

    To try a line on several patterns, read it once, and call each pattern's `holds`.
    """
    try:
        value = _DECODER.decode(line)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


@dataclass(frozen=True)
class Condition(Pattern):
    """A condition on the values of one selector, which any of them may meet.

    A text is compared with = or !=, and each `*` in it stands for any characters; a number with any comparison; `IS`
    takes True, False or None; `NOT EXISTS` takes no value, and a null field exists. CloudWatch has no `IS NOT` and no
    `EXISTS`: `exists` writes it as `= "*"`.
    """

    selector: Selector
    operator: Operator
    value: Value = None
    _is_met: Callable[[Any], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        where, value, operator = self.selector.text, self.value, self.operator
        if isinstance(value, str):
            if operator not in ("=", "!="):
                raise PatternError(f"{where}: texts are compared with = or !=, not {operator}")
            if any(ord(character) < 0x20 for character in value):
                raise PatternError(f"{where}: a control character cannot be part of a filter pattern")
        object.__setattr__(self, "_is_met", _test(operator, value))

    def expression(self) -> str:
        match self.value:
            case str(text):
                text = text.replace("\\", "\\\\").replace('"', '\\"')
                written = f' "{text}"'
            case Decimal() as number:
                written = f" {str(number).lower()}"
            case state:
                written = f" {'NULL' if state is None else str(state).upper()}" * (self.operator == "IS")
        return f"{self.selector.text} {self.operator}{written}"

    def holds(self, value: Any) -> bool:
        name = self.selector.only_field
        if name is not None and self.value is not None and value.__class__ is dict:  # as in most patterns here
            return self._is_met(value.get(name))
        found = self.selector.select(value)
        return not found if self.operator == "NOT EXISTS" else any(map(self._is_met, found))


def _test(operator: Operator, value: Value) -> Callable[[Any], bool]:
    """Tells whether one value meets the condition."""
    if isinstance(value, Decimal):
        compare = _COMPARE[operator]
        return lambda found: isinstance(found, Decimal) and compare(found, value)
    if not isinstance(value, str):
        return lambda found: found is value
    equals, wanted = _text_matcher(value), operator == "="

    def is_met(found: Any) -> bool:
        if found.__class__ is str:
            return equals(found) == wanted
        if isinstance(found, bool):
            return value == "*" and wanted
        return isinstance(found, Decimal) and "*" in value and equals(str(found)) == wanted

    return is_met


@dataclass(frozen=True)
class Group(Pattern):
    """Two or more patterns of which all, or any, must hold."""

    connective: Literal["&&", "||"]
    operands: tuple[Pattern, ...]

    def __post_init__(self) -> None:
        if len(self.operands) < 2:
            raise PatternError(f"{self.connective} joins at least two patterns")

    def expression(self) -> str:
        return f" {self.connective} ".join(f"({operand.expression()})" for operand in self.operands)

    def holds(self, value: Any) -> bool:
        decided = self.connective == "||"  # by the first operand that holds, or by the first that does not
        for operand in self.operands:
            if operand.holds(value) is decided:
                return decided
        return not decided


def _text_matcher(wanted: str) -> Callable[[str], bool]:
    """Whether a string equals a text in which each `*` stands for any characters."""
    head, *rest = wanted.split("*")
    if not rest:
        return lambda found: found == wanted
    if wanted == "*":
        return lambda _: True
    *middle, tail = rest

    def matches(found: str) -> bool:
        if len(found) < len(head) + len(tail) or not (found.startswith(head) and found.endswith(tail)):
            return False
        position, end = len(head), len(found) - len(tail)
        for piece in middle:
            at = found.find(piece, position, end)
            if at < 0:
                return False
            position = at + len(piece)
        return True

    return matches


def text(selector: str, equality: Operator, value: str) -> Pattern:
    """`$.details.host = "*.example"`; `*` stands for any characters and cannot be escaped."""
    return Condition(Selector(selector), equality, value)


def number(selector: str, comparison: Operator, value: int | float | Decimal) -> Pattern:
    """`$.details.port != 443`."""
    return Condition(Selector(selector), comparison, Decimal(str(value)))


def is_true(selector: str) -> Pattern:
    """`$.function_shield IS TRUE`."""
    return Condition(Selector(selector), "IS", True)


def exists(selector: str) -> Pattern:
    """A string, number or boolean is there: `$.policy = "*"`."""
    return text(selector, "=", "*")


def not_exists(selector: str) -> Pattern:
    """`$.event NOT EXISTS`."""
    return Condition(Selector(selector), "NOT EXISTS")


def all_of(*patterns: Pattern) -> Pattern:
    """Every pattern holds; a single one is returned as it is."""
    return patterns[0] if len(patterns) == 1 else Group("&&", patterns)


def any_of(*patterns: Pattern) -> Pattern:
    """At least one pattern holds; a single one is returned as it is."""
    return patterns[0] if len(patterns) == 1 else Group("||", patterns)
