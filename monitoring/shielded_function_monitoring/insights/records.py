"""Log lines as records."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from shielded_function_monitoring.alert import ALARMING_EVENTS, EVENTS, MAX_COUNT, MAX_LINE, POLICIES, START

from .wrapping import DECODER, NAME, OURS, Unwrapping

Record = dict[str, Any]
"""A line of the shield: its JSON fields, `@message` (the line) and `@logStream`."""

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)  # as the shield writes
_COUNTED: Final = frozenset((*POLICIES, START))
_UNCOUNTED: Final = frozenset(EVENTS) - frozenset(ALARMING_EVENTS)
_STREAM: Final = re.compile(r"\d{4}/\d\d/\d\d/[^\s{\"]+\s*$", re.ASCII)
"""The name of a log stream in front of a line, as `aws logs tail` prints it."""

BROKEN: Final = "begin as the shield's and are cut off, or forged"
UNKNOWN_FORM: Final = "name the shield in a form that is not known: give the lines as `aws logs tail` prints them"
NO_POLICY: Final = "are of no control or event that the shield has: forged, or of a newer version"
NO_COUNT: Final = f"have no count from 1 to {MAX_COUNT:,}, as each violation of the shield's has: forged"


@dataclass
class Tally:
    """The counts of the lines of one input.

    Attributes:
        lines: how many there were.
        read: how many of the shield's were read.
        unread: how many were not, by the reason.
    """

    lines: int = 0
    read: int = 0
    unread: Counter[str] = field(default_factory=Counter[str])


def records(lines: Iterable[str], tally: Tally | None = None) -> Iterator[Record]:
    """The shield's lines among those of a log, as records.

    The prefix of `aws logs tail` or of an export (time, stream) is skipped; forms of other tools are unwrapped (see
    `wrapping`). A line that is not the shield's gives none. `@logStream` is the stream of that prefix, or else the time
    of the function's last `armed` line: one start is taken to end where the next one begins.

    Args:
        lines: of a log.
        tally: where to count them.
    """
    tally = tally or Tally()
    unwrapping = Unwrapping()
    starts: dict[str, str] = {}
    for line in lines:
        tally.lines += 1
        stream = None
        at = line.rfind(OURS)
        if at >= 0 and (at == 0 or line.find(OURS) == at) and (record := record_of(line, at)) is not None:
            found = (record,)
            stream = _STREAM.search(line, 0, at) if at else None
        elif NAME in line or unwrapping.wants(line):
            texts = (
                json.dumps({NAME: True, **each}, separators=(",", ":"), ensure_ascii=False)
                for each in unwrapping.feed(line)
            )
            found = tuple(filter(None, map(record_of, texts)))  # as if the line were the shield's own
            if not found and NAME in line and not unwrapping.is_waiting:
                tally.unread[BROKEN if at >= 0 else UNKNOWN_FORM] += 1
        else:
            continue
        for each in found:
            if problem := _problem(each):
                tally.unread[problem] += 1
            else:
                tally.read += 1
            who = str(each.get("function"))
            if each.get("event") == "armed":
                starts[who] = str(each.get("timestamp"))
            each["@logStream"] = stream[0].rstrip() if stream else starts.get(who)
            yield each
    if given_up := unwrapping.given_up:
        tally.unread[UNKNOWN_FORM] += given_up


def _problem(record: Record) -> str:
    """The reason why no query counts a line; empty where one does."""
    event = record.get("event")
    if event is not None and event.__class__ is str and event in _UNCOUNTED:
        return ""
    policy, count = record.get("policy"), record.get("count")
    if policy.__class__ is not str or policy not in _COUNTED:
        return NO_POLICY
    return "" if isinstance(count, int | float) and 1 <= count <= MAX_COUNT else NO_COUNT


def record_of(line: str, at: int | None = None) -> Record | None:
    """One line as a record; None where it is not the shield's. `at`: the place of its last `OURS`, if known.

    A line of the shield has at most `MAX_LINE` bytes, and its beginning occurs in it once, as quotes within are
    escaped: text in front of the last beginning belongs to other writers.
    """
    at = line.rfind(OURS) if at is None else at
    if at < 0:
        return None
    message = line[at:].rstrip() if at else line.rstrip()
    if len(message) > MAX_LINE:
        return None
    try:
        record = DECODER.decode(message)
    except (ValueError, RecursionError):
        return None
    record["@message"] = message
    if '"@' in message or "\\u" in message:  # CloudWatch's own names: a line that has them is forged
        for name in ("@timestamp", "@log", "@logStream"):
            record.pop(name, None)
    return record
