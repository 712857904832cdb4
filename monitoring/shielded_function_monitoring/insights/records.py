"""Log lines as records, for the evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Final

from .names import Record

_OURS: Final = '{"function_shield":true'
_decode = json.JSONDecoder().decode


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The shield's lines among those of a log, as records.

    What `aws logs tail` or an export writes in front of a line (its time, its stream) is passed over. A line that is
    not the shield's, or is no JSON, gives none.
    """
    for line in lines:
        found = record_of(line)
        if found is not None:
            yield found


def record_of(line: str) -> Record | None:
    """One line as a record; None where it is not the shield's."""
    at = line.find(_OURS)
    if at < 0:
        return None
    message = line[at:].rstrip() if at else line.rstrip()
    try:
        record = _decode(message)
    except (ValueError, RecursionError):
        return None
    record["@message"] = message
    record.pop("@timestamp", None)  # CloudWatch's own name: a line that has it is forged
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
