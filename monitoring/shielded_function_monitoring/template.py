"""The alarm chain of a function, read from a synthesized template and run over real log lines.

This is what `make demo` stands on: the filter and the alarm are those that would be deployed, only CloudWatch is
replaced.

    template = json.loads(Path("cdk.out/Checkout.template.json").read_text())
    for function in shielded_functions(template):
        monitoring = monitoring_of(template, function)
        states = monitoring.states(events, at=time.time())
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from . import alarm
from .alarm import AlarmRule, AlarmState, Sample
from .pattern import Pattern, parse

WRAPPER: Final = "/opt/shielded-function/shield"
"""The value of AWS_LAMBDA_EXEC_WRAPPER in a shielded function."""

Template = Mapping[str, Any]


class TemplateError(ValueError):
    """A template that does not hold what was asked for; the message names the resource."""


@dataclass(frozen=True)
class LogEvent:
    """One log line.

    Attributes:
        time: seconds since the epoch.
        message: the line, without its newline.
    """

    time: float
    message: str


@dataclass(frozen=True)
class Metric:
    """Where samples go. Names may be intrinsics (`{"Ref": ...}`): they are compared as they are written."""

    namespace: Any
    name: Any


@dataclass(frozen=True)
class MetricFilter:
    """An `AWS::Logs::MetricFilter` that counts lines."""

    logical_id: str
    pattern: Pattern
    metric: Metric
    value: float

    def samples(self, events: Iterable[LogEvent]) -> list[Sample]:
        """What it would publish for these lines."""
        return [Sample(event.time, self.value) for event in events if self.pattern.matches(event.message)]


@dataclass(frozen=True)
class Alarm:
    """An `AWS::CloudWatch::Alarm` on one metric."""

    logical_id: str
    rule: AlarmRule
    metric: Metric
    actions: Sequence[Any]


@dataclass(frozen=True)
class Monitoring:
    """A function's alarm chain.

    Attributes:
        function: the function's logical id.
        log_group: the log group's name as the template writes it, a name or an intrinsic.
        filters: the metric filters on that log group.
        alarms: the alarms on the filters' metrics.
    """

    function: str
    log_group: Any
    filters: tuple[MetricFilter, ...]
    alarms: tuple[Alarm, ...]

    def matched(self, message: str) -> tuple[MetricFilter, ...]:
        """The filters that count this line."""
        return tuple(found for found in self.filters if found.pattern.matches(message))

    def states(
        self, events: Sequence[LogEvent], at: float, previous: Mapping[str, AlarmState] | None = None
    ) -> dict[str, AlarmState]:
        """The state of every alarm at a moment, by logical id.

        Args:
            events: the log lines of the function.
            at: the moment, in seconds since the epoch.
            previous: the states before; `INSUFFICIENT_DATA`, a new alarm's, where not given.
        """
        before = previous or {}
        return {
            found.logical_id: alarm.evaluate(
                found.rule,
                [
                    sample
                    for source in self.filters
                    if source.metric == found.metric
                    for sample in source.samples(events)
                ],
                at,
                before.get(found.logical_id, "INSUFFICIENT_DATA"),
            )
            for found in self.alarms
        }


def shielded_functions(template: Template) -> list[str]:
    """The logical ids of the functions whose exec wrapper is the shield."""
    return [
        logical_id
        for logical_id, properties in _resources(template, "AWS::Lambda::Function").items()
        if properties.get("Environment", {}).get("Variables", {}).get("AWS_LAMBDA_EXEC_WRAPPER") == WRAPPER
    ]


def monitoring_of(template: Template, function: str) -> Monitoring:
    """The alarm chain of a function.

    Filters that publish a value from the log line, or that have dimensions, are not read: nothing here makes them
    yet.

    Raises:
        TemplateError: there is no such function.
        PatternError: a filter on its log group is not a JSON pattern of the subset that `pattern` reads.
        AlarmError: an alarm on its metrics is of a kind that `alarm` does not evaluate.
    """
    functions = _resources(template, "AWS::Lambda::Function")
    if function not in functions:
        raise TemplateError(f"{function}: no AWS::Lambda::Function of that logical id in the template")
    log_groups = _log_groups(function, functions[function])
    filters: list[MetricFilter] = []
    for logical_id, properties in _resources(template, "AWS::Logs::MetricFilter").items():
        if properties.get("LogGroupName") in log_groups:
            filters.extend(_filters(logical_id, properties))
    metrics = [found.metric for found in filters]
    alarms = tuple(
        Alarm(logical_id, AlarmRule.from_properties(properties), metric, tuple(properties.get("AlarmActions", ())))
        for logical_id, properties in _resources(template, "AWS::CloudWatch::Alarm").items()
        if (metric := Metric(properties.get("Namespace"), properties.get("MetricName"))) in metrics
        and not properties.get("Dimensions")
    )
    return Monitoring(function, log_groups[0], tuple(filters), alarms)


def _log_groups(function: str, properties: Mapping[str, Any]) -> list[Any]:
    """The names under which a template may write the function's log group."""
    configured = properties.get("LoggingConfig", {}).get("LogGroup")
    if configured is not None:
        return [configured]
    default: list[Any] = [{"Fn::Join": ["", ["/aws/lambda/", {"Ref": function}]]}]
    if isinstance(properties.get("FunctionName"), str):
        default.append(f"/aws/lambda/{properties['FunctionName']}")
    return default


def _filters(logical_id: str, properties: Mapping[str, Any]) -> Iterable[MetricFilter]:
    for transformation in cast("list[Mapping[str, Any]]", properties.get("MetricTransformations", [])):
        value = str(transformation.get("MetricValue", ""))
        if value.startswith("$") or transformation.get("Dimensions"):
            continue
        yield MetricFilter(
            logical_id,
            parse(cast(str, properties.get("FilterPattern"))),
            Metric(transformation.get("MetricNamespace"), transformation.get("MetricName")),
            float(value),
        )


def _resources(template: Template, kind: str) -> dict[str, Mapping[str, Any]]:
    resources = cast("Mapping[str, Mapping[str, Any]]", template.get("Resources", {}))
    return {
        logical_id: cast("Mapping[str, Any]", resource.get("Properties", {}))
        for logical_id, resource in resources.items()
        if resource.get("Type") == kind
    }
