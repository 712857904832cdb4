"""One function's part of a simulated CloudWatch, read from a synthesized template and run over real log lines.

`make demo` uses it: the filters and alarms are those that would be deployed, only CloudWatch is replaced.

    template = json.loads(Path("cdk.out/Checkout.template.json").read_text())
    for function in shielded_functions(template):
        monitoring = monitoring_of(template, function)
        states = monitoring.states(events, at=time.time())
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from .alarm import AlarmState
from .cfn.values import Resolver
from .errors import ShieldError
from .pattern import read_line
from .simulated.alarms import Alarm, CompositeAlarm, MetricAlarm, QueryAlarm
from .simulated.cloudwatch import SimulatedCloudWatch
from .simulated.filters import MetricFilter
from .simulated.log_events import LogEvent
from .simulated.notifications import Transition
from .simulated.template_reader import LoggedFunction, ReadTemplate, read_templates

WRAPPER: Final = "/opt/shielded-function/shield"
"""The value of AWS_LAMBDA_EXEC_WRAPPER in a shielded function."""

Template = Mapping[str, Any]


class TemplateError(ShieldError):
    """A template that lacks a requested resource, or has one that is not evaluated here; the message names it."""


@dataclass(frozen=True)
class Monitoring:
    """A function's alarm chain.

    Attributes:
        function: the function: its logical id is `function.place.logical_id`, its name `function.name`.
        filters: the metric filters on its log group.
        alarms: the alarms that its lines can set off.
    """

    function: LoggedFunction
    filters: tuple[MetricFilter, ...]
    alarms: tuple[Alarm, ...]

    @property
    def log_group(self) -> str:
        """The name of its log group."""
        return self.function.log_group

    def matched(self, message: str) -> tuple[MetricFilter, ...]:
        """The filters that count this line."""
        line = read_line(message)
        return () if line is None else tuple(found for found in self.filters if found.publishes(line) is not None)

    def states(
        self, events: Sequence[LogEvent], at: float, previous: Mapping[str, AlarmState] | None = None
    ) -> dict[str, AlarmState]:
        """The state of every alarm at a moment, by logical id.

        Args:
            events: the log lines of the function.
            at: the moment, in seconds since the epoch.
            previous: the states before; `INSUFFICIENT_DATA`, a new alarm's, where not given.
        """
        cloudwatch, _ = self._run(events, at, previous)
        return {alarm.logical_id: cloudwatch.states[alarm.name] for alarm in self.alarms}

    def transitions(
        self, events: Sequence[LogEvent], at: float, previous: Mapping[str, AlarmState] | None = None
    ) -> list[Transition]:
        """The changes at a moment, with the actions that would be called; arguments as for `states`."""
        return self._run(events, at, previous)[1]

    def _run(
        self, events: Iterable[LogEvent], at: float, previous: Mapping[str, AlarmState] | None
    ) -> tuple[SimulatedCloudWatch, list[Transition]]:
        cloudwatch = SimulatedCloudWatch(ReadTemplate(list(self.filters), list(self.alarms), [self.function]))
        cloudwatch.set_states(previous or {})
        cloudwatch.put_log_events(self.log_group, events)
        return cloudwatch, cloudwatch.evaluate(at)


def shielded_functions(template: Template) -> list[str]:
    """The logical ids of the functions whose exec wrapper is the shield."""
    resources = cast("Mapping[str, Mapping[str, Any]]", template.get("Resources", {}))
    return [
        logical_id
        for logical_id, resource in resources.items()
        if resource.get("Type") == "AWS::Lambda::Function"
        and resource.get("Properties", {}).get("Environment", {}).get("Variables", {}).get("AWS_LAMBDA_EXEC_WRAPPER")
        == WRAPPER
    ]


def monitoring_of(template: Template, function: str, resolver: Resolver | None = None) -> Monitoring:
    """The alarm chain of a function, within its template.

    Args:
        template: the synthesized template.
        function: the function's logical id.
        resolver: makes the template's names; where not given, the stack is taken to be called `Stack`.

    Raises:
        TemplateError: there is no such function, or a filter on its log group, or an alarm on its metrics, is of a kind
            that is not evaluated here.
    """
    read = read_templates([resolver or Resolver("Stack", template)])
    found = [one for one in read.functions if one.place.logical_id == function]
    if not found:
        said = [problem.reason for problem in read.problems if problem.place.logical_id == function]
        raise TemplateError(f"{function}: {said[0] if said else 'no AWS::Lambda::Function of that logical id'}")
    (logged,) = found
    filters = tuple(one for one in read.filters if one.log_group == logged.log_group)
    metrics = {(one.namespace, one.metric) for one in filters}
    for problem in read.problems:
        if problem.log_group == logged.log_group or problem.metric in metrics:
            raise TemplateError(str(problem))
    alarms: list[Alarm] = []
    for alarm in read.alarms:
        if _watches(alarm, logged.name, filters) or (
            isinstance(alarm, CompositeAlarm) and {one.name for one in alarms} >= set(alarm.children.values())
        ):
            alarms.append(alarm)
    return Monitoring(logged, filters, tuple(alarms))


def _watches(alarm: Alarm, function: str, filters: Sequence[MetricFilter]) -> bool:
    """Whether this alarm can count a line of the function."""
    if isinstance(alarm, MetricAlarm):
        named = dict(alarm.metric.dimensions).get("FunctionName", function)
        return named == function and any(one.could_publish(alarm.metric) for one in filters)
    return isinstance(alarm, QueryAlarm) and any(alarm.query.could_take(one.some_key) for one in filters)
