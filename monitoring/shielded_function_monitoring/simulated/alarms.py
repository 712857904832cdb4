"""Alarms on one metric, on a Metrics Insights query, and on other alarms, with their actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from ..alarm import AlarmRule, AlarmState, points_of_range, state_of
from .composite import Rule
from .metrics import MetricKey, Metrics, datapoints
from .metrics_insights import HOURS, MAX_SERIES, MetricsQuery

Contributor = tuple[tuple[str, str], ...]
"""One time series of a query: the dimensions that it is grouped by, with their values."""


@dataclass(frozen=True)
class Actions:
    """The ARNs that an alarm calls when it goes into a state."""

    enabled: bool = True
    alarm: tuple[str, ...] = ()
    ok: tuple[str, ...] = ()
    insufficient_data: tuple[str, ...] = ()

    def of(self, state: AlarmState) -> tuple[str, ...]:
        """Those for a state; none while actions are switched off."""
        return {"ALARM": self.alarm, "OK": self.ok, "INSUFFICIENT_DATA": self.insufficient_data}[state] * self.enabled


@dataclass(frozen=True)
class Place:
    """Where the template has it: the stack, the logical id, and the construct path where known."""

    stack: str
    logical_id: str
    path: str = ""

    def is_called(self, wanted: str) -> bool:
        """Whether the text is its logical id, its construct path or the end of that path."""
        return wanted == self.logical_id or (bool(self.path) and f"/{self.path}".endswith(f"/{wanted.strip('/')}"))


@dataclass(frozen=True)
class Evaluation:
    """An alarm's state at a moment, why (asked only where it changes), and the states of a query's contributors."""

    state: AlarmState
    reason: Callable[[], str]
    contributors: Mapping[Contributor, AlarmState] = field(default_factory=dict[Contributor, AlarmState])


_UNCHANGED: Final[Mapping[AlarmState, Evaluation]] = {
    state: Evaluation(state, lambda: "unchanged") for state in get_args(AlarmState)
}


@dataclass(frozen=True)
class Alarm:
    """The common fields of all alarms.

    Attributes:
        name: its name.
        arn: its ARN.
        place: where it is in the template.
        actions: the called ARNs.
        description: for the person on call.
        properties: as the template has them, resolved.
    """

    name: str
    arn: str
    place: Place
    actions: Actions
    description: str
    properties: Mapping[str, Any]

    @property
    def logical_id(self) -> str:
        """In its template."""
        return self.place.logical_id

    def is_called(self, wanted: str) -> bool:
        """Whether the text is its name, ARN, logical id, construct path, or the end of that path."""
        return wanted in (self.name, self.arn) or self.place.is_called(wanted)


@dataclass(frozen=True)
class MetricAlarm(Alarm):
    """An alarm on one metric."""

    rule: AlarmRule
    metric: MetricKey

    def evaluate(self, metrics: Metrics, at: float, previous: AlarmState) -> Evaluation:
        """Its state at `at` (seconds since the epoch)."""
        points = datapoints(self.rule, [metrics.series(self.metric)], at)
        state = state_of(self.rule, points, previous)
        if state == previous:  # as nearly always: a thousand alarms are evaluated each minute
            return _UNCHANGED[state]
        return Evaluation(state, lambda: _reason(self.rule, points, state))


@dataclass(frozen=True)
class QueryAlarm(Alarm):
    """An alarm on a Metrics Insights query. With GROUP BY each time series has its own state: a contributor."""

    rule: AlarmRule
    query: MetricsQuery

    def evaluate(self, metrics: Metrics, at: float, previous: AlarmState) -> Evaluation:
        """Its state at `at`: ALARM while any contributor is.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Acting_Alarm_Changes.html: a contributor is in
        ALARM or OK and never has too little data.
        """
        groups = self.query.groups(metrics, since=at - HOURS * 3600)
        ranges = {values: datapoints(self.rule, series, at) for values, series in groups.items()}
        if not self.query.group_by or not ranges:
            points = next(iter(ranges.values()), [None] * points_of_range(self.rule))
            state = state_of(self.rule, points, previous)
            return Evaluation(state, lambda: _reason(self.rule, points, state))
        contributors: dict[Contributor, AlarmState] = {
            tuple(zip(self.query.group_by, values, strict=True)): (
                "ALARM" if state_of(self.rule, points) == "ALARM" else "OK"
            )
            for values, points in self._first(ranges)
        }
        alarming = sum(state == "ALARM" for state in contributors.values())
        reason = f"{alarming} out of {len(contributors)} time series evaluated to ALARM"
        return Evaluation("ALARM" if alarming else "OK", lambda: reason, contributors)

    def _first(
        self, ranges: Mapping[tuple[str, ...], list[float | None]]
    ) -> Sequence[tuple[tuple[str, ...], list[float | None]]]:
        """The time series that the query returns: the first, in its order."""
        found = list(ranges.items())
        most = min(self.query.limit or MAX_SERIES, MAX_SERIES)
        if self.query.descending is not None:
            found.sort(key=lambda one: sum(point or 0 for point in one[1]), reverse=self.query.descending)
        return found[:most]


@dataclass(frozen=True)
class CompositeAlarm(Alarm):
    """An alarm on the states of others. `children` are the alarms' names, by their names in the rule."""

    rule: Rule
    children: Mapping[str, str]

    def evaluate(self, states: Mapping[str, AlarmState]) -> Evaluation:
        """Its state, from those of the others by name. A composite alarm always has data."""
        seen: dict[str, AlarmState] = {called: states[name] for called, name in self.children.items()}
        alarming = [name for called, name in self.children.items() if seen[called] == "ALARM"]
        state: Literal["ALARM", "OK"] = "ALARM" if self.rule.holds(seen) else "OK"
        reason = f"its rule is {'met' if state == 'ALARM' else 'not met'}; in ALARM: {', '.join(alarming) or 'none'}"
        return Evaluation(state, lambda: reason)


def _reason(rule: AlarmRule, points: Sequence[float | None], state: AlarmState) -> str:
    known = [point for point in points if point is not None]
    if not known:
        return f"no datapoints were received, which counts as {rule.treat_missing_data}"
    shown = ", ".join(f"{point:g}" for point in known[-rule.evaluation_periods :])
    crossed = "crossed" if state == "ALARM" else "not crossed"
    return f"Threshold {crossed}: {rule.statistic} [{shown}], {rule.comparison} {rule.threshold:g}"
