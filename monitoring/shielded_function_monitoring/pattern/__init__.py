"""CloudWatch Logs filter patterns for JSON lines: build them, render them, read them back, try them here.

A metric filter is the only part of the alarm chain that a laptop cannot run, so a pattern here is an
object that renders its CloudWatch text and matches lines as CloudWatch does:

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

* a comparison holds only for its kind of value (a number for a number, a string for a text);
* a text with a wildcard also matches the digits of a number, and a lone `*` any string, number or boolean;
* `!=` does not hold for a field that is absent (observed in the console's pattern test), nor for null,
  an object or an array.
"""

from __future__ import annotations

from .conditions import (
    MAX_LENGTH,
    Condition,
    Group,
    Pattern,
    all_of,
    any_of,
    exists,
    is_true,
    not_exists,
    number,
    read_line,
    text,
)
from .parsing import parse
from .selectors import PatternError, Selector

__all__ = [
    "MAX_LENGTH",
    "Condition",
    "Group",
    "Pattern",
    "PatternError",
    "Selector",
    "all_of",
    "any_of",
    "exists",
    "is_true",
    "not_exists",
    "number",
    "parse",
    "read_line",
    "text",
]
