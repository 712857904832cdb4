"""Reads filters, alarms and functions from a template, with its names resolved as a deployment would resolve them.

A resource that cannot be evaluated is a `Problem` that names it and says why: a filter pattern for lines that are not
JSON, an alarm on a percentile, a name that only a deployment knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from ..alarm import AlarmRule
from ..cfn.values import IntrinsicError, Resolver
from ..errors import ShieldError
from ..pattern import Selector, parse, parse_selector
from .alarms import Actions, Alarm, CompositeAlarm, MetricAlarm, Place, QueryAlarm
from .composite import parse_rule
from .filters import FilterError, MetricFilter
from .metrics import MetricKey
from .metrics_insights import parse_query

FUNCTION: Final = "AWS::Lambda::Function"
FILTER: Final = "AWS::Logs::MetricFilter"
ALARM: Final = "AWS::CloudWatch::Alarm"
COMPOSITE: Final = "AWS::CloudWatch::CompositeAlarm"
# Metric alarms of kinds that are not computed here, and composite alarms of kinds that are not evaluated.
_NOT_READ: Final = {
    "ExtendedStatistic": "on a percentile",
    "ThresholdMetricId": "on an anomaly band",
    "EvaluationCriteria": "on a query in PromQL",
    "ActionsSuppressor": "with another alarm that suppresses its actions",
}

_T = TypeVar("_T")


class ReadError(ShieldError):
    """A property that is missing, or not as CloudFormation has it; the message names it."""


@dataclass(frozen=True)
class Problem:
    """A filter or an alarm that is not simulated.

    Attributes:
        place: where the template has it.
        reason: why not.
        log_group: of a filter: the log group that it is on, where known.
        metric: the namespace and name that it publishes, or watches, where known.
    """

    place: Place
    reason: str
    log_group: str | None = None
    metric: tuple[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.place.path or self.place.logical_id}: {self.reason}"


@dataclass(frozen=True)
class LoggedFunction:
    """A function of the template, and where it logs.

    Attributes:
        name: its name, as its alert lines have it.
        log_group: the name of its log group.
        place: where the template has it.
        variables: of its environment, as the template writes them.
    """

    name: str
    log_group: str
    place: Place
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)


@dataclass
class ReadTemplate:
    """The contents of a template, or of several."""

    filters: list[MetricFilter] = field(default_factory=list[MetricFilter])
    alarms: list[Alarm] = field(default_factory=list[Alarm])
    functions: list[LoggedFunction] = field(default_factory=list[LoggedFunction])
    topics: list[str] = field(default_factory=list[str])
    problems: list[Problem] = field(default_factory=list[Problem])


def read_templates(stacks: Sequence[Resolver]) -> ReadTemplate:
    """Reads the stacks of an account and region: alarms in one may watch the metrics of another's filters.

    Args:
        stacks: the source of each one's values.
    """
    read = ReadTemplate()
    composites: list[tuple[Resolver, Place, Mapping[str, Any]]] = []
    for resolver in stacks:
        reader = _Reader(resolver, read)
        for place, properties in reader.resources(FUNCTION):
            reader.attempt(place, properties, reader.function, read.functions)
        for place, properties in reader.resources(FILTER):
            reader.attempt(place, properties, reader.filters, read.filters)
        for place, properties in reader.resources(ALARM):
            reader.attempt(place, properties, reader.alarm, read.alarms)
        for place, _ in reader.resources("AWS::SNS::Topic"):
            read.topics.append(str(resolver.ref(place.logical_id)))
        composites.extend((resolver, place, properties) for place, properties in reader.resources(COMPOSITE))
    _read_composites(composites, read)
    return read


def _read_composites(composites: list[tuple[Resolver, Place, Mapping[str, Any]]], read: ReadTemplate) -> None:
    """Composite alarms may name each other: read those whose children are known, until none is left that are."""
    left = composites
    while left:
        waiting: list[tuple[Resolver, Place, Mapping[str, Any]]] = []
        problems: list[Problem] = []
        for resolver, place, properties in left:
            try:
                read.alarms.append(_Reader(resolver, read).composite(place, properties))
            except (ValueError, KeyError) as error:
                waiting.append((resolver, place, properties))
                problems.append(Problem(place, _said(error)))
        if len(waiting) == len(left):
            read.problems.extend(problems)
            return
        left = waiting


def _said(error: ValueError | KeyError) -> str:
    return f"{error.args[0]}: missing" if isinstance(error, KeyError) else str(error)


class _Reader:
    """Reads one stack's resources."""

    def __init__(self, resolver: Resolver, read: ReadTemplate) -> None:
        self._resolver = resolver
        self._read = read

    def resources(self, kind: str) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        resources = cast("Mapping[str, Mapping[str, Any]]", self._resolver.template.get("Resources", {}))
        for logical_id, resource in resources.items():
            if resource.get("Type") == kind and self._is_deployed(resource):
                place = Place(self._resolver.stack, logical_id, self._resolver.path_of(logical_id))
                yield place, resource.get("Properties", {})

    def _is_deployed(self, resource: Mapping[str, Any]) -> bool:
        """Whether its condition holds. One that only a deployment can decide is taken to."""
        try:
            return "Condition" not in resource or self._resolver.holds(resource["Condition"])
        except IntrinsicError:
            return True

    def attempt(
        self,
        place: Place,
        properties: Mapping[str, Any],
        read: Callable[[Place, Mapping[str, Any]], _T | Sequence[_T]],
        into: list[_T],
    ) -> None:
        try:
            found = read(place, properties)
        except (ValueError, KeyError) as error:
            found = Problem(place, _said(error), self._log_group(properties), self._metric(properties))
            self._read.problems.append(found)
        else:
            into.extend(cast("Sequence[_T]", found) if isinstance(found, (list, tuple)) else [cast("_T", found)])

    def _quietly(self, value: Any) -> str | None:
        try:
            return None if value is None else str(self._resolver.resolve(value))
        except IntrinsicError:
            return None

    def _log_group(self, properties: Mapping[str, Any]) -> str | None:
        return self._quietly(properties.get("LogGroupName"))

    def _metric(self, properties: Mapping[str, Any]) -> tuple[str, str] | None:
        found = (properties.get("MetricTransformations") or [properties])[0]
        namespace = self._quietly(found.get("MetricNamespace", found.get("Namespace")))
        name = self._quietly(found.get("MetricName"))
        return (namespace, name) if namespace and name else None

    def function(self, place: Place, properties: Mapping[str, Any]) -> LoggedFunction:
        name = self._resolver.name_of(place.logical_id)
        configured = (properties.get("LoggingConfig") or {}).get("LogGroup")
        log_group = f"/aws/lambda/{name}" if configured is None else str(self._resolver.resolve(configured))
        variables = (properties.get("Environment") or {}).get("Variables") or {}
        return LoggedFunction(name, log_group, place, variables)

    def filters(self, place: Place, properties: Mapping[str, Any]) -> list[MetricFilter]:
        resolved = self._resolver.resolve(dict(properties))
        return list(read_filter(place.logical_id, resolved))

    def alarm(self, place: Place, properties: Mapping[str, Any]) -> Alarm:
        resolved = self._with_actions(properties)
        common = self._common(place, resolved)
        if "Metrics" not in resolved:
            return MetricAlarm(**common, rule=AlarmRule.from_properties(resolved), metric=_metric_key(resolved))
        if len(resolved["Metrics"]) != 1:
            raise ReadError("Metrics: only an alarm on one metric or query is evaluated here, not metric math")
        (found,) = resolved["Metrics"]
        if "MetricStat" in found:  # as the CDK writes a metric that has a label
            stat = found["MetricStat"]
            rule = AlarmRule.from_properties(resolved, stat["Stat"], int(stat["Period"]))
            return MetricAlarm(**common, rule=rule, metric=_metric_key(stat["Metric"]))
        return _query_alarm(common, resolved, found)

    def composite(self, place: Place, properties: Mapping[str, Any]) -> CompositeAlarm:
        resolved = self._with_actions(properties)
        rule = parse_rule(resolved["AlarmRule"])
        children: dict[str, str] = {}
        for called in rule.alarms():
            named = [alarm.name for alarm in self._read.alarms if called in (alarm.name, alarm.arn)]
            if not named:
                raise ReadError(f"AlarmRule names {called}: no such alarm is simulated")
            children[called] = named[0]
        return CompositeAlarm(**self._common(place, resolved), rule=rule, children=children)

    def _with_actions(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Resolved; an action whose ARN only a deployment knows stays as the template writes it."""
        actions = ("AlarmActions", "OKActions", "InsufficientDataActions")
        resolved: dict[str, Any] = self._resolver.resolve({k: v for k, v in properties.items() if k not in actions})
        for name in actions:
            if name in properties:
                resolved[name] = [self._quietly(arn) or json.dumps(arn) for arn in properties[name]]
        for name, kind in _NOT_READ.items():
            if name in resolved:
                raise ReadError(f"{name}: alarms {kind} are not evaluated here")
        return resolved

    def _common(self, place: Place, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "name": self._resolver.name_of(place.logical_id),
            "arn": self._resolver.arn_of(place.logical_id),
            "place": place,
            "actions": Actions(
                enabled=properties.get("ActionsEnabled", True),
                alarm=tuple(properties.get("AlarmActions", ())),
                ok=tuple(properties.get("OKActions", ())),
                insufficient_data=tuple(properties.get("InsufficientDataActions", ())),
            ),
            "description": str(properties.get("AlarmDescription", "")),
            "properties": properties,
        }


def read_filter(name: str, properties: Mapping[str, Any]) -> Iterator[MetricFilter]:
    """The filters of an `AWS::Logs::MetricFilter`, whose values are resolved: one for each transformation.

    Raises:
        PatternError: the pattern is not a JSON pattern of the subset that `pattern` reads.
        FilterError: CloudWatch would refuse it.
        KeyError: a property is missing.
    """
    pattern = parse(str(properties["FilterPattern"]))
    for transformation in properties["MetricTransformations"]:
        default = transformation.get("DefaultValue")
        yield MetricFilter(
            name=name,
            log_group=properties["LogGroupName"],
            pattern=pattern,
            namespace=transformation["MetricNamespace"],
            metric=transformation["MetricName"],
            value=_value(name, str(transformation["MetricValue"])),
            dimensions=tuple(
                (found["Key"], parse_selector(found["Value"])) for found in transformation.get("Dimensions", [])
            ),
            default_value=None if default is None else float(default),
        )


def _value(name: str, written: str) -> float | Selector:
    if written.startswith("$"):
        return parse_selector(written)
    try:
        return float(written)
    except ValueError:
        raise FilterError(f"{name}: MetricValue: {written!r} is neither a number nor a field as in $.count") from None


def _metric_key(written: Mapping[str, Any]) -> MetricKey:
    dimensions = {found["Name"]: str(found["Value"]) for found in written.get("Dimensions", [])}
    return MetricKey.of(written["Namespace"], written["MetricName"], dimensions)


def _query_alarm(common: Mapping[str, Any], properties: Mapping[str, Any], found: Mapping[str, Any]) -> QueryAlarm:
    query = parse_query(found["Expression"])
    if query.group_by and query.descending is None:
        raise ReadError("Metrics: an alarm on a query with GROUP BY needs ORDER BY")
    rule = AlarmRule.from_properties(properties, query.statistic, int(found["Period"]))
    return QueryAlarm(**common, rule=rule, query=query)
