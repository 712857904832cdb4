"""The conditions of a pattern on one JSON line, and their evaluation."""

from __future__ import annotations

import json
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, cast

from .selectors import PatternError, Selector, Wildcard

MAX_LENGTH: Final = 1024
"""Characters in a filter pattern (PutMetricFilter, `filterPattern`)."""
MAX_WILDCARDS: Final = 3
"""Wildcard selectors (`[*]`, `.*`) in a pattern; one selector holds at most one."""

Equality = Literal["=", "!="]
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]
State = Literal["NULL", "TRUE", "FALSE"]

_STATES: Final[dict[State, Any]] = {"NULL": None, "TRUE": True, "FALSE": False}
_COMPARE: Final[dict[Comparison, Callable[[Decimal, Decimal], bool]]] = {
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
            PatternError: it is longer than 1,024 characters or holds more than three wildcard selectors.
        """
        rendered = f"{{ {self.expression()} }}"
        if len(rendered) > MAX_LENGTH:
            raise PatternError(f"the filter pattern has {len(rendered)} characters; CloudWatch takes {MAX_LENGTH}")
        wildcards = sum(any(isinstance(step, Wildcard) for step in selector.steps) for selector in self.selectors())
        if wildcards > MAX_WILDCARDS:
            raise PatternError(
                f"the filter pattern has {wildcards} wildcard selectors; CloudWatch takes {MAX_WILDCARDS}"
            )
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

    @abstractmethod
    def selectors(self) -> Iterator[Selector]:
        """Every selector in it, in the order of the text."""

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
class _OnSelector(Pattern):
    """A condition on the values of one selector."""

    selector: Selector

    def selectors(self) -> Iterator[Selector]:
        yield self.selector


@dataclass(frozen=True)
class _OnValues(_OnSelector):
    """One that any of the selected values may meet. A selector of one field, as most are, takes a faster path."""

    @abstractmethod
    def _holds(self, found: Any) -> bool: ...

    def holds(self, value: Any) -> bool:
        name = self.selector.only_field
        if name is not None and value.__class__ is dict:
            return self._holds(value.get(name))
        return any(map(self._holds, self.selector.select(value)))


@dataclass(frozen=True)
class TextCondition(_OnValues):
    """A string that equals, or does not equal, a text in which each `*` stands for any characters."""

    equality: Equality
    value: str
    _equals: Callable[[str], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.equality not in ("=", "!="):
            raise PatternError(f"{self.selector.render()}: texts are compared with = or !=, not {self.equality}")
        if any(ord(character) < 0x20 for character in self.value):
            raise PatternError(f"{self.selector.render()}: a control character cannot be part of a filter pattern")
        object.__setattr__(self, "_equals", _text_matcher(self.value))

    def expression(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.selector.render()} {self.equality} "{escaped}"'

    def _holds(self, found: Any) -> bool:
        if found.__class__ is str:
            return self._equals(found) == (self.equality == "=")
        if isinstance(found, bool):
            return self.value == "*" and self.equality == "="
        if isinstance(found, Decimal):
            return "*" in self.value and self._equals(str(found)) == (self.equality == "=")
        return False


@dataclass(frozen=True)
class NumberCondition(_OnValues):
    """A number compared with another."""

    comparison: Comparison
    value: Decimal

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARE:
            raise PatternError(f"{self.selector.render()}: {self.comparison} is not one of {', '.join(_COMPARE)}")
        if not self.value.is_finite():
            raise PatternError(f"{self.selector.render()}: {self.value} cannot be written in a filter pattern")

    def expression(self) -> str:
        return f"{self.selector.render()} {self.comparison} {str(self.value).lower()}"

    def _holds(self, found: Any) -> bool:
        return isinstance(found, Decimal) and _COMPARE[self.comparison](found, self.value)


@dataclass(frozen=True)
class StateCondition(_OnSelector):
    """`IS TRUE`, `IS FALSE` or `IS NULL`. CloudWatch has no `IS NOT`."""

    state: State

    def __post_init__(self) -> None:
        if self.state not in _STATES:
            raise PatternError(f"{self.selector.render()}: IS takes {', '.join(_STATES)}, not {self.state}")

    def expression(self) -> str:
        return f"{self.selector.render()} IS {self.state}"

    def holds(self, value: Any) -> bool:
        state, name = _STATES[self.state], self.selector.only_field
        if name is not None and state is not None and value.__class__ is dict:
            return value.get(name) is state
        return any(found is state for found in self.selector.select(value))


@dataclass(frozen=True)
class AbsentCondition(_OnSelector):
    """`NOT EXISTS`. A null field exists. CloudWatch has no `EXISTS`: `exists` writes it as `= "*"`."""

    def expression(self) -> str:
        return f"{self.selector.render()} NOT EXISTS"

    def holds(self, value: Any) -> bool:
        return not self.selector.select(value)


@dataclass(frozen=True)
class Group(Pattern):
    """Two or more patterns of which all, or any, must hold."""

    connective: Literal["&&", "||"]
    operands: tuple[Pattern, ...]

    def __post_init__(self) -> None:
        if self.connective not in ("&&", "||"):
            raise PatternError(f"{self.connective} is not && or ||")
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

    def selectors(self) -> Iterator[Selector]:
        for operand in self.operands:
            yield from operand.selectors()


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
