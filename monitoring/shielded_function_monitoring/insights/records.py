"""Log lines as records, for the evaluator."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from shielded_function_monitoring.alert import MAX_LINE

from .names import Record

_OURS: Final = '{"function_shield":true'
_NAME: Final = "function_shield"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that a reader can hold")
    return number


_decode = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant).decode


@dataclass
class Unread:
    """Lines that were passed over, though somebody may have meant them to be read.

    Attributes:
        broken: lines that begin as the shield's and are none: cut off, longer than it writes, or forged.
        wrapped: lines with the shield's inside of other text, as JSON or CSV of an export has them.
    """

    broken: int = 0
    wrapped: int = 0

    def note(self, line: str) -> None:
        """Counts a line that gave no record, if it is one of them."""
        if _OURS in line:
            self.broken += 1
        elif _NAME in line and (f'\\"{_NAME}\\":true' in line or f'""{_NAME}"":true' in line):
            self.wrapped += 1


def records(lines: Iterable[str], unread: Unread | None = None) -> Iterator[Record]:
    """The shield's lines among those of a log, as records.

    What `aws logs tail` or an export writes in front of a line (its time, its stream) is passed over. A line that is
    not the shield's, or is no JSON, gives none.

    Args:
        lines: of a log.
        unread: where to count what looks like the shield's and cannot be read.
    """
    for line in lines:
        found = record_of(line)
        if found is not None:
            yield found
        elif unread is not None:
            unread.note(line)


def record_of(line: str) -> Record | None:
    """One line as a record; None where it is not the shield's.

    No line of the shield is longer than `MAX_LINE`, and each has its beginning once, for quotes within are escaped:
    whatever else stands in front of the last one belongs to somebody else.
    """
    at = line.rfind(_OURS)
    if at < 0:
        return None
    message = line[at:].rstrip() if at else line.rstrip()
    if len(message) > MAX_LINE:
        return None
    try:
        record = _decode(message)
    except (ValueError, RecursionError):
        return None
    record["@message"] = message
    # CloudWatch's own names: a line that has them is forged.
    for name in ("@timestamp", "@log", "@logStream"):
        record.pop(name, None)
    return record


def seconds_of_record(record: Record) -> float | None:
    """When a line was logged, in seconds since the epoch: its `@timestamp`, else what it says itself."""
    at = record.get("@timestamp")
    if at is not None:
        return at
    text = record.get("timestamp")
    return None if not isinstance(text, str) else seconds_of_text(text)


def seconds_of_text(text: str) -> float | None:
    """The seconds since the epoch of `2026-11-24T13:37:00.123456Z`; None where it is something else."""
    try:
        return datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None


def day_of_text(text: str) -> str | None:
    """The day of a time as lines write it; None where it is no day of the calendar."""
    if not _DAY.fullmatch(text[:10]):
        return None
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").strftime("%Y-%m-%d")
    except ValueError:
        return None
