"""Finds the shield's lines in the output of other tools: JSON, CSV, and JSON that is spread over several lines.

Only the names below are searched: a program that logs its users' input must not speak for the shield.

| tool | where the line is |
|---|---|
| Lambda's JSON log format, Datadog's export, Firehose, `filter-log-events` | `message` |
| Logs Insights: JSON, `get-query-results`, CSV | `@message`; `value`; a cell with doubled quotes |
| Lambda's Telemetry API | `record` |
| Datadog's API | `attributes`, an object |
| Splunk: export, HTTP event collector | `_raw`; `event` |
| `aws logs tail --format json`, `jq` | the object itself, spread over lines or with spaces |
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

NAME: Final = "function_shield"
OURS: Final = '{"function_shield":true'
"""The beginning of each line of the shield."""
NAMES: Final = ("message", "@message", "value", "record", "attributes", "_raw", "event", "log")
_MEMBER: Final = re.compile(rf'"(?:{"|".join(NAMES)})"\s*:\s*(?=["{{])')
_KEY: Final = re.compile(r'"([^"\\]*)"\s*:\s*$')
_AFTER: Final = re.compile(r'\s*(?:[{}\],"]|$)')
_DEEPEST: Final = 4
"""Levels of texts within texts: no tool writes more."""
_MOST_LINES: Final = 500
"""An object of the shield is never spread over so many lines."""
_LONGEST: Final = 8192
"""Characters that such a line may have."""
_MOST_TRIED: Final = 16
"""Failed reads of a text before it is skipped and counted, as a forged one could take hours."""


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that a reader can hold")
    return number


DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


class Unwrapping:
    """Finds the objects of the shield in lines that are not whole lines of the shield themselves.

    Attributes:
        given_up: lines that would take too long to read.
    """

    def __init__(self) -> None:
        self.given_up = 0
        self._lines: list[str] = []
        self._open: list[tuple[int, int]] = []
        """Objects that have begun: how far they are indented, and at which of the lines."""

    @property
    def is_waiting(self) -> bool:
        """Whether an object of the shield may have begun that goes on in the next line."""
        return bool(self._open) and any(NAME in line for line in self._lines[self._open[-1][1] :])

    def feed(self, line: str) -> list[dict[str, Any]]:
        """The objects that are in a line, or end in it."""
        text = line.strip()
        if NAME in text:
            found = list(self._in_text(text, _DEEPEST))
            if found or text.startswith(OURS):
                return found
        return self._spread(line, text)

    def wants(self, line: str) -> bool:
        """Whether a line that does not name the shield matters."""
        return bool(self._open) or line.endswith(("{\n", "{\r\n"))

    def _in_text(self, text: str, depth: int) -> Iterator[dict[str, Any]]:
        if not depth:
            return
        if f'""{NAME}' in text:  # CSV
            text = text.replace('""', '"')
        at, whole, vain = 0, text.find("{"), _MOST_TRIED * len(text)
        while (found := _next(text, at)) is not None:
            at = found
            if text[at] == '"':
                try:
                    inner, at = DECODER.raw_decode(text, at)
                except ValueError:
                    at += 1
                else:
                    if NAME in inner and inner.startswith("{"):
                        yield from self._in_text(inner, depth - 1)
                continue
            value, end = self._object(text, at)
            if value is not None:
                whole, key = -1, _KEY.search(text, max(0, at - 100), at)
                if (key is None or key[1] in NAMES) and _AFTER.match(text, end):  # as a tool puts a line
                    yield value
                at = end
                continue
            vain -= end - at
            at += 1
            if vain < 0:
                self.given_up += 1
                return
        if whole >= 0:  # its fields in another order, or with spaces
            value, end = self._object(text, whole)
            if value is not None and end == len(text):
                yield value

    def _object(self, text: str, at: int) -> tuple[dict[str, Any] | None, int]:
        """The object of the shield that begins there; None where there is none. And how far was read."""
        try:
            value, end = DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            return None, error.pos + 1
        except (ValueError, RecursionError):
            return None, min(len(text), at + _LONGEST)
        return value if isinstance(value, dict) and value.get(NAME) is True else None, end

    def _spread(self, line: str, text: str) -> list[dict[str, Any]]:
        indent = len(line) - len(line.lstrip())
        if text.endswith("{"):
            self._open.append((indent, len(self._lines)))
        if not self._open:
            return []
        self._lines.append(text[:_LONGEST])
        found: list[dict[str, Any]] = []
        if text in ("}", "},"):
            while self._open and self._open[-1][0] > indent:
                self._open.pop()
            if self._open and self._open[-1][0] == indent:
                first, *rest = self._lines[self._open.pop()[1] :]
                key = _KEY.search(first[:-1])
                text = "".join(("{", *rest[:-1], "}"))
                if NAME in text and (key is None or key[1] in NAMES):
                    value, _ = self._object(text, 0)
                    found += [value] if value is not None else []
        while self._open and len(self._lines) - self._open[0][1] > _MOST_LINES:
            del self._open[0]
        if not self._open:
            self._lines.clear()
        elif begun := self._open[0][1]:
            del self._lines[:begun]
            self._open = [(indent, at - begun) for indent, at in self._open]
        return found


def _next(text: str, at: int) -> int | None:
    """Where the next object of the shield begins, or the next text or object under one of the names."""
    ours, member = text.find(OURS, at), _MEMBER.search(text, at)
    ends = [each for each in (ours, member.end() if member else -1) if each >= 0]
    return min(ends, default=None)
