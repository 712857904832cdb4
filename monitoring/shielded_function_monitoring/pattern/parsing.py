"""Reads a pattern's text back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from ..logic import Language
from .conditions import MAX_LENGTH, Condition, Group, Pattern, Value
from .selectors import STEP, PatternError, Selector

_STATES: Final[dict[str, Value]] = {"NULL": None, "TRUE": True, "FALSE": False}
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_PATTERN: Final = Language(
    "filter pattern",
    PatternError,
    re.compile(
        rf"""(?P<word>&&|\|\||[()])|(?P<selector>\$(?:{STEP})+)\s*(?:IS\s+(?P<state>NULL|TRUE|FALSE)\b
        |(?P<absent>NOT\s+EXISTS)\b|(?P<operator>!=|<=|>=|=|<|>)\s*
        (?:"(?P<text>(?:[^"\\\x00-\x1f]|\\["\\])*)"|(?P<plain>[A-Za-z0-9_.*+-]+)|(?P<expression>%)))""",
        re.VERBOSE,
    ),
    {"&&": "and", "||": "or", "(": "(", ")": ")"},
    '$.field with IS NULL, IS TRUE, IS FALSE, NOT EXISTS, or =, !=, <, <=, >, >= and a number or "text"',
)


def parse(rendered: str) -> Pattern:
    """Reads a rendered filter pattern; `parse(p.render()) == p`.

    Raises:
        PatternError: it is not a JSON filter pattern of the subset kept here; the message says where.
    """
    if len(rendered) > MAX_LENGTH:
        raise PatternError(f"the filter pattern has {len(rendered)} characters; CloudWatch takes {MAX_LENGTH}")
    if (inner := re.fullmatch(r"[ \t]*\{(.*)\}[ \t]*", rendered, re.DOTALL)) is None:
        raise PatternError(f"filter pattern: expected {{ conditions }}, found {rendered[:40]!r}")
    return _PATTERN.read(" " * inner.start(1) + inner[1], _condition, _joined)


def _condition(match: re.Match[str]) -> Pattern:
    selector = Selector(match["selector"])
    operator: Any = match["operator"]
    if match["state"]:
        return Condition(selector, "IS", _STATES[match["state"]])
    if match["absent"]:
        return Condition(selector, "NOT EXISTS")
    if match["expression"]:
        at = match.start("expression") + 1
        raise PatternError(f"filter pattern, character {at}: regular expressions are not tried here")
    if (plain := match["plain"]) is not None:
        return Condition(selector, operator, Decimal(plain) if _NUMBER.fullmatch(plain) else plain)
    return Condition(selector, operator, re.sub(r"\\(.)", r"\1", match["text"]))


def _joined(operator: str, parts: Sequence[Pattern]) -> Pattern:
    return Group("&&" if operator == "and" else "||", tuple(parts))
