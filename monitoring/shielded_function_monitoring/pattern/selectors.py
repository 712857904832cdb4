"""The way to a value of a JSON line: `$.details.arguments[0]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from ..errors import ShieldError

STEP: Final = r"\.\['[^'\x00-\x1f]+'\]|\.[A-Za-z0-9_-]+(?![A-Za-z0-9_-])|\.\*|\[\d{1,9}\]|\[\*\]"
"""One step of a selector: a field's name, every field, an index, every element."""
_WILDCARDS: Final = (".*", "[*]")


class PatternError(ShieldError):
    """A pattern that CloudWatch would not take, or that is outside the subset kept here."""


@dataclass(frozen=True)
class Selector:
    """The way to a value: field names, array indexes, and at most one wildcard.

    >>> Selector("$.details.arguments[0]").select({"details": {"arguments": ["-c", "id"]}})
    ['-c']

    Raises:
        PatternError: it is not a selector.
    """

    text: str
    steps: tuple[str, ...] = field(init=False, repr=False, compare=False)
    only_field: str | None = field(init=False, repr=False, compare=False)
    """The name of the field, where the selector is one field of the line, as in most patterns here."""

    def __post_init__(self) -> None:
        steps = tuple(re.findall(STEP, self.text))
        if not re.fullmatch(rf"\$(?:{STEP})+", self.text) or steps[0].startswith("["):
            raise PatternError(f"{self.text!r} is no selector: it starts with a field, as in $.policy")
        if sum(step in _WILDCARDS for step in steps) > 1:
            raise PatternError(f"{self.text}: a selector holds at most one wildcard")
        object.__setattr__(self, "steps", steps)
        one = len(steps) == 1 and steps[0] not in _WILDCARDS
        object.__setattr__(self, "only_field", _name(steps[0]) if one else None)

    def select(self, value: Any) -> list[Any]:
        """The values it leads to, none when a step is absent."""
        found = [value]
        for step in self.steps:
            found = [inner for outer in found for inner in _take(outer, step)]
        return found


def _name(step: str) -> str:
    return step[3:-2] if step.startswith(".[") else step[1:]


def _take(value: Any, step: str) -> Iterator[Any]:
    if isinstance(value, dict) and step.startswith("."):
        fields = cast("dict[str, Any]", value)
        if step == ".*":
            yield from fields.values()
        elif (name := _name(step)) in fields:
            yield fields[name]
    elif isinstance(value, list) and step.startswith("["):
        elements = cast("list[Any]", value)
        yield from elements if step == "[*]" else elements[int(step[1:-1]) :][:1]
