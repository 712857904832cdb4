"""Does anybody hear of a violation?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from shielded_function_monitoring import NAMESPACE

from ..model import Assembly, LambdaFunction, Template, as_mapping, canonical
from .rule import Context, Problem

_DROPPING_LEVELS: Final = ("ERROR", "FATAL")
_FILTER: Final = "AWS::Logs::MetricFilter"
_ALARM: Final = "AWS::CloudWatch::Alarm"
_COMPOSITE: Final = "AWS::CloudWatch::CompositeAlarm"


def alerts_dropped(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """Lambda drops the lines: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"""
    del context
    level = as_mapping(function.properties.get("LoggingConfig")).get("ApplicationLogLevel")
    if level in _DROPPING_LEVELS:
        yield Problem(
            f"the application log level {level} drops its alert lines, which are WARN",
            "use WARN or lower",
            "Properties.LoggingConfig.ApplicationLogLevel",
        )


def alerts_not_counted(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """No metric filter of ours is on its log group."""
    if not _metrics(function, context):
        yield Problem(
            f"nobody counts its alerts: no metric filter of the namespace {NAMESPACE} is on its log group",
            "shield it with the construct, which makes the filter; acknowledge it where another system reads the log",
            "Properties.LoggingConfig",
        )


def no_alarm(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """Its violations are counted, and no alarm looks at the count."""
    if _metrics(function, context) and not _watching(function, context):
        yield Problem(
            "no alarm watches its violations",
            "let ShieldAlarms make one, or acknowledge it where another system does",
        )


def alarm_without_action(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """An alarm fires, and nobody is told."""
    watching = _watching(function, context)
    if watching and not any(alarm.tells for alarm in watching):
        yield Problem(
            f"nobody is told of its violations: {_names(function, watching)} has no action",
            "give ShieldAlarms actions, such as an SnsAction",
        )


def _names(function: LambdaFunction, alarms: Sequence[Alarm]) -> str:
    """Its own alarms go without a name, so that functions with the same problem stand together."""
    paths = sorted({alarm.path for alarm in alarms})
    if all(path.startswith(f"{function.place.path}/") for path in paths):
        return "its alarm"
    return f"the alarm {' and '.join(paths)}"


@dataclass(frozen=True)
class Alarm:
    """An alarm on metrics of ours.

    Attributes:
        path: its construct path.
        tells: it has an action, or a composite alarm that has one is made of it.
    """

    path: str
    tells: bool


class Monitoring:
    """What counts and what watches in an assembly, by where it is; read once."""

    def __init__(self, assembly: Assembly) -> None:
        self.metrics: dict[tuple[str, str], set[str]] = {}
        """By template and log group, the metrics of ours that count its lines."""
        self.alarms: dict[tuple[str, str], list[Alarm]] = {}
        """By metric, and where it is one, the alarms on it."""
        self.fleet: list[Alarm] = []
        """The alarms that select from the whole namespace, and so watch every function."""
        for template in assembly.templates:
            self._read_filters(template)
            self._read_alarms(template)

    def _read_filters(self, template: Template) -> None:
        for _, properties in template.of_type(_FILTER):
            for transformation in _list(properties.get("MetricTransformations")):
                if transformation.get("MetricNamespace") == NAMESPACE:
                    key = (template.file, _named(template, properties.get("LogGroupName")))
                    self.metrics.setdefault(key, set()).add(canonical(transformation.get("MetricName")))

    def _read_alarms(self, template: Template) -> None:
        told = " ".join(
            canonical(properties.get("AlarmRule"))
            for _, properties in template.of_type(_COMPOSITE)
            if _has_action(properties)
        )
        for alarm_id, properties in template.of_type(_ALARM):
            tells = _has_action(properties) or f'"{alarm_id}"' in told
            alarm = Alarm(template.place(alarm_id).path, tells)
            if _is_fleet(properties):
                self.fleet.append(alarm)
            for metric in _watched(properties):
                self.alarms.setdefault(_metric_in(template, metric), []).append(alarm)


def _metrics(function: LambdaFunction, context: Context) -> set[str]:
    return context.read(Monitoring).metrics.get((function.template.file, _log_group(function)), set())


def _watching(function: LambdaFunction, context: Context) -> list[Alarm]:
    monitoring = context.read(Monitoring)
    metrics = _metrics(function, context)
    own = [alarm for metric in metrics for alarm in monitoring.alarms.get(_metric_in(function.template, metric), ())]
    return [*own, *monitoring.fleet]


def _metric_in(template: Template, metric: str) -> tuple[str, str]:
    """A metric, and where it is one: a name that is plain text, as a fleet's, is so in every template of a region."""
    is_text = metric.startswith('"')
    return (f"the region {template.region}" if is_text else template.file), metric


def _log_group(function: LambdaFunction) -> str:
    configured = as_mapping(function.properties.get("LoggingConfig")).get("LogGroup")
    if configured is not None:
        return _named(function.template, configured)
    name = function.properties.get("FunctionName")
    if isinstance(name, str):
        return canonical(f"/aws/lambda/{name}")
    return canonical({"Fn::Join": ["", ["/aws/lambda/", {"Ref": function.place.logical_id}]]})


def _named(template: Template, name: Any) -> str:
    """A log group by the name that it is given, where this template gives it one."""
    attribute = as_mapping(name).get("Fn::GetAtt")
    of_retention = attribute[0] if isinstance(attribute, list) and attribute[1:] == ["LogGroupName"] else None
    given = _property(template, as_mapping(name).get("Ref") or of_retention, "LogGroupName")
    name = name if given is None else given
    match as_mapping(name).get("Fn::Join"):
        case ["", ["/aws/lambda/", {"Ref": function}]]:
            own = _property(template, function, "FunctionName")
            return canonical(f"/aws/lambda/{own}" if isinstance(own, str) else name)
        case _:
            return canonical(name)


def _property(template: Template, logical_id: Any, name: str) -> Any:
    return as_mapping(as_mapping(template.resources.get(str(logical_id))).get("Properties")).get(name)


def _is_fleet(properties: Mapping[str, Any]) -> bool:
    return any(NAMESPACE in canonical(query.get("Expression")) for query in _list(properties.get("Metrics")))


def _watched(properties: Mapping[str, Any]) -> set[str]:
    found = {canonical(properties.get("MetricName"))} if properties.get("Namespace") == NAMESPACE else set[str]()
    for query in _list(properties.get("Metrics")):
        metric = as_mapping(as_mapping(query.get("MetricStat")).get("Metric"))
        if metric.get("Namespace") == NAMESPACE:
            found.add(canonical(metric.get("MetricName")))
    return found


def _has_action(properties: Mapping[str, Any]) -> bool:
    return bool(properties.get("AlarmActions")) and properties.get("ActionsEnabled") is not False


def _list(value: Any) -> Sequence[Mapping[str, Any]]:
    return [as_mapping(item) for item in cast("list[Any]", value)] if isinstance(value, list) else []
