"""CloudWatch Logs filter patterns for JSON lines: build them, render them, read them back, try them here.

A metric filter is the only part of the alarm chain that nobody can run on a laptop, so a pattern here is an
object that knows both its CloudWatch text and what that text matches:

    >>> pattern = all_of(is_true("$.function_shield"), text("$.details.host", "!=", "*.internal"))
    >>> pattern.render()
    '{ ($.function_shield IS TRUE) && ($.details.host != "*.internal") }'
    >>> pattern.matches('{"function_shield":true,"details":{"host":"evil.example"}}')
    True
    >>> parse(pattern.render()) == pattern
    True

Syntax and limits: "Filter pattern syntax for metric filters" in the CloudWatch Logs user guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html). Regular expressions
(`%...%`) and patterns for lines that are not JSON are not part of this subset: reading one is an error.

Where the guide says nothing, `matches` says no rather than yes:

* a comparison holds only for a value of its own kind (a number for a number, a string for a text);
* a text with a wildcard also matches the digits of a number, and a lone `*` any string, number or boolean;
* `!=` does not hold for a field that is absent (observed in the console's pattern test), nor for null,
  an object or an array.
"""

from __future__ import annotations

import enum
import json
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, cast

MAX_LENGTH: Final = 1024
"""Characters in a filter pattern (PutMetricFilter, `filterPattern`)."""
MAX_WILDCARDS: Final = 3
"""Wildcard selectors (`[*]`, `.*`) in a pattern; one selector holds at most one."""
MAX_DEPTH: Final = 32
"""Nested parentheses that `parse` accepts; CloudWatch names no limit."""

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

_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY = re.compile(r"[^'\x00-\x1f]+")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


class PatternError(ValueError):
    """A pattern that CloudWatch would not take, or that is outside the subset kept here."""


class Wildcard(enum.Enum):
    """A step of a selector that stands for every element or every field."""

    ELEMENT = "[*]"
    FIELD = ".*"


Step = str | int | Wildcard


@dataclass(frozen=True)
class Selector:
    """The way to a value: field names, array indexes, and at most one wildcard.

    >>> Selector("details", "arguments", 0).render()
    '$.details.arguments[0]'
    """

    steps: tuple[Step, ...]
    _field: str | None = field(init=False, repr=False, compare=False)

    def __init__(self, *steps: Step) -> None:
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "_field", steps[0] if len(steps) == 1 and isinstance(steps[0], str) else None)
        if not steps or not (isinstance(steps[0], str) or steps[0] is Wildcard.FIELD):
            raise PatternError("a selector starts with a field, as in $.policy")
        if sum(isinstance(step, Wildcard) for step in steps) > 1:
            raise PatternError(f"{self.render()}: a selector holds at most one wildcard")
        for step in steps:
            if isinstance(step, str) and not _QUOTED_KEY.fullmatch(step):
                raise PatternError(f"the field name {step!r} cannot be written in a selector")
            if isinstance(step, int) and step < 0:
                raise PatternError(f"{self.render()}: array indexes start at 0")

    def render(self) -> str:
        return "$" + "".join(_render_step(step) for step in self.steps)

    def select(self, value: Any) -> list[Any]:
        """The values it leads to, none when a step is absent."""
        if self._field is not None and isinstance(value, dict):  # one field, as in nearly every pattern of ours
            fields = cast("dict[str, Any]", value)
            return [fields[self._field]] if self._field in fields else []
        found = [value]
        for step in self.steps:
            found = [inner for outer in found for inner in _take(outer, step)]
        return found


def _render_step(step: Step) -> str:
    if isinstance(step, Wildcard):
        return step.value
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _KEY.fullmatch(step) else f".['{step}']"


def _take(value: Any, step: Step) -> Iterator[Any]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if isinstance(step, str) and step in fields:
            yield fields[step]
        elif step is Wildcard.FIELD:
            yield from fields.values()
    elif isinstance(value, list):
        elements = cast("list[Any]", value)
        if isinstance(step, int) and step < len(elements):
            yield elements[step]
        elif step is Wildcard.ELEMENT:
            yield from elements


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
    """The JSON object that a log line is, its numbers as `Decimal`; None where it is none.

    Who tries a line on several patterns reads it once, and asks each pattern's `holds`.
    """
    try:
        value = _DECODER.decode(line)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


@dataclass(frozen=True)
class TextCondition(Pattern):
    """A string that equals, or does not equal, a text in which each `*` stands for any characters."""

    selector: Selector
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

    def holds(self, value: Any) -> bool:
        return any(map(self._holds, self.selector.select(value)))

    def _holds(self, found: Any) -> bool:
        if isinstance(found, str):
            return self._equals(found) == (self.equality == "=")
        if isinstance(found, bool):
            return self.value == "*" and self.equality == "="
        if isinstance(found, Decimal):
            return "*" in self.value and self._equals(str(found)) == (self.equality == "=")
        return False

    def selectors(self) -> Iterator[Selector]:
        yield self.selector


@dataclass(frozen=True)
class NumberCondition(Pattern):
    """A number compared with another."""

    selector: Selector
    comparison: Comparison
    value: Decimal

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARE:
            raise PatternError(f"{self.selector.render()}: {self.comparison} is not one of {', '.join(_COMPARE)}")
        if not self.value.is_finite():
            raise PatternError(f"{self.selector.render()}: {self.value} cannot be written in a filter pattern")

    def expression(self) -> str:
        return f"{self.selector.render()} {self.comparison} {str(self.value).lower()}"

    def holds(self, value: Any) -> bool:
        compare = _COMPARE[self.comparison]
        return any(isinstance(found, Decimal) and compare(found, self.value) for found in self.selector.select(value))

    def selectors(self) -> Iterator[Selector]:
        yield self.selector


@dataclass(frozen=True)
class StateCondition(Pattern):
    """`IS TRUE`, `IS FALSE` or `IS NULL`. CloudWatch has no `IS NOT`."""

    selector: Selector
    state: State

    def __post_init__(self) -> None:
        if self.state not in _STATES:
            raise PatternError(f"{self.selector.render()}: IS takes {', '.join(_STATES)}, not {self.state}")

    def expression(self) -> str:
        return f"{self.selector.render()} IS {self.state}"

    def holds(self, value: Any) -> bool:
        state = _STATES[self.state]
        return any(found is state for found in self.selector.select(value))

    def selectors(self) -> Iterator[Selector]:
        yield self.selector


@dataclass(frozen=True)
class AbsentCondition(Pattern):
    """`NOT EXISTS`. A null field exists. CloudWatch has no `EXISTS`: `exists` writes it as `= "*"`."""

    selector: Selector

    def expression(self) -> str:
        return f"{self.selector.render()} NOT EXISTS"

    def holds(self, value: Any) -> bool:
        return not self.selector.select(value)

    def selectors(self) -> Iterator[Selector]:
        yield self.selector


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


def text(selector: str, equality: Equality, value: str) -> Pattern:
    """`$.details.host = "*.example"`; `*` stands for any characters and cannot be escaped."""
    return TextCondition(parse_selector(selector), equality, value)


def number(selector: str, comparison: Comparison, value: int | float | Decimal) -> Pattern:
    """`$.details.port != 443`."""
    return NumberCondition(parse_selector(selector), comparison, Decimal(str(value)))


def is_true(selector: str) -> Pattern:
    """`$.function_shield IS TRUE`."""
    return StateCondition(parse_selector(selector), "TRUE")


def is_false(selector: str) -> Pattern:
    """`$.flag IS FALSE`."""
    return StateCondition(parse_selector(selector), "FALSE")


def is_null(selector: str) -> Pattern:
    """`$.field IS NULL`."""
    return StateCondition(parse_selector(selector), "NULL")


def exists(selector: str) -> Pattern:
    """A string, number or boolean is there: `$.policy = "*"`."""
    return TextCondition(parse_selector(selector), "=", "*")


def not_exists(selector: str) -> Pattern:
    """`$.event NOT EXISTS`."""
    return AbsentCondition(parse_selector(selector))


def all_of(*patterns: Pattern) -> Pattern:
    """Every pattern holds; a single one is returned as it is."""
    return patterns[0] if len(patterns) == 1 else Group("&&", patterns)


def any_of(*patterns: Pattern) -> Pattern:
    """At least one pattern holds; a single one is returned as it is."""
    return patterns[0] if len(patterns) == 1 else Group("||", patterns)


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
        operands = [self._conjunction(depth)]
        while self._take("||"):
            operands.append(self._conjunction(depth))
        return any_of(*operands)

    def _conjunction(self, depth: int) -> Pattern:
        operands = [self._operand(depth)]
        while self._take("&&"):
            operands.append(self._operand(depth))
        return all_of(*operands)

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
            return StateCondition(selector, cast(State, state.group(1)))
        if self._match(_ABSENT):
            return AbsentCondition(selector)
        sign = self._match(_OPERATOR)
        if not sign:
            raise self._fail("an operator")
        self._blank()
        if quoted := self._match(_STRING):
            value = re.sub(r"\\(.)", r"\1", quoted.group(1))
            return TextCondition(selector, cast(Equality, sign.group()), value)
        if word := self._match(_WORD):
            if _NUMBER.fullmatch(word.group()):
                return NumberCondition(selector, cast(Comparison, sign.group()), Decimal(word.group()))
            return TextCondition(selector, cast(Equality, sign.group()), word.group())
        raise self._fail('a number or a text in ""')
