"""The questions that the command line asks: each as text for Logs Insights, and as SQL for `Lines`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from shielded_function_monitoring.alert import EVENTS, MAX_COUNT, POLICIES, START
from shielded_function_monitoring.frames import MAX_THROUGH, Chain, chain_of

from ..errors import ShieldError
from ..queries import OURS, list_of

Row = dict[str, str]
"""A row of an answer: texts by column, as GetQueryResults has them. A column without a value is absent."""

MAX_ROWS: Final = 10_000
"""Rows of a result (StartQuery, `limit`)."""
FIRST, AT, LINES = "first_at", "at", "lines"
"""Columns of `Lines`: the time of the first and the last of equal lines, with their numbers behind it, and how many."""
TIME_LENGTH, NUMBER_LENGTH = 27, 13
_HOUR: Final = f"substr({AT}, 1, 13)"
_COLUMNS: Final = {
    period: f"CASE WHEN {AT} >= '0001' AND strftime('%Y-%m-%dT%H', {_HOUR} || ':00', '+0 days') = {_HOUR} "
    f"THEN replace(substr({AT}, 1, {length}), 'T', ' ') || '{rest}' END"
    for period, length, rest in (("1h", 13, ":00:00.000"), ("1d", 10, " 00:00:00.000"))
}
"""By period, the one of a line, where the calendar has it: SQLite makes March of February 30."""


@dataclass(frozen=True)
class Aggregate:
    """`sum(field) as alias`; or of `count`, `count_distinct`, `earliest`, `latest`."""

    function: str
    field: str
    alias: str

    def render(self) -> str:
        """As Logs Insights has it."""
        return f"{self.function}({_name(self.field)}) as {self.alias}"

    def sql(self) -> str:
        """As SQL. A first or last value stands behind its line's time: the least or greatest of these texts has it."""
        if self.function == "count_distinct":
            return f"count(DISTINCT {_COLUMNS['1d']})"
        if self.function in ("count", "sum"):
            return f"coalesce(sum({LINES}{' * `count`' if self.function == 'sum' else ''}), 0)"
        found = f"min({FIRST}" if self.function == "earliest" else f"max({AT}"
        if self.field == "timestamp":
            return f"rtrim(substr({found}), 1, {TIME_LENGTH}))"
        return f"substr({found} || `{self.field}`), {TIME_LENGTH + NUMBER_LENGTH + 1})"


def aggregates_of(text: str) -> tuple[Aggregate, ...]:
    """Aggregates as Logs Insights has them, with commas in between."""
    return tuple(Aggregate(*found) for found in re.findall(r"(\w+)\((\S+)\) as (\w+)", text))


@dataclass(frozen=True)
class Query:
    """One question.

    Attributes:
        condition: of the lines, in Logs Insights' language, of which SQL differs in brackets and quotes alone.
        functions: the names of those whose lines are read; all when empty.
        aggregates: the columns behind `by`. Without, the answer has the lines themselves.
        by: the fields whose values make a group.
        period: of the column `period`: `1h` or `1d`.
        limit: rows, at most, of one result of Logs Insights.
    """

    condition: str
    functions: tuple[str, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    by: tuple[str, ...] = ()
    period: Literal["1h", "1d"] = "1d"
    limit: int = MAX_ROWS

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the answer from `Lines`, behind `key`."""
        period = ["period"] if "period" in self.by else []
        return [*period, *(each.alias for each in self.aggregates)] if self.by else ["@message"]

    @property
    def keys(self) -> Sequence[str]:
        """The fields whose values are one column of `Lines`, as SQLite stores and groups one sooner than twenty."""
        return [name for name in self.by if name != "period"]

    @property
    def key(self) -> str:
        """The name of that column."""
        return " ".join(self.keys)

    @property
    def fields(self) -> set[str]:
        """The other fields of lines that `sql` needs, without the time."""
        asked = {each.field for each in self.aggregates} if self.by else {"@message"}
        return {"function", "policy", "event", *asked} - {"count", "period", "timestamp", "*"}

    def apart_by(self, field: str) -> Query:
        """The same question, whose groups differ by one field more; of lines, itself."""
        return replace(self, by=(*self.by, field)) if self.by else self

    def render(self) -> str:
        """Its text, as StartQuery takes it.

        Raises:
            ShieldError: the name of a function cannot be written.
        """
        filters = [self.condition, OURS]
        if self.functions:
            if odd := [name for name in self.functions if not name.isprintable() or {'"', "\\"} & {*name}]:
                raise ShieldError(f"{odd[0]!r} cannot be written in a query")
            filters.append(f"function in {list_of(self.functions)}")
        parts = [f"filter {' and '.join(filters)}", f"filter {_TRUE}"]
        if self.by:
            parts.append(f"fields datefloor(@timestamp, {self.period}) as period")
            parts.append(f"stats {', '.join(each.render() for each in self.aggregates)} by {', '.join(self.by)}")
        else:
            parts = ["fields @timestamp, @log, @logStream, @message", *parts, "sort @timestamp desc"]
        return "\n| ".join([*parts, f"limit {self.limit}"])

    def sql(self) -> str:
        """The same about a table of lines, with the functions as parameters. Groups are not limited."""
        filters = [f"({part.translate(_TO_SQL)})" for part in (self.condition, _TRUE)]
        if self.functions:
            filters.append(f"function IN ({', '.join('?' * len(self.functions))})")
        where = f"FROM rows WHERE {' AND '.join(filters)}"
        if not self.by:
            return f"SELECT `@message` {where} ORDER BY rowid DESC LIMIT {self.limit}"
        columns = [f"`{self.key}`", *([_COLUMNS[self.period]] if "period" in self.by else [])]
        made = ", ".join([*columns, *(each.sql() for each in self.aggregates)])
        return f"SELECT {made} {where} GROUP BY {', '.join(columns)}"


_TO_SQL: Final = str.maketrans('[]"', "()'")


def _name(name: str) -> str:
    """A field as a query has it: `count` is a word of the language too."""
    return "`count`" if name == "count" else name


def as_text(value: Any) -> str:
    """A value of a result: a number without a fraction is written without a point."""
    if isinstance(value, str):
        return value
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


def number_of(text: str) -> float:
    """A number of a result, which Insights may write as `12`, `12.0` or `1.2E7`; 0 where it is none, or infinite."""
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


_COUNTED: Final = f"policy in {list_of((*POLICIES, START))} and `count` >= 1 and `count` <= {MAX_COUNT}"
"""Violations, by a field that may have an index. A forged line with another count would hide other lines."""
_UNCOUNTED: Final = f"event in {list_of(('armed', 'tightened', 'kernel'))}"
_TRUE: Final = f'`count` <= 1 or event in {list_of(EVENTS)} or policy = "read_handler"'
"""Only events, and reads of the handler, stand for several violations. A separate filter, as AWS does not document
whether an index serves a filter with `or`."""

WHO: Final = ("function", "region", "account")
TARGET: Final = tuple(f"details.{name}" for name in ("host", "ip", "port", "protocol", "sni", "path"))
_OUTER: Final = tuple(f"caller.through.{at}" for at in range(1, MAX_THROUGH))
CALLER: Final = ("caller.object", "caller.package", *_OUTER)
"""The caller: the shared object, and the packages that led to it. `through` begins with `package`."""
ADMITTED: Final = ("aws", "buckets", "hosts")
"""Of a start: the services of AWS that its policy admitted, and the numbers of listed buckets and hosts."""
SEEN: Final = aggregates_of(
    "sum(count) as violations, count(*) as lines, earliest(timestamp) as first_seen, latest(timestamp) as last_seen, "
    "count_distinct(period) as days, earliest(version) as first_version, latest(version) as last_version, "
    "latest(caller.file) as last_file, latest(caller.line) as last_line"
)
_START_AND_PROCESS: Final = aggregates_of(
    "earliest(@logStream) as first_start, latest(@logStream) as last_start, latest(pid) as last_pid"
)
"""Each start of a function has its own log stream. Two that differ are two starts."""
_WHY: Final = aggregates_of("latest(details.syscall) as last_syscall, latest(reason) as last_reason")
"""The system call is the subject of some lines about the shield itself."""


def observed(functions: tuple[str, ...] = ()) -> Query:
    """All that the shield wrote: by function, event, control, mode, target, caller, entry and kind of start."""
    by = (*WHO, "event", "policy", "mode", *TARGET, *CALLER, "allow", *ADMITTED)
    aggregates = (*SEEN, *_START_AND_PROCESS, *_WHY, *aggregates_of("latest(severity) as last_severity"))
    return Query(f"(({_COUNTED}) or {_UNCOUNTED})", functions, aggregates, by, limit=MAX_ROWS)


def timeline(functions: tuple[str, ...] = (), period: Literal["1h", "1d"] = "1d") -> Query:
    """Violations by period, function, control and mode."""
    by = ("period", *WHO, "policy", "mode")
    return Query(_COUNTED, functions, aggregates_of("sum(count) as violations"), by, period, limit=MAX_ROWS)


GROUPS: Final = {
    "function": (*WHO,),
    "policy": (*WHO, "policy", "mode", "severity"),
    "package": (*WHO, "policy", "mode", "severity", *CALLER),
    "target": (*WHO, "event", "policy", "mode", "severity", *TARGET, *CALLER, "allow"),
}
"""The fields that `alerts` groups by."""


def alerts_by(group: str, functions: tuple[str, ...] = ()) -> Query:
    """Violations by function, by control, by package or by target."""
    aggregates = (*SEEN, *_WHY) if group == "target" else SEEN
    return Query(_COUNTED, functions, aggregates, GROUPS[group], limit=MAX_ROWS)


def lines(functions: tuple[str, ...] = (), rows: int = 1000) -> Query:
    """The lines themselves, the newest first, and the log stream of each."""
    return Query(_COUNTED, functions, limit=rows)


def chain_of_row(row: Row) -> Chain:
    """The packages in a row of these queries."""
    return chain_of(row.get("caller.package", ""), [row.get(name, "") for name in _OUTER])


def place_of_row(row: Row) -> str:
    """The line of the function's own code that did it last, `/var/task/app.py:73`; empty where it is unknown."""
    file, line = row.get("last_file", ""), row.get("last_line", "")
    return f"{file}:{int(number_of(line))}" if file and line else file


def versions_text(first: str, last: str) -> str:
    """The function's versions when something was seen first and last, in a few words.

    >>> versions_text("7", "9"), versions_text("$LATEST", "$LATEST")
    ('7 to 9', '$LATEST')
    """
    return f"{first} to {last}" if first and first != last else last
