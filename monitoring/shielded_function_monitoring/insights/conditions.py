"""The conditions of a `filter`."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .names import QueryError, Record, read_field, write_name, write_value

Test = Callable[[Record], bool]

# `!=` is left out: the guide does not define it for an absent field.
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Condition(ABC):
    """A condition on one line."""

    @abstractmethod
    def render(self) -> str:
        """As a query has it."""

    @abstractmethod
    def compile(self) -> Test:
        """A function that tells whether a record meets it."""


@dataclass(frozen=True)
class Compare(Condition):
    """A field compared with a value. A field that is absent, or of another kind than the value, does not compare."""

    field: str
    comparison: str
    value: str | int

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARE:
            raise QueryError(f"{self.field}: {self.comparison} is not one of {', '.join(_COMPARE)}")

    def render(self) -> str:
        return f"{write_name(self.field)} {self.comparison} {write_value(self.value)}"

    def compile(self) -> Test:
        read, compare, wanted = read_field(self.field), _COMPARE[self.comparison], self.value
        kinds = (str,) if isinstance(wanted, str) else (int, float)
        return lambda record: isinstance(found := read(record), kinds) and compare(found, wanted)


@dataclass(frozen=True)
class In(Condition):
    """A field that is one of several texts."""

    field: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise QueryError(f"{self.field} in []: name at least one value")

    def render(self) -> str:
        return f"{write_name(self.field)} in [{', '.join(map(write_value, self.values))}]"

    def compile(self) -> Test:
        read, wanted = read_field(self.field), frozenset(self.values)
        return lambda record: read(record) in wanted


@dataclass(frozen=True)
class Like(Condition):
    """A field that holds a text; upper and lower case differ."""

    field: str
    part: str

    def render(self) -> str:
        return f"{write_name(self.field)} like {write_value(self.part)}"

    def compile(self) -> Test:
        read, part = read_field(self.field), self.part
        return lambda record: isinstance(found := read(record), str) and part in found


@dataclass(frozen=True)
class IsPresent(Condition):
    """A field that the line has."""

    field: str

    def render(self) -> str:
        return f"ispresent({write_name(self.field)})"

    def compile(self) -> Test:
        read = read_field(self.field)
        return lambda record: read(record) is not None


@dataclass(frozen=True)
class _Group(Condition):
    conditions: tuple[Condition, ...]

    def __init__(self, *conditions: Condition) -> None:
        object.__setattr__(self, "conditions", conditions)
        if not conditions:
            raise QueryError("and, or: give at least one condition")

    def _joined(self, word: str) -> str:
        return f" {word} ".join(
            f"({each.render()})" if isinstance(each, _Group) and len(self.conditions) > 1 else each.render()
            for each in self.conditions
        )


class All(_Group):
    """Every one of them: `and`."""

    def render(self) -> str:
        return self._joined("and")

    def compile(self) -> Test:
        tests = [each.compile() for each in self.conditions]

        def holds(record: Record) -> bool:
            for test in tests:  # noqa: SIM110 - twice as fast as all() with a generator
                if not test(record):
                    return False
            return True

        return holds


class AnyOf(_Group):
    """At least one of them: `or`."""

    def render(self) -> str:
        return self._joined("or")

    def compile(self) -> Test:
        tests = [each.compile() for each in self.conditions]
        return lambda record: any(test(record) for test in tests)
