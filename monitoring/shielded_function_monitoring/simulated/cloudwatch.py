"""CloudWatch on a laptop: log lines in, through the template's own filters, alarms and actions out."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from ..pattern import Selector, read_line
from .alarms import Alarm, Contributor, Evaluation, Notification, Transition
from .log_events import LogEvent
from .metric_filters import MetricFilter
from .metrics import MINUTE, Metrics, SimulationError
from .states import AlarmState
from .template_reader import LoggedFunction, Problem, ReadTemplate
from .watched_metrics import MetricsQuery

_FUNCTION = Selector("$.function")
"""The field of a line that has the function's name."""


class SimulatedCloudWatch:
    """The metric filters, metrics and alarms of one account and region.

        cloudwatch = SimulatedCloudWatch(read_templates([Resolver("Shop", template)]))
        checkout = cloudwatch.function("Checkout")
        cloudwatch.put_log_events(checkout.log_group, [alert_line(checkout.name)], at=60)
        cloudwatch.evaluate(at=60)
        cloudwatch.state("CheckoutAlarm"), cloudwatch.notifications("ALARM")

    Attributes:
        functions: the functions, each with its name and log group.
        filters: the metric filters.
        alarms: the alarms that are simulated.
        problems: filters and alarms that are not simulated, each with the reason.
        metrics: the published data so far.
        transitions: every change of a state so far.
    """

    def __init__(self, read: ReadTemplate) -> None:
        """Takes the filters and alarms as `read_templates` reads them."""
        self.functions: tuple[LoggedFunction, ...] = tuple(read.functions)
        self.filters: tuple[MetricFilter, ...] = tuple(read.filters)
        self.alarms: tuple[Alarm, ...] = tuple(read.alarms)
        self.problems: tuple[Problem, ...] = tuple(read.problems)
        self.metrics = Metrics()
        self.transitions: list[Transition] = []
        groups = (each.log_group for each in (*self.functions, *self.filters, *self.problems))
        self._filters_of: dict[str, list[MetricFilter]] = {name: [] for name in groups if name is not None}
        for found in self.filters:
            self._filters_of[found.log_group].append(found)
        self._states: dict[str, AlarmState] = {alarm.name: "INSUFFICIENT_DATA" for alarm in self.alarms}
        self._contributors: dict[str, dict[Contributor, AlarmState]] = {}

    def function(self, wanted: str) -> LoggedFunction:
        """The function of a name, a logical id, a construct path or the end of one.

        Raises:
            SimulationError: there is none, or more than one.
        """
        found = [one for one in self.functions if wanted == one.name or one.place.is_called(wanted)]
        return _only(found, f"function {wanted}", [one.place.path for one in self.functions])

    def alarm(self, wanted: str) -> Alarm:
        """The alarm of a name, an ARN, a logical id, a construct path or the end of one.

        Raises:
            SimulationError: there is none, more than one, or it is not simulated.
        """
        for problem in self.problems:
            if wanted in problem.names or problem.place.is_called(wanted):
                raise SimulationError(f"the alarm {wanted} is not simulated: {problem.reason}")
        found = [alarm for alarm in self.alarms if wanted in (alarm.name, alarm.arn) or alarm.place.is_called(wanted)]
        return _only(found, f"alarm {wanted}", [alarm.place.path for alarm in self.alarms])

    def state(self, wanted: str) -> AlarmState:
        """An alarm's state since the last evaluation; `INSUFFICIENT_DATA` before the first.

        Raises:
            SimulationError: there is no such alarm, or it is not simulated.
        """
        return self._states[self.alarm(wanted).name]

    @property
    def states(self) -> dict[str, AlarmState]:
        """The state of every alarm that is simulated, by its name."""
        return dict(self._states)

    @property
    def firing(self) -> tuple[Alarm, ...]:
        """The alarms in ALARM."""
        return tuple(alarm for alarm in self.alarms if self._states[alarm.name] == "ALARM")

    def notifications(self, state: AlarmState | None = None) -> list[Notification]:
        """Every call of an action so far, or those of changes into one state."""
        changes = [each for each in self.transitions if state in (None, each.state)]
        return [notification for change in changes for notification in change.notifications]

    def unfed(self) -> tuple[Alarm, ...]:
        """Alarms that never fire: no filter here publishes to the metric that they watch.

        Either the metric has other dimensions than any filter's, or it is of a function that does not log there.
        """
        return tuple(alarm for alarm in self.alarms if alarm.query is not None and not self._is_fed(alarm.query))

    def put_log_events(self, log_group: str, events: Iterable[LogEvent | str], at: float | None = None) -> int:
        """Puts lines into a log group, through its filters.

        Args:
            log_group: its name; `function(...).log_group` tells a function's.
            events: the lines; each line that is only text was written at `at`.
            at: seconds since the epoch; now, where not given.

        Returns how many values were published.

        Raises:
            SimulationError: no function logs to such a log group, and no filter is on it.
        """
        if log_group not in self._filters_of:
            there = ", ".join(sorted(self._filters_of)) or "none"
            raise SimulationError(f"no log group {log_group}; there are: {there}")
        now = clock.time() if at is None else at
        count = 0
        for event in events:
            when, message = (now, event) if isinstance(event, str) else (event.time, event.message)
            line = read_line(message)
            for found in self._filters_of[log_group]:
                published = None if line is None else found.publishes(line)
                if published is not None:
                    self.metrics.put(*published, when)
                    count += 1
        return count

    def evaluate(self, at: float | None = None) -> list[Transition]:
        """Evaluates every alarm at a moment, as CloudWatch does once a minute, and returns the changes.

        A new alarm starts in `INSUFFICIENT_DATA`, as in CloudWatch, so that the first evaluation changes every state.

        Args:
            at: seconds since the epoch; now, where not given.
        """
        moment = clock.time() if at is None else at
        changes: list[Transition] = []
        states: dict[str, AlarmState] = {}
        for alarm in self.alarms:
            previous = self._states[alarm.name]
            evaluation = alarm.evaluate(self.metrics, states, moment, previous)
            self._states[alarm.name] = states[alarm.name] = states[alarm.arn] = evaluation.state
            if evaluation.state != previous:
                changes.append(Transition(alarm, previous, evaluation.state, evaluation.reason, moment))
            if evaluation.contributors or alarm.name in self._contributors:
                changes.extend(self._contributor_changes(alarm, evaluation, moment))
        self.transitions.extend(changes)
        return changes

    def replay(self, log_group: str, events: Iterable[LogEvent]) -> list[Transition]:
        """Puts lines in the order of their times, and evaluates at the end of each minute that has some."""
        changes: list[Transition] = []
        ordered = sorted(events, key=lambda one: one.time)
        for minute, lines in groupby(ordered, key=lambda one: math.floor(one.time / MINUTE)):
            self.put_log_events(log_group, lines)
            changes.extend(self.evaluate((minute + 1) * MINUTE - 0.001))
        return changes

    def _contributor_changes(self, alarm: Alarm, evaluation: Evaluation, at: float) -> list[Transition]:
        before, now = self._contributors.get(alarm.name, {}), evaluation.contributors
        self._contributors[alarm.name] = dict(now)
        return [
            Transition(alarm, before.get(who, "OK"), now.get(who, "OK"), evaluation.reason, at, who)
            for who in {**before, **now}
            if before.get(who, "OK") != now.get(who, "OK")
        ]

    def _is_fed(self, query: MetricsQuery) -> bool:
        return any(query.could_take(found.some_key) and self._names_a_function(found, query) for found in self.filters)

    def _names_a_function(self, found: MetricFilter, query: MetricsQuery) -> bool:
        """Whether the function that a query names is one that logs where the filter is, if any does."""
        names = {function.name for function in self.functions if function.log_group == found.log_group}
        by_function = {name for name, selector in found.dimensions if selector == _FUNCTION}
        return not names or all(value in names for name, value in query.where if name in by_function)


def _only(found: Sequence[Any], wanted: str, there: Sequence[str]) -> Any:
    if len(found) == 1:
        return found[0]
    listed = ", ".join(there) or "none"
    raise SimulationError(f"{'more than one' if found else 'no'} {wanted}; there are: {listed}")
