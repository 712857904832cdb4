"""Makes observations of log lines, or of the rows that Logs Insights gives for the same query."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from shielded_function_monitoring.alert import DENIED, EVENTS, MODES, POLICIES
from shielded_function_monitoring.insights import Lines, Row, Tally, number_of, records
from shielded_function_monitoring.insights.queries import chain_of_row, place_of_row
from shielded_function_monitoring.insights.queries import observed as observed_query

from .evidence import NOT_SEEN, Evidence, PackageCount
from .observation import Observation
from .observed import FunctionKey, FunctionLog, Observed

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_UNKNOWN: Final = "0000-00-00T00:00:00.000000Z"
_OFTEN: Final = 10_000
"""The number of rows after which their targets' use of memory is checked."""
_ALWAYS: Final = ("details.host", "details.ip", "details.protocol", "details.sni", "details.path", "allow")


def read(lines: Iterable[str], functions: tuple[str, ...] = ()) -> Observed:
    """The observations in a log, read line by line: in bounded memory, by way of a temporary file.

    Args:
        lines: of one log or several; lines that are not the shield's are skipped.
        functions: names of those that are wanted; all when empty.

    Raises:
        TableError: the temporary file cannot be used.
    """
    query, tally = observed_query(functions), Tally()
    table = Lines([query])
    table.add(records(lines, tally))
    observed = observed_of(table.rows(query))
    observed.malformed += tally.unread.total()
    return observed


def observed_of(rows: Iterable[Row]) -> Observed:
    """The observations in the rows of `queries.observed`. A row that follows no schema counts as malformed.

    Raises:
        TableError: there are more targets than fit into memory, and a temporary file cannot be written.
    """
    found = Observed()
    for number, row in enumerate(rows, 1):
        key = FunctionKey(row.get("function", ""), row.get("region", ""), row.get("account", ""))
        log = found.functions.get(key) or FunctionLog(key)
        if _add(log, row):
            found.functions[key] = log
        else:
            found.malformed += int(number_of(row.get("lines", "1")))
        if number % _OFTEN == 0:
            found.fit()
    return found


def _add(log: FunctionLog, row: Row) -> bool:
    policy, mode, event = row.get("policy", ""), row.get("mode", ""), row.get("event", "")
    evidence = _evidence(row, events=bool(event))
    if evidence is None:
        return False
    if event:
        return _add_event(log, row, event, policy, evidence)
    if policy not in POLICIES or mode not in MODES or evidence.count < 1:
        return False
    log.add(observation_of(row, evidence))
    return True


def observation_of(row: Row, evidence: Evidence = NOT_SEEN) -> Observation:
    """The observation of a row."""
    host, ip, protocol, sni, path, allow = (row.get(name, "") for name in _ALWAYS)
    port = int(number_of(row.get("details.port", "0")))
    policy, mode = row.get("policy", ""), row.get("mode", "")
    if policy == "self_protection" and not path:
        path = row.get("last_syscall", "")
    # The line's entry shows that some entry would admit it; `reason` of a start has another meaning.
    denied = row.get("last_reason") == DENIED and not allow
    return Observation(policy, mode, evidence, host, ip, port, protocol, sni, path, allow, denied)


def _add_event(log: FunctionLog, row: Row, event: str, policy: str, evidence: Evidence) -> bool:
    if event not in EVENTS:
        return False
    if event in ("folded", "repeated"):
        if policy not in POLICIES:
            return False
        counted = replace(evidence, count=int(number_of(row.get("violations", "0"))))
        seen = observation_of(row, counted)
        if event == "repeated" and seen.describe():  # each has a line: the row names the last one
            log.add(seen)
        else:
            log.folded[policy] = log.folded.get(policy, 0) + counted.count
            log.add_not_written(policy, row.get("mode", ""), counted)
    log.add_event(event, evidence)
    if event == "armed":
        log.armed.add((row.get("aws", ""), row.get("buckets", ""), row.get("hosts", "")))
    if row.get("last_reason"):
        log.reasons[event] = row["last_reason"]
    return True


def _evidence(row: Row, events: bool) -> Evidence | None:
    """None where there is no time at all: each line of the shield has one.

    A forged line may spoil the time or the count of a group, and must not hide it: then the other time stands for it,
    and the lines are counted.
    """
    times = [each for each in (row.get("first_seen", ""), row.get("last_seen", "")) if _TIME.fullmatch(each)]
    if not times:
        times = [_UNKNOWN] if "first_seen" in row else []
    if not times:
        return None
    first, last = times[0], times[-1]
    lines = int(number_of(row.get("lines", "0")))
    count = lines if events else max(lines, int(number_of(row.get("violations", "0"))))
    caller, chain = row.get("caller.object", ""), chain_of_row(row)
    days = max(1, int(number_of(row.get("days", "1"))))
    packages = () if events else (PackageCount(count, chain, "" if chain else caller),)
    return Evidence(
        count,
        first,
        last,
        days,
        (caller,) if caller else (),
        packages,
        row.get("first_version", ""),
        row.get("last_version", ""),
        place_of_row(row),
        tuple(sorted({row[name] for name in ("first_start", "last_start") if row.get(name)})),
        int(number_of(row.get("last_pid", "0"))),
        row.get("last_severity", ""),
    )
