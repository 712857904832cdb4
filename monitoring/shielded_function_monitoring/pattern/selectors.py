"""The way to a value of a JSON line: `$.details.arguments[0]`."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from ..errors import ShieldError

_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY = re.compile(r"[^'\x00-\x1f]+")


class PatternError(ShieldError):
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
    only_field: str | None = field(init=False, repr=False, compare=False)
    """The name of the field, where the selector is one field of the line, as in most patterns here."""

    def __init__(self, *steps: Step) -> None:
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "only_field", steps[0] if len(steps) == 1 and isinstance(steps[0], str) else None)
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
        if self.only_field is not None and isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            return [fields[self.only_field]] if self.only_field in fields else []
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
