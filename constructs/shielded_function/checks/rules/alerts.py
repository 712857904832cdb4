"""Rules: violations are counted, and alarms on them have actions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.cfn.template import Template, as_mapping, as_mappings, canonical, ref
from shielded_function_monitoring.filters import NAMESPACE

from ..model import Assembly, LambdaFunction
from .rule import Context, Problem
from .topics import Topics

_DROPPING_LEVELS: Final = ("ERROR", "FATAL")
_FILTER: Final = "AWS::Logs::MetricFilter"
_SUBSCRIPTION: Final = "AWS::Logs::SubscriptionFilter"
_READER: Final = "shield_findings.main.handler"
"""The handler of `ShieldFindings`, which does not read its own lines."""
_ALARM: Final = "AWS::CloudWatch::Alarm"
_LOG_GROUP: Final = "AWS::Logs::LogGroup"
_ANY: Final = ""  # no value of a dimension: all values
_COMPOSITE: Final = "AWS::CloudWatch::CompositeAlarm"
# Metrics Insights over our namespace: the metric, and its exact dimensions.
_FLEET: Final = re.compile(
    rf'\bSUM\("?([\w-]+)"?\)\s+FROM\s+SCHEMA\("{NAMESPACE}",\s*([\w,\s]+)\)(?:\s+WHERE\s+Level\s*=\s*\'(\w+)\')?'
)


def alerts_dropped(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """Lambda drops the lines: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"""
    level = as_mapping(function.properties.get("LoggingConfig")).get("ApplicationLogLevel")
    if level in _DROPPING_LEVELS:
        yield Problem(
            f"the application log level {level} drops its alert lines, which are WARN, and ERROR where critical",
            "use WARN or lower",
            "Properties.LoggingConfig.ApplicationLogLevel",
        )


def alerts_not_counted(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """The shield's metric filter is missing on its log group, or the log group's class has none.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
    """
    if kind := context.read(Monitoring).log_class_of(function):
        yield Problem(
            f"its alerts are not counted: its log group's class is {kind}, which has no metric filters",
            "use the class STANDARD; a log group keeps its class, so make another one",
            "Properties.LoggingConfig",
        )
    elif not _metrics(function, context):
        yield Problem(
            f"its alerts are not counted: no metric filter of the namespace {NAMESPACE} is on its log group",
            "shield it with the construct, which makes the filter; acknowledge it where another system reads the log",
            "Properties.LoggingConfig",
        )


def alarm_without_action(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """An alarm fires without an action."""
    alarms = watching(function, context)
    if alarms and not any(alarm.actions for alarm in alarms):
        yield Problem(
            f"no action runs on its violations: {_names(function, alarms)} has no action",
            "give AlarmOptions actions, such as an SnsAction",
        )


def new_targets_hidden(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """An alarm lasts beyond the violation, and nothing tells a new target meanwhile."""
    holding = [a for a in watching(function, context) if a.actions and a.properties.get("EvaluationPeriods", 1) != 1]
    if not holding or function.properties.get("Handler") == _READER:
        return
    if not context.read(Monitoring).subscriptions_of(function):
        yield Problem(
            f"a second attack while {_names(function, holding)} lasts is hidden: an alarm calls its actions once",
            "tell new targets by ShieldMonitoring(first_seen=[target]), or by ShieldFindings",
        )


def alarm_never_fires(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """An alarm on other dimensions watches another metric, which is never published."""
    monitoring = context.read(Monitoring)
    mine = {metric for metric, _ in _metrics(function, context)}
    for alarm in monitoring.unpublished:
        if alarm.template != function.template.file or alarm.metric not in mine:
            continue
        if monitoring.first_function(alarm, function):
            yield Problem(
                f"the alarm {alarm.path} never fires: no filter publishes its metric with its dimensions",
                "make it of metric_violations(), which has them",
            )


def topic_unreadable(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """A topic that CloudWatch cannot write to: the alarm fires, and the message is lost."""
    topics = context.read(Topics)
    found = (topics.problems(a.template, action) for a in watching(function, context) for action in a.actions)
    for text, fix in dict.fromkeys(problem for problems in found for problem in problems):
        yield Problem(text, fix)


def _names(function: LambdaFunction, alarms: Sequence[Alarm]) -> str:
    """The function's own alarms stay unnamed, so that functions with the same problem are grouped."""
    paths = sorted({alarm.path for alarm in alarms})
    if all(path.startswith(f"{function.place.path}/") for path in paths):
        return "its alarm"
    return f"the alarm {' and '.join(paths)}"


Counted = tuple[str, frozenset[str]]
"""A metric of the shield, as text, and the names of its dimensions: a metric in CloudWatch's sense."""


@dataclass(frozen=True)
class Filter:
    """A metric filter.

    Attributes:
        counted: its metric.
        pattern: its pattern, as deployed.
    """

    counted: Counted
    pattern: str


@dataclass(frozen=True)
class Alarm:
    """An alarm on a metric of the shield.

    Attributes:
        path: its construct path.
        template: the file of its template.
        region: its region; empty where unknown.
        account: its account; empty where unknown.
        actions: its actions, and those of composite alarms over it.
        metric: its metric; empty for an unread kind of selection, which counts as watching everything.
        dimensions: the values of the metric's dimensions, as text; None where it covers all values.
        names: the names of the metric's dimensions.
        properties: those of its resource.
    """

    path: str
    template: str
    region: str
    account: str
    actions: Sequence[Any]
    metric: str = ""
    dimensions: Mapping[str, str] | None = None
    names: frozenset[str] = frozenset()
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def counted(self) -> Counted:
        """The watched metric."""
        return self.metric, self.names


_Place = tuple[str, str, str]


class Monitoring:
    """The filters and alarms of an assembly, by place; read once."""

    def __init__(self, assembly: Assembly) -> None:
        self.filters: dict[_Place, list[Filter]] = {}
        """The filters that count lines into metrics of the shield, by log group."""
        self._subscriptions: dict[_Place, list[str]] = {}
        self.alarms: list[Alarm] = []
        """The alarms on metrics of the shield."""
        self._functions = {function.place.path: function for function in reversed(assembly.functions)}
        self._stacks = Stacks(assembly.templates, is_lenient=True)
        self._alarms_by_name: dict[str, list[int]] = {}
        self._filters_of: dict[tuple[str, str], list[Filter]] = {}
        self._first_shielded: dict[str, LambdaFunction] = {}
        for function in reversed(assembly.functions):
            if function.is_shielded:
                self._first_shielded[function.template.file] = function
        self._classes: dict[_Place, str] = {}
        for template in assembly.templates:
            self._read_filters(template)
            self._read_alarms(template)
            for logical_id, properties in template.of_type(_LOG_GROUP):
                if (kind := properties.get("LogGroupClass", "STANDARD")) != "STANDARD":
                    self._classes[self._place(template, ref(logical_id))] = str(kind)
        for place, alarm in enumerate(self.alarms):
            name = (alarm.dimensions or {}).get("FunctionName", _ANY)
            self._alarms_by_name.setdefault(name, []).append(place)
        published = {found.counted for filters in self.filters.values() for found in filters}
        self.unpublished = [alarm for alarm in self.alarms if alarm.counted not in published]
        """The alarms on metrics that no filter publishes."""

    def alarms_on(self, name: str) -> list[Alarm]:
        """The alarms on this value of the dimension FunctionName, and those on any of its values."""
        found = [*self._alarms_by_name.get(_ANY, ()), *self._alarms_by_name.get(name, ())]
        return [self.alarms[place] for place in sorted(found)]

    def first_function(self, alarm: Alarm, function: LambdaFunction) -> bool:
        """Whether a function reports an alarm: the template's first one, unless the alarm is within a function."""
        above = alarm.path
        while above := above.rpartition("/")[0]:
            if above in self._functions:
                return function is self._functions[above]
        return function is self._first_shielded.get(alarm.template)

    def filters_of(self, function: LambdaFunction) -> list[Filter]:
        """The filters that count a function's lines."""
        key = function.template.file, function.place.logical_id
        if key not in self._filters_of:
            filters = self.filters.get(self._log_group(function), [])
            self._filters_of[key] = [each for each in filters if self._is_of(function, each.pattern)]
        return self._filters_of[key]

    def subscriptions_of(self, function: LambdaFunction) -> list[str]:
        """The patterns of the subscription filters that deliver a function's alert lines."""
        patterns = self._subscriptions.get(self._log_group(function), [])
        return [each for each in patterns if "$.function_shield" in each and self._is_of(function, each)]

    def log_class_of(self, function: LambdaFunction) -> str:
        """The class of a function's log group, if the assembly has it and it is not STANDARD; else empty."""
        return self._classes.get(self._log_group(function), "")

    def name_of(self, function: LambdaFunction) -> str:
        """The function's name, or a text in its place that is unique in the app."""
        return self._text(function.template, ref(function.place.logical_id))

    def _text(self, template: Template, value: Any) -> str:
        return str(self._stacks.resolver(template).resolve(value))

    def _place(self, template: Template, name: Any) -> _Place:
        """A log group by its name: the account, the region, and the name as deployed."""
        return template.account, template.region, self._text(template, name)

    def _log_group(self, function: LambdaFunction) -> _Place:
        configured = as_mapping(function.properties.get("LoggingConfig")).get("LogGroup")
        return self._place(function.template, configured or f"/aws/lambda/{self.name_of(function)}")

    def _is_of(self, function: LambdaFunction, pattern: str) -> bool:
        """Whether a pattern names no function, or this one."""
        return "$.function = " not in pattern or f'$.function = "{self.name_of(function)}"' in pattern

    def _read_filters(self, template: Template) -> None:
        for _, properties in template.of_type(_SUBSCRIPTION):
            key = self._place(template, properties.get("LogGroupName"))
            self._subscriptions.setdefault(key, []).append(self._text(template, properties.get("FilterPattern")))
        for _, properties in template.of_type(_FILTER):
            for transformation in as_mappings(properties.get("MetricTransformations")):
                if transformation.get("MetricNamespace") == NAMESPACE:
                    names = frozenset(str(each.get("Key")) for each in as_mappings(transformation.get("Dimensions")))
                    counted = self._text(template, transformation.get("MetricName")), names
                    found = Filter(counted, self._text(template, properties.get("FilterPattern")))
                    self.filters.setdefault(self._place(template, properties.get("LogGroupName")), []).append(found)

    def _read_alarms(self, template: Template) -> None:
        composites = [
            (canonical(properties.get("AlarmRule")), _actions(properties))
            for _, properties in template.of_type(_COMPOSITE)
        ]
        for alarm_id, properties in template.of_type(_ALARM):
            actions = list(_actions(properties))
            for rule, more in composites:
                actions.extend(more if f'"{alarm_id}"' in rule else ())
            path = template.place(alarm_id).path
            alarm = Alarm(path, template.file, template.region, template.account, actions, properties=properties)
            self.alarms.extend(replace(alarm, **watched) for watched in self._watched(template, properties))

    def _watched(self, template: Template, properties: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The shield's metrics that an alarm watches, as fields of `Alarm`."""
        queries = as_mappings(properties.get("Metrics"))
        for metric in (properties, *(as_mapping(as_mapping(each.get("MetricStat")).get("Metric")) for each in queries)):
            if metric.get("Namespace") == NAMESPACE:
                given = as_mappings(metric.get("Dimensions"))
                dimensions = {str(each.get("Name")): self._text(template, each.get("Value")) for each in given}
                name = self._text(template, metric.get("MetricName"))
                yield {"metric": name, "dimensions": dimensions, "names": frozenset(dimensions)}
        for expression in (self._text(template, each.get("Expression")) for each in queries):
            if found := _FLEET.search(expression):
                names = frozenset(name.strip() for name in found[2].split(","))
                yield {"metric": found[1], "names": names, "dimensions": {"Level": found[3]} if found[3] else None}
            elif NAMESPACE in expression:
                yield {}


def _metrics(function: LambdaFunction, context: Context) -> set[Counted]:
    return {found.counted for found in filters_of(function, context)}


def filters_of(function: LambdaFunction, context: Context) -> list[Filter]:
    """The filters that count a function's lines: a filter that names functions counts only those."""
    return context.read(Monitoring).filters_of(function)


def watching(function: LambdaFunction, context: Context) -> list[Alarm]:
    """The alarms that watch a function's violations."""
    monitoring, metrics = context.read(Monitoring), _metrics(function, context)
    name = monitoring.name_of(function)
    return [each for each in monitoring.alarms_on(name) if _watches(each, function, metrics)]


def _watches(alarm: Alarm, function: LambdaFunction, metrics: set[Counted]) -> bool:
    place = function.template.region, function.template.account
    if (alarm.region, alarm.account) != place and alarm.template != function.template.file:
        return False
    return not alarm.metric or alarm.counted in metrics


def _actions(properties: Mapping[str, Any]) -> Sequence[Any]:
    actions = properties.get("AlarmActions")
    if not actions or properties.get("ActionsEnabled") is False:
        return ()
    return cast("list[Any]", actions) if isinstance(actions, list) else [actions]
