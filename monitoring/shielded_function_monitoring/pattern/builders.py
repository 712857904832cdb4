"""Makes patterns: each function is one condition as CloudWatch writes it."""

from __future__ import annotations

from decimal import Decimal

from .conditions import (
    AbsentCondition,
    Comparison,
    Equality,
    Group,
    NumberCondition,
    Pattern,
    StateCondition,
    TextCondition,
)
from .parsing import parse_selector


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
