"""The queries that the command line asks."""

from __future__ import annotations

from typing import Final

from shielded_function_monitoring.alert import EVENTS, MAX_COUNT, POLICIES, START
from shielded_function_monitoring.frames import MAX_THROUGH, Chain, chain_of

from .combining import number_of
from .conditions import All, AnyOf, Compare, Condition, In, Like
from .evaluating import Row
from .query import MAX_ROWS, Aggregate, Column, DateFloor, Fields, Filter, Limit, Query, Sort, Stats

SHIELDED: Final = Like("@message", '"function_shield":true')
"""The beginning of each of the shield's own lines."""

COUNTED: Final = All(In("policy", (*POLICIES, START)), Compare("count", ">=", 1), Compare("count", "<=", MAX_COUNT))
"""Violations, by a field that may have an index. A forged line with another count would hide other lines."""
_UNCOUNTED: Final = In("event", ("armed", "tightened", "kernel"))
_TRUE: Final = Filter(AnyOf(Compare("count", "<=", 1), In("event", EVENTS), Compare("policy", "=", "read_handler")))
"""Only events, and reads of the handler, stand for several violations. A separate filter, as AWS does not document
whether an index serves a filter with `or`."""

WHO: Final = ("function", "region", "account")
TARGET: Final = (
    "details.host",
    "details.ip",
    "details.port",
    "details.protocol",
    "details.sni",
    "details.path",
)
_OUTER: Final = tuple(f"caller.through.{at}" for at in range(1, MAX_THROUGH))
CALLER: Final = ("caller.object", "caller.package", *_OUTER)
"""The caller: the shared object, and the packages that led to it. `through` begins with `package`."""
ADMITTED: Final = ("aws", "buckets", "hosts")
"""Of a start: the services of AWS that its policy admitted, and the numbers of listed buckets and hosts."""
SEEN: Final = (
    Aggregate("sum", "count", "violations"),
    Aggregate("count", "*", "lines"),
    Aggregate("earliest", "timestamp", "first_seen"),
    Aggregate("latest", "timestamp", "last_seen"),
    Aggregate("count_distinct", "day", "days"),
    Aggregate("earliest", "version", "first_version"),
    Aggregate("latest", "version", "last_version"),
    Aggregate("latest", "caller.file", "last_file"),
    Aggregate("latest", "caller.line", "last_line"),
)
_START_AND_PROCESS: Final = (
    Aggregate("earliest", "@logStream", "first_start"),
    Aggregate("latest", "@logStream", "last_start"),
    Aggregate("latest", "pid", "last_pid"),
)
"""Each start of a function has its own log stream. Two that differ are two starts."""
_SYSCALL: Final = Aggregate("latest", "details.syscall", "last_syscall")
"""The subjects of some lines about the shield itself."""
_SEVERITY: Final = Aggregate("latest", "severity", "last_severity")
_REASON: Final = Aggregate("latest", "reason", "last_reason")
_DAY: Final = Fields((Column(DateFloor("1d"), "day"),))


def _of(functions: tuple[str, ...], *conditions: Condition) -> Filter:
    return Filter(All(*conditions, SHIELDED, *((In("function", functions),) if functions else ())))


def observed(functions: tuple[str, ...] = ()) -> Query:
    """All that the shield wrote: one row for each function, event, control, mode, target, caller, entry and kind
    of start.

    Args:
        functions: names; all when empty.
    """
    return Query(
        _of(functions, AnyOf(COUNTED, _UNCOUNTED)),
        _TRUE,
        _DAY,
        Stats(
            (*SEEN, *_START_AND_PROCESS, _SYSCALL, _REASON, _SEVERITY),
            (*WHO, "event", "policy", "mode", *TARGET, *CALLER, "allow", *ADMITTED),
        ),
        Limit(MAX_ROWS),
    )


def timeline(functions: tuple[str, ...] = (), period: str = "1d") -> Query:
    """Violations by period, function, control and mode."""
    return Query(
        _of(functions, *COUNTED.conditions),
        _TRUE,
        Fields((Column(DateFloor(period), "period"),)),
        Stats((Aggregate("sum", "count", "violations"),), ("period", *WHO, "policy", "mode")),
        Limit(MAX_ROWS),
    )


GROUPS: Final = {
    "function": (*WHO,),
    "policy": (*WHO, "policy", "mode", "severity"),
    "package": (*WHO, "policy", "mode", "severity", *CALLER),
    "target": (*WHO, "event", "policy", "mode", "severity", *TARGET, *CALLER, "allow"),
}
"""The fields that `alerts` groups by."""


def alerts_by(group: str, functions: tuple[str, ...] = ()) -> Query:
    """Violations by function, by control, by package or by target: the most frequent first."""
    return Query(
        _of(functions, *COUNTED.conditions),
        _TRUE,
        _DAY,
        Stats((*SEEN, _SYSCALL, _REASON) if group == "target" else SEEN, GROUPS[group]),
        Sort("violations"),
        Limit(MAX_ROWS),
    )


def chain_of_row(row: Row) -> Chain:
    """The packages in a row of these queries."""
    return chain_of(row.get("caller.package", ""), [row.get(name, "") for name in _OUTER])


def place_of_row(row: Row) -> str:
    """The line of the function's own code that did it last, `/var/task/app.py:73`; empty where it is not told."""
    file, line = row.get("last_file", ""), row.get("last_line", "")
    return f"{file}:{int(number_of(line))}" if file and line else file


def versions_text(first: str, last: str) -> str:
    """The function's versions when something was seen first and last, in a few words.

    >>> versions_text("7", "9"), versions_text("$LATEST", "$LATEST")
    ('7 to 9', '$LATEST')
    """
    return f"{first} to {last}" if first and first != last else last


def lines(functions: tuple[str, ...] = (), rows: int = 1000) -> Query:
    """The lines themselves, the newest first, and the log stream of each."""
    return Query(
        Fields((Column("@timestamp"), Column("@log"), Column("@logStream"), Column("@message"))),
        _of(functions, *COUNTED.conditions),
        _TRUE,
        Sort("@timestamp"),
        Limit(rows),
    )
