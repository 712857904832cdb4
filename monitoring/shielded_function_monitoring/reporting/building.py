"""From observations to a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone

from shielded_function_monitoring.alert import MODES, START
from shielded_function_monitoring.filters import COUNTED, PACKAGE
from shielded_function_monitoring.insights.queries import Row, number_of
from shielded_function_monitoring.learning.evidence import NOT_SEEN, Evidence
from shielded_function_monitoring.learning.function_log import FunctionLog, Observed
from shielded_function_monitoring.learning.questions import Observation, entry_of, is_by_others

from .model import NOT_WRITTEN, STATES, Coverage, Group, Period, Previous, Report


def build(
    head: Report, observed: Observed, timeline: Iterable[Row], expected: Iterable[str], previous: Previous | None
) -> Report:
    """A report.

    Args:
        head: a report of nothing, with its time, sources and notes. Without `since`, the lines' own times are taken.
        observed: the observations.
        timeline: the rows of `queries.timeline`.
        expected: names of the functions that were asked about: one that logged nothing is in the coverage too.
        previous: the report before: targets that it lacks are new.
    """
    groups = [
        replace(each, is_new=previous is not None and each.written and each.identity not in previous.known)
        for log in observed.functions.values()
        for each in _groups(log)
    ]
    whole = [log.evidence for log in observed.functions.values()]
    if whole and not head.since:
        first, last = min(each.first for each in whole), max(each.last for each in whole)
        head = replace(head, since=first[:16], until=last[:16])
    malformed = f"{observed.malformed:,} lines say they are the shield's and do not follow its schema"
    return replace(
        head,
        groups=sorted(groups, key=lambda each: each.order),
        periods=_periods(timeline),
        coverage=sorted(_coverage(observed, set(expected)), key=_by_state),
        previous=previous.made if previous else "",
        whole=observed.whole,
        notes=(*([malformed] if observed.malformed else []), *head.notes),
    )


def _groups(log: FunctionLog) -> Iterable[Group]:
    """Targets with the same description are one."""
    found: dict[tuple[str, str, str, bool], list[Observation]] = {}
    for seen in log.observations:
        found.setdefault((seen.policy, seen.mode, seen.describe(), is_by_others(seen)), []).append(seen)
    for (policy, mode, target, by_others), every in found.items():
        evidence = Evidence.of(each.evidence for each in every)
        allow = next(filter(None, map(entry_of, every)), "")
        yield Group(*log.key, policy, mode, target, evidence, allow, reason=PACKAGE if by_others else "")
    for (policy, mode), (number, evidence) in log.rest.items():
        yield Group(*log.key, policy, mode, f"{number:,} further targets, seen least", evidence)
    for event in ("refused", "unshielded"):
        if event in log.events:
            yield Group(*log.key, START, "", f"{event}: {log.reasons.get(event, '')}", log.events[event])
    for (policy, mode), evidence in log.not_written.items():
        yield Group(*log.key, policy, mode, NOT_WRITTEN, evidence, written=False)


def _periods(rows: Iterable[Row]) -> list[Period]:
    found = Counter[tuple[str, str, str]]()
    for row in rows:
        begun, policy, mode = _begun(row.get("period", "")), row.get("policy", ""), row.get("mode", "")
        if begun and (policy == START or (policy in COUNTED and mode in MODES)):
            found[begun, policy, mode] += int(number_of(row.get("violations", "0")))
    return [Period(*key, count) for key, count in sorted(found.items())]


def _begun(text: str) -> str:
    """A period's beginning. Insights may write it as milliseconds since the epoch."""
    if not text.replace(".", "", 1).replace("E", "", 1).isdigit():
        return text
    moment = datetime.fromtimestamp(number_of(text) / 1000, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.000")


def _coverage(observed: Observed, expected: set[str]) -> Iterable[Coverage]:
    for log in observed.functions.values():
        armed, refused, unshielded = (log.events.get(name, NOT_SEEN) for name in ("armed", "refused", "unshielded"))
        yield Coverage(
            *log.key,
            armed=armed.count,
            last_armed=armed.last,
            refused=refused.count,
            unshielded=unshielded.count,
            folded=sum(log.folded.values()),
            expected=log.key.function in expected,
            reason=log.reasons.get("unshielded") or log.reasons.get("refused", ""),
            version=log.evidence.last_version,
        )
    for name in sorted(expected - {key.function for key in observed.functions}):
        yield Coverage(name, expected=True)


def _by_state(each: Coverage) -> tuple[int, str, str]:
    return (STATES.index(each.state), each.function, each.region)
