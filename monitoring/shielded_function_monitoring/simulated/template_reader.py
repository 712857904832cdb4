"""Reads filters, alarms and functions from a template, with its names resolved as a deployment would resolve them.

A resource that cannot be evaluated is a `Problem` that names it and says why: a filter pattern for lines that are not
JSON, an alarm on a percentile, a name that only a deployment knows. `read_filters` and `watched` also serve the checks
of an app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from ..cfn.template import Place, as_mapping, as_mappings
from ..cfn.values import IntrinsicError, Resolver
from ..pattern import Pattern, Selector, parse
from .alarms import Alarm
from .metric_filters import MetricFilter
from .metrics import SimulationError
from .rules import parse_rule
from .states import AlarmRule, AlarmState
from .watched_metrics import MetricsQuery, parse_query

ACTIONS: Final[Mapping[str, AlarmState]] = {
    "AlarmActions": "ALARM",
    "OKActions": "OK",
    "InsufficientDataActions": "INSUFFICIENT_DATA",
}
# Metric alarms of kinds that are not computed here, and composite alarms of kinds that are not evaluated.
_NOT_READ: Final = {
    "ExtendedStatistic": "on a percentile",
    "ThresholdMetricId": "on an anomaly band",
    "EvaluationCriteria": "on a query in PromQL",
    "ActionsSuppressor": "with another alarm that suppresses its actions",
}
pattern_of: Callable[[str], Pattern] = lru_cache(parse)
"""A pattern, parsed once: the filters of an app's functions have the same."""


@dataclass(frozen=True)
class Problem:
    """A filter or an alarm that is not simulated.

    Attributes:
        place: where the template has it.
        reason: why not.
        log_group: of a filter: the log group that it is on, where known.
        metric: the namespace and name that it publishes, or watches, where known.
        names: of an alarm: its name and its ARN, where known.
    """

    place: Place
    reason: str
    log_group: str | None = None
    metric: tuple[str, str] | None = None
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.place.path}: {self.reason}"


@dataclass(frozen=True)
class LoggedFunction:
    """A function of the template, and where it logs.

    Attributes:
        name: its name, as its alert lines have it.
        log_group: the name of its log group.
        place: where the template has it.
    """

    name: str
    log_group: str
    place: Place


@dataclass
class ReadTemplate:
    """The contents of a template, or of several. A composite alarm follows those that it is on."""

    filters: list[MetricFilter] = field(default_factory=list[MetricFilter])
    alarms: list[Alarm] = field(default_factory=list[Alarm])
    functions: list[LoggedFunction] = field(default_factory=list[LoggedFunction])
    problems: list[Problem] = field(default_factory=list[Problem])


def read_templates(stacks: Sequence[Resolver]) -> ReadTemplate:
    """Reads the stacks of an account and region: alarms in one may watch the metrics of another's filters.

    Args:
        stacks: the source of each one's values.
    """
    read = ReadTemplate()
    alarms: list[Alarm] = []
    for resolver in stacks:
        for logical_id, resource in as_mapping(resolver.template.get("Resources")).items():
            if not _is_deployed(resolver, resource):
                continue
            reader = _Reader(resolver, logical_id, resource.get("Properties", {}))
            kind = str(resource.get("Type"))
            try:
                match kind:
                    case "AWS::Lambda::Function":
                        read.functions.append(reader.function())
                    case "AWS::Logs::MetricFilter":
                        read.filters.extend(read_filters(logical_id, reader.resolved()))
                    case "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm":
                        alarms.append(reader.alarm())
                    case _:
                        pass
            except (ValueError, TypeError, KeyError) as error:
                read.problems.append(reader.problem(kind, error))
    _sort(alarms, read)
    return read


def _is_deployed(resolver: Resolver, resource: Mapping[str, Any]) -> bool:
    """Whether its condition holds. One that only a deployment can decide is taken to."""
    try:
        return "Condition" not in resource or resolver.holds(resource["Condition"])
    except IntrinsicError:
        return True


def _sort(alarms: Sequence[Alarm], read: ReadTemplate) -> None:
    """Leaves out alarms whose state cannot be known, with those above them, and sorts the rest."""
    lost = {problem.metric: problem for problem in read.problems if problem.metric and problem.log_group}
    composites: list[Alarm] = []
    known: set[str] = set()

    def without(alarm: Alarm, reason: str) -> None:
        read.problems.append(Problem(alarm.place, reason, names=(alarm.name, alarm.arn)))

    for alarm in alarms:
        if (query := alarm.query) is None:
            composites.append(alarm)
        elif query.namespace.startswith("AWS/"):
            without(alarm, "it watches an AWS metric, which is not published here")
        elif problem := lost.get((query.namespace, query.metric)):
            without(alarm, f"it watches a metric of {problem}")
        else:
            read.alarms.append(alarm)
            known |= {alarm.name, alarm.arn}
    while ready := [alarm for alarm in composites if known.issuperset(alarm.children)]:
        read.alarms += ready
        known.update(name for alarm in ready for name in (alarm.name, alarm.arn))
        composites = [alarm for alarm in composites if alarm not in ready]
    for alarm in composites:
        missing = next(child for child in alarm.children if child not in known)
        without(alarm, f"AlarmRule names {missing}: no such alarm is simulated")


@dataclass(frozen=True)
class _Reader:
    """Reads one resource."""

    resolver: Resolver
    logical_id: str
    properties: Mapping[str, Any]

    @property
    def place(self) -> Place:
        return self.resolver.place(self.logical_id)

    @property
    def lenient(self) -> Resolver:
        """Makes a text of a value that only a deployment knows."""
        return replace(self.resolver, is_lenient=True)

    def resolved(self) -> dict[str, Any]:
        """The properties; an action's ARN may be one that only a deployment knows."""
        return {
            name: (self.lenient if name in ACTIONS else self.resolver).resolve(value)
            for name, value in self.properties.items()
        }

    def problem(self, kind: str, error: Exception) -> Problem:
        said = f"{error.args[0]}: missing" if isinstance(error, KeyError) else str(error)
        known = self.lenient.resolve(self.properties)
        first = (known.get("MetricTransformations") or [known])[0]
        metric = (first.get("MetricNamespace", first.get("Namespace")), first.get("MetricName"))
        is_alarm = kind.endswith("Alarm")
        names = (self.lenient.name_of(self.logical_id), self.lenient.arn_of(self.logical_id)) if is_alarm else ()
        return Problem(self.place, said, known.get("LogGroupName"), metric if all(metric) else None, names)

    def function(self) -> LoggedFunction:
        name = self.resolver.name_of(self.logical_id)
        configured = (self.properties.get("LoggingConfig") or {}).get("LogGroup")
        log_group = f"/aws/lambda/{name}" if configured is None else str(self.resolver.resolve(configured))
        return LoggedFunction(name, log_group, self.place)

    def alarm(self) -> Alarm:
        resolved = self.resolved()
        for name, kind in _NOT_READ.items():
            if name in resolved:
                raise SimulationError(f"{name}: alarms {kind} are not evaluated here")
        is_enabled = resolved.get("ActionsEnabled", True)
        return Alarm(
            name=self.resolver.name_of(self.logical_id),
            arn=self.resolver.arn_of(self.logical_id),
            place=self.place,
            actions={state: tuple(resolved.get(name, ())) for name, state in ACTIONS.items() if is_enabled},
            properties=resolved,
            source=parse_rule(resolved["AlarmRule"]) if "AlarmRule" in resolved else read_source(resolved),
        )


def read_source(properties: Mapping[str, Any]) -> tuple[MetricsQuery, AlarmRule]:
    """The metric or the query of an `AWS::CloudWatch::Alarm`, whose values are resolved, and the rule on it.

    Raises:
        SimulationError: there are several metrics, or the query or the rule is of a kind that is not evaluated here.
        KeyError: a property is missing.
    """
    found, *others = _metrics(properties)
    if others:
        raise SimulationError("Metrics: only an alarm on one metric or query is evaluated here, not metric math")
    if "Expression" in found:
        return parse_query(found["Expression"]), AlarmRule.from_properties({**properties, **found, "Statistic": "Sum"})
    return MetricsQuery.of_metric(found), AlarmRule.from_properties({**properties, **found})


def watched(properties: Mapping[str, Any], namespace: str) -> Iterator[MetricsQuery | None]:
    """Every metric and query of a namespace that an alarm watches, metric math too; None for one that is not read.

    Args:
        properties: of an `AWS::CloudWatch::Alarm`, resolved. Missing ones are no error.
        namespace: of the metrics.
    """
    for found in _metrics(properties):
        try:
            query = parse_query(str(found["Expression"])) if "Expression" in found else MetricsQuery.of_metric(found)
        except SimulationError:
            if namespace in str(found["Expression"]):
                yield None
        else:
            if query.namespace == namespace:
                yield query


def _metrics(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The metrics and queries of an alarm; a metric that has a label is written as one of several."""
    for each in as_mappings(properties.get("Metrics")) or (properties,):
        stat = as_mapping(each.get("MetricStat"))
        of_stat = {"Period": stat.get("Period"), "Statistic": stat.get("Stat"), **as_mapping(stat.get("Metric"))}
        yield {**each, **of_stat} if stat else each


def read_filters(name: str, properties: Mapping[str, Any]) -> Iterator[MetricFilter]:
    """The filters of an `AWS::Logs::MetricFilter`, whose values are resolved: one for each transformation.

    Raises:
        PatternError: the pattern is not a JSON pattern of the subset that `pattern` reads.
        SimulationError: it has a default value, or a value that is neither a number nor a field.
        KeyError: a property is missing.
    """
    pattern = pattern_of(str(properties["FilterPattern"]))
    for transformation in properties["MetricTransformations"]:
        if "DefaultValue" in transformation:
            raise SimulationError(f"{name}: DefaultValue: filters with a default value are not evaluated here")
        written = str(transformation["MetricValue"])
        try:
            value = Selector(written) if written.startswith("$") else float(written)
        except ValueError:
            raise SimulationError(
                f"{name}: MetricValue: {written!r} is neither a number nor a field as $.count"
            ) from None
        yield MetricFilter(
            name=name,
            log_group=properties["LogGroupName"],
            pattern=pattern,
            namespace=transformation["MetricNamespace"],
            metric=transformation["MetricName"],
            value=value,
            dimensions=tuple(
                (found["Key"], Selector(found["Value"])) for found in transformation.get("Dimensions", [])
            ),
        )
