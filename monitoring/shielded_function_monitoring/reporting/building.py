"""From observations to a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from shielded_function_monitoring.alert import MODES, START
from shielded_function_monitoring.filters import COUNTED, PACKAGE
from shielded_function_monitoring.insights.queries import Row, number_of
from shielded_function_monitoring.learning.evidence import Evidence
from shielded_function_monitoring.learning.function_log import FunctionLog, Observed
from shielded_function_monitoring.learning.questions import Observation, entry_of, is_by_others

from .model import NOT_WRITTEN, Coverage, Group, Period, Previous, Report


def build(
    observed: Observed,
    timeline: Iterable[Row],
    *,
    made: str,
    since: str = "",
    until: str = "",
    sources: Sequence[str] = (),
    expected: Iterable[str] = (),
    previous: Previous | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """A report.

    Args:
        observed: the observations.
        timeline: the rows of `queries.timeline`.
        made: when, UTC.
        since: the beginning of the time that was asked for; empty for all that there is. `until`: its end.
        sources: the inputs.
        expected: names of the functions that were asked about: one that logged nothing is in the coverage too.
        previous: the report before: targets that it lacks are new.
        notes: of the inputs.
    """
    groups = [
        replace(each, is_new=previous is not None and each.written and each.identity not in previous.known)
        for log in observed.functions.values()
        for each in _groups(log)
    ]
    whole = [log.evidence for log in observed.functions.values()]
    if whole and not since:
        since, until = min(each.first for each in whole)[:16], max(each.last for each in whole)[:16]
    malformed = f"{observed.malformed:,} lines say they are the shield's and do not follow its schema"
    return Report(
        made=made,
        since=since,
        until=until,
        sources=tuple(sources),
        groups=sorted(groups, key=lambda each: each.order),
        periods=sorted(_periods(timeline), key=lambda each: (each.begun, each.policy, each.mode)),
        coverage=sorted(_coverage(observed, set(expected)), key=_by_state),
        previous=previous.made if previous else "",
        whole=observed.whole,
        notes=(*([malformed] if observed.malformed else []), *notes),
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


def _periods(rows: Iterable[Row]) -> Iterable[Period]:
    found: dict[tuple[str, str, str], int] = {}
    for row in rows:
        begun, policy = _begun(row.get("period", "")), row.get("policy", "")
        if begun and (policy == START or (policy in COUNTED and row.get("mode") in MODES)):
            key = (begun, policy, row.get("mode", ""))
            found[key] = found.get(key, 0) + int(number_of(row.get("violations", "0")))
    return [Period(*key, count) for key, count in found.items()]


def _begun(text: str) -> str:
    """A period's beginning. Insights may write it as milliseconds since the epoch."""
    if not text.replace(".", "", 1).replace("E", "", 1).isdigit():
        return text
    moment = datetime.fromtimestamp(number_of(text) / 1000, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.000")


def _coverage(observed: Observed, expected: set[str]) -> Iterable[Coverage]:
    for log in observed.functions.values():
        events = log.events
        yield Coverage(
            *log.key,
            armed=log.cold_starts,
            last_armed=events["armed"].last if "armed" in events else "",
            refused=events["refused"].count if "refused" in events else 0,
            unshielded=events["unshielded"].count if "unshielded" in events else 0,
            folded=sum(log.folded.values()),
            expected=log.key.function in expected,
            reason=log.reasons.get("unshielded") or log.reasons.get("refused", ""),
            version=log.evidence.last_version,
        )
    for name in sorted(expected - {key.function for key in observed.functions}):
        yield Coverage(name, expected=True)


_STATES = ("unshielded", "refused", "not seen", "armed")


def _by_state(each: Coverage) -> tuple[int, str, str]:
    return (_STATES.index(each.state), each.function, each.region)
