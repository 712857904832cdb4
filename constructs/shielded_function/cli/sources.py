"""The sources of log lines: files and stdin, or log groups by name, function or stack.

Files are read line by line and aggregated here; log groups are aggregated by Logs Insights. Both run the same queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from shielded_function_monitoring.insights.lines import Lines
from shielded_function_monitoring.insights.queries import Row
from shielded_function_monitoring.insights.records import Record, Tally, record_of, records

from .asking import LOG, Asker, Batch, QueryFor
from .failures import STDIN, CliError
from .log_files import check_files, read_lines
from .log_groups import OF_LAMBDA, find_batches
from .options import Place, Where

_FULL: Final = (
    "the result is incomplete: one second of {} has more than Logs Insights' 10,000 rows: ask for single functions, or "
    "read the lines directly (aws logs filter-log-events)"
)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO: Final = re.compile(r"(\d+)([smhdw])")


class Span(NamedTuple):
    """A time span in UTC: both ends are included."""

    since: datetime
    until: datetime


def parse_time(option: str, text: str, now: datetime) -> datetime:
    """A moment in UTC: an age, or an ISO 8601 date or time, which is UTC by default.

    Raises:
        CliError: it is neither.
    """
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        # Python 3.10 does not know Z.
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise CliError(f"{option} {text}: write 30m, 12h, 7d, or a time such as 2026-11-24T13:37:00Z") from error


def span_of(since: str, until: str | None) -> Span:
    """The time from `--since` to `--until`, which is now when it is not given.

    Raises:
        CliError: a text is no time, or the end comes before the beginning.
    """
    now = datetime.now(timezone.utc)
    begin = parse_time("--since", since, now)
    end = parse_time("--until", until, now) if until else now
    if end <= begin:
        raise CliError(f"--until {until} is not after --since {since}" if until else f"--since {since} is not over yet")
    return Span(begin, end)


def iso(moment: datetime) -> str:
    """The format of times in lines, to the second: `2026-11-24T13:37:00Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Found(NamedTuple):
    """The lines that were found.

    Attributes:
        rows: of each query, to be read once.
        whole: False where a limit of Logs Insights left out rows.
        notes: further notes, such as the reason for that.
    """

    rows: list[Iterable[Row]]
    whole: bool
    notes: list[str]


@dataclass
class Source:
    """Files, or log groups where `place` is given. Made by `source_of`.

    Attributes:
        names: of the inputs.
        span: the time that is asked for; None is all of it.
        functions: the names of the requested functions; empty for all.
        place: the account and region.
        batches: the log groups.
    """

    names: tuple[str, ...]
    span: Span | None
    functions: tuple[str, ...]
    place: Place | None = None
    batches: Sequence[Batch] = ()

    @property
    def asked(self) -> tuple[str, str]:
        """The time as text; empty for all of it."""
        return (iso(self.span.since), iso(self.span.until)) if self.span else ("", "")

    def ask(self, queries: Sequence[QueryFor]) -> Found:
        """The rows of queries.

        Raises:
            CliError: something cannot be read.
        """
        if self.place is not None and self.span is not None:
            return ask_aws(self.place, self.span, self.batches, queries)
        tallies = {name: Tally() for name in self.names}
        asked = [query(self.functions) for query in queries]
        table = Lines(asked)
        table.add(self._records(tallies))
        return Found([table.rows(query) for query in asked], True, notes_of(tallies))

    def lines(self, query: QueryFor, rows: int) -> Found:
        """The newest lines as rows of one query, oldest first."""
        found = self.ask([query])
        newest = list(found.rows[0])[::-1]  # of files, which have no times
        return found._replace(rows=[sorted(newest, key=lambda row: row.get("@timestamp", ""))[-rows:]])

    def _records(self, tallies: Mapping[str, Tally]) -> Iterator[Record]:
        # In the format of the lines, so that the last second is included.
        since, until = self.asked[0].rstrip("Z"), self.asked[1].replace("Z", "~")
        for name, tally in tallies.items():
            for record in records(read_lines(name), tally):
                if self.span is None or since <= str(record.get("timestamp", "")) <= until:
                    yield record


def source_of(where: Where, default_since: str) -> Source:
    """The source that the user named.

    Raises:
        CliError: no source is named, or both files and AWS; AWS denies a request.
    """
    check_files(where)
    if where.files:
        span = span_of(where.since or "5000w", where.until) if where.since or where.until else None
        return Source(tuple(where.files), span, tuple(where.functions))
    span = span_of(where.since or default_since, where.until)
    batches, functions = find_batches(where)
    names = tuple(sorted({group for batch in batches for group in batch.log_groups}))
    return Source(names, span, functions, where.place, batches)


def notes_of(tallies: Mapping[str, Tally]) -> list[str]:
    """The unread parts of each input, with the reason.

    Raises:
        CliError: the shield's lines are all unreadable.
    """
    notes = [
        f"{'stdin' if name == STDIN else name}: {count:,} lines {why}"
        for name, tally in tallies.items()
        for why, count in (tally.unread or ({} if tally.read else {"hold none of the shield's": tally.lines})).items()
    ]
    if not any(tally.read for tally in tallies.values()) and any(tally.unread for tally in tallies.values()):
        raise CliError("; ".join(notes))
    return notes


def ask_aws(place: Place, span: Span, batches: Sequence[Batch], queries: Sequence[QueryFor]) -> Found:
    """The rows of queries over log groups.

    Any code can write a line that names another function. Such a row is left out where that function is known to log
    elsewhere. A note names it there, and in a log group of Lambda's for another function.
    """
    owners = {group: names for batch in batches for group, names in batch.owners.items()}
    claimed: set[tuple[str, str]] = set()

    def own(rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            # `@log` is the account's id, a colon, and the name.
            group = row.pop(LOG, "").rpartition(":")[2]
            function = row.get("function") or str((record_of(row.get("@message", "")) or {}).get("function", ""))
            of_lambda = {group.removeprefix(OF_LAMBDA)} if group.startswith(OF_LAMBDA) else {function}
            is_claimed = bool(function) and function not in owners.get(group, of_lambda)
            if is_claimed:
                claimed.add((group, function))
            if not is_claimed or group not in owners:
                yield row

    asker = Asker(place, batches, own)
    answers = asker.ask(queries, *(int(each.timestamp()) for each in span))
    notes = [_FULL.format(", ".join(sorted(asker.full)))] if asker.full else []
    missing = ", ".join(sorted(asker.missing))
    notes += [f"missing log groups: {missing}: did the function ever run?"] if missing else []
    notes += [
        f"lines in the log group {group} say that they are of {function}: "
        + ("left out, for it logs elsewhere" if group in owners else "if it does not log there, they are forged")
        for group, function in sorted(claimed)
    ]
    return Found(answers, not asker.full, notes)
