"""Makes patterns: each function is one condition as CloudWatch writes it."""

from __future__ import annotations

from decimal import Decimal

from .conditions import Condition, Group, Operator, Pattern
from .parsing import parse_selector


def text(selector: str, equality: Operator, value: str) -> Pattern:
    """`$.details.host = "*.example"`; `*` stands for any characters and cannot be escaped."""
    return Condition(parse_selector(selector), equality, value)


def number(selector: str, comparison: Operator, value: int | float | Decimal) -> Pattern:
    """`$.details.port != 443`."""
    return Condition(parse_selector(selector), comparison, Decimal(str(value)))


def is_true(selector: str) -> Pattern:
    """`$.function_shield IS TRUE`."""
    return Condition(parse_selector(selector), "IS", True)


def exists(selector: str) -> Pattern:
    """A string, number or boolean is there: `$.policy = "*"`."""
    return text(selector, "=", "*")


def not_exists(selector: str) -> Pattern:
    """`$.event NOT EXISTS`."""
    return Condition(parse_selector(selector), "NOT EXISTS")


def all_of(*patterns: Pattern) -> Pattern:
    """Every pattern holds; a single one is returned as it is."""
    return patterns[0] if len(patterns) == 1 else Group("&&", patterns)


def any_of(*patterns: Pattern) -> Pattern:
    """At least one pattern holds; a single one is returned as it is."""
    return patterns[0] if len(patterns) == 1 else Group("||", patterns)
