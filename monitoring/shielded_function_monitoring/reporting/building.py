"""From what was observed to a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Final, NamedTuple

from shielded_function_monitoring.alert import MODES, START
from shielded_function_monitoring.filters import COUNTED
from shielded_function_monitoring.insights import Row, queries
from shielded_function_monitoring.insights.combining import number_of
from shielded_function_monitoring.learning.entries import entry_of
from shielded_function_monitoring.learning.evidence import Evidence
from shielded_function_monitoring.learning.observed import FunctionKey, FunctionLog, Observation, Observed
from shielded_function_monitoring.learning.reading import observation_of

from .model import NOT_WRITTEN, Coverage, Group, PackageGroup, Period, Report

_Target = tuple[FunctionKey, str, str, str, str]
"""Of a function: policy, mode, target and event; of a function alone, they are empty."""


class _Sight(NamedTuple):
    """When and where rows say that something was seen."""

    first: str
    first_version: str
    last: str
    last_version: str
    place: str
    times: int

    def add(self, other: _Sight) -> _Sight:
        begun, ended = min(self, other, key=lambda each: each.first), max(self, other, key=lambda each: each.last)
        place = ended.place or self.place or other.place
        times = self.times + other.times
        return _Sight(begun.first, begun.first_version, ended.last, ended.last_version, place, times)


_UNSEEN: Final = _Sight("", "", "", "", "", 0)


def build(
    observed: Observed,
    timeline: Iterable[Row],
    *,
    rows: Iterable[Row],
    made: str,
    since: str = "",
    until: str = "",
    sources: Sequence[str] = (),
    expected: Iterable[str] = (),
    previous: Report | None = None,
) -> Report:
    """A report.

    Args:
        observed: what was observed.
        timeline: the rows of `queries.timeline`.
        rows: those of `queries.observed`, for versions, places and modes, of which `observed` has none.
        made: when, UTC.
        since: the beginning of the time that was asked for; empty for all that there is. `until`: its end.
        sources: what was read.
        expected: names of the functions that were asked about: one that logged nothing is in the coverage too.
        previous: the report before: what it does not have is new.
    """
    known = {each.identity for each in previous.groups} if previous else set()
    sights = _sights(rows)
    groups = [
        replace(each, is_new=previous is not None and each.written and each.identity not in known)
        for log in observed.functions.values()
        for each in _groups(log, sights)
    ]
    times = [time for each in sights.values() for time in (each.first, each.last) if time]
    if times and not since:
        since, until = min(times)[:16], max(times)[:16]
    notes = []
    if observed.malformed:
        notes.append(f"{observed.malformed:,} lines say they are the shield's and do not follow its schema")
    return Report(
        made=made,
        since=since,
        until=until,
        sources=tuple(sources),
        groups=sorted(groups, key=lambda each: each.order),
        periods=sorted(_periods(timeline), key=lambda each: (each.begun, each.policy, each.mode)),
        coverage=sorted(_coverage(observed, set(expected), sights), key=_by_state),
        packages=_packages(observed),
        previous=previous.made if previous else "",
        whole=observed.whole,
        notes=tuple(notes),
    )


def _sights(rows: Iterable[Row]) -> dict[_Target, _Sight]:
    found: dict[_Target, _Sight] = {}
    for row in rows:
        key = FunctionKey(row.get("function", ""), row.get("region", ""), row.get("account", ""))
        event, policy, mode = (row.get(name, "") for name in ("event", "policy", "mode"))
        target = "" if event else observation_of(row).describe()
        first, first_version, last, last_version = (
            row.get(name, "") for name in ("first_seen", "first_version", "last_seen", "last_version")
        )
        count = int(number_of(row.get("violations", "0")))
        sight = _Sight(first, first_version, last, last_version, queries.place_of_row(row), count)
        for at in ((key, policy, mode, target, event), (key, "", "", "", "")):
            found[at] = found[at].add(sight) if at in found else sight
    return found


def _groups(log: FunctionLog, sights: dict[_Target, _Sight]) -> Iterable[Group]:
    """Targets that differ by what a reader does not see are one."""
    found: dict[tuple[str, str, str], list[Observation]] = {}
    for seen in log.observations:
        found.setdefault((seen.policy, seen.mode, seen.describe()), []).append(seen)
    for (policy, mode, target), every in found.items():
        evidence = Evidence.of(each.evidence for each in every)
        allow = next(filter(None, map(entry_of, every)), "")
        sight = sights.get((log.key, policy, mode, target, ""), _UNSEEN)
        yield _group(log, policy, mode, target, evidence, allow, sight)
    for (policy, mode), share in log.rest.shares.items() if log.rest else ():
        target = f"{share.targets:,} further targets, seen least"
        seen = Evidence(share.violations, share.first, share.last)
        yield _group(log, policy, mode, target, seen, "", _UNSEEN)
    for event in ("refused", "unshielded"):
        if event in log.events:
            sight = sights.get((log.key, START, "", "", event), _UNSEEN)
            yield _group(log, START, "", f"{event}: {log.reasons.get(event, '')}", log.events[event], "", sight)
    for (key, policy, mode, _, event), sight in sights.items():
        if key == log.key and event == "folded" and policy in log.folded:
            seen = Evidence(sight.times, sight.first, sight.last)
            yield replace(_group(log, policy, mode, NOT_WRITTEN, seen, "", sight), written=False)


def _group(
    log: FunctionLog, policy: str, mode: str, target: str, evidence: Evidence, allow: str, sight: _Sight
) -> Group:
    return Group(
        *log.key,
        policy,
        mode,
        target,
        evidence.count,
        evidence.first,
        evidence.last,
        evidence.days,
        evidence.callers,
        allow,
        packages=evidence.chains,
        first_version=sight.first_version,
        last_version=sight.last_version,
        place=sight.place,
    )


def _packages(observed: Observed) -> list[PackageGroup]:
    counts: dict[tuple[str, str], dict[str, int]] = {}
    functions: dict[tuple[str, str], set[str]] = {}
    for log in observed.functions.values():
        for seen in log.every:
            for each in seen.evidence.packages:
                key = (each.package, each.object)
                by_policy = counts.setdefault(key, {})
                by_policy[seen.policy] = by_policy.get(seen.policy, 0) + each.count
                functions.setdefault(key, set()).add(log.key.function)
    found = [PackageGroup(*key, by_policy, sorted(functions[key])) for key, by_policy in counts.items()]
    return sorted(found, key=lambda each: (-each.count, each.package, each.object))


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


def _coverage(observed: Observed, expected: set[str], sights: dict[_Target, _Sight]) -> Iterable[Coverage]:
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
            version=sights.get((log.key, "", "", "", ""), _UNSEEN).last_version,
        )
    for name in sorted(expected - {key.function for key in observed.functions}):
        yield Coverage(name, expected=True)


_STATES = ("unshielded", "refused", "not seen", "armed")


def _by_state(each: Coverage) -> tuple[int, str, str]:
    return (_STATES.index(each.state), each.function, each.region)
