"""Makes observations of the rows of `queries.observed`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from shielded_function_monitoring.alert import DENIED, EVENTS, MODES, POLICIES
from shielded_function_monitoring.insights.queries import Row, chain_of_row, number_of, place_of_row

from .evidence import NOT_SEEN, Evidence, PackageCount
from .function_log import FunctionKey, FunctionLog, Observed, add_to
from .questions import Observation

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_UNKNOWN: Final = "0000-00-00T00:00:00.000000Z"
_OFTEN: Final = 10_000
"""The number of rows after which their targets' use of memory is checked."""
_ALWAYS: Final = ("details.host", "details.ip", "details.protocol", "details.sni", "details.path", "allow")


def observed_of(rows: Iterable[Row]) -> Observed:
    """The observations in the rows. A row that follows no schema counts as malformed.

    Raises:
        ShieldError: there are more targets than fit into memory, and a temporary file cannot be written.
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


def observation_of(row: Row, evidence: Evidence = NOT_SEEN) -> Observation:
    """The observation of a row."""
    host, ip, protocol, sni, path, allow = (row.get(name, "") for name in _ALWAYS)
    port = int(number_of(row.get("details.port", "0")))
    policy = row.get("policy", "")
    if policy == "self_protection" and not path:
        path = row.get("last_syscall", "")
    # The line's entry shows that some entry would admit it; `reason` of a start has another meaning.
    denied = row.get("last_reason") == DENIED and not allow
    return Observation(policy, row.get("mode", ""), host, ip, port, protocol, sni, path, allow, denied, evidence)


def _add(log: FunctionLog, row: Row) -> bool:
    policy, mode, event = row.get("policy", ""), row.get("mode", ""), row.get("event", "")
    evidence = _evidence(row, is_event=bool(event))
    if evidence is None:
        return False
    if not event:
        if policy not in POLICIES or mode not in MODES or evidence.count < 1:
            return False
        log.add(observation_of(row, evidence))
        return True
    if event not in EVENTS:
        return False
    if event in ("folded", "repeated"):
        if policy not in POLICIES:
            return False
        seen = observation_of(row, replace(evidence, count=int(number_of(row.get("violations", "0")))))
        if event == "repeated" and seen.describe():  # each has a line: the row names the last one
            log.add(seen)
        else:
            add_to(log.not_written, (policy, mode), seen.evidence)
    add_to(log.events, event, evidence)
    if event == "armed":
        log.armed.add((row.get("aws", ""), row.get("buckets", ""), row.get("hosts", "")))
    if row.get("last_reason"):
        log.reasons[event] = row["last_reason"]
    return True


def _evidence(row: Row, *, is_event: bool) -> Evidence | None:
    """None where there is no time at all: each line of the shield has one.

    A forged line may spoil the time or the count of a group, and must not hide it: then the other time stands for it,
    and the lines are counted.
    """
    times = [each for each in (row.get("first_seen", ""), row.get("last_seen", "")) if _TIME.fullmatch(each)]
    if not times and "first_seen" not in row:
        return None
    first, last = (times[0], times[-1]) if times else (_UNKNOWN, _UNKNOWN)
    lines, violations = (int(number_of(row.get(name, "0"))) for name in ("lines", "violations"))
    count = lines if is_event else max(lines, violations)
    caller = row.get("caller.object", "")
    return Evidence(
        count,
        first,
        last,
        days=max(len({first[:10], last[:10]}), int(number_of(row.get("days", "1")))),
        callers=(caller,) if caller else (),
        packages=() if is_event else (PackageCount(count, chain_of_row(row)),),
        first_version=row.get("first_version", ""),
        last_version=row.get("last_version", ""),
        place=place_of_row(row),
        starts=tuple(sorted({row[name] for name in ("first_start", "last_start") if row.get(name)})),
        pid=int(number_of(row.get("last_pid", "0"))),
        severity=row.get("last_severity", ""),
    )
