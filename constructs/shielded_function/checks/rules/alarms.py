"""Rules: violations are counted, and alarms on them have actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.cfn.template import Template, as_mapping, as_mappings, canonical, ref
from shielded_function_monitoring.filters import NAMESPACE
from shielded_function_monitoring.simulated.metric_filters import MetricFilter
from shielded_function_monitoring.simulated.metrics import MetricKey
from shielded_function_monitoring.simulated.template_reader import read_filters, watched
from shielded_function_monitoring.simulated.watched_metrics import MetricsQuery

from ..templates import Assembly, LambdaFunction
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
    elif not context.read(Monitoring).filters_of(function):
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
    mine = {each.key.name for each in monitoring.filters_of(function)}
    for alarm, query in monitoring.unpublished:
        if alarm.template is function.template and query.metric in mine and monitoring.first_function(alarm, function):
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


class Filter(NamedTuple):
    """A metric filter.

    Attributes:
        key: its metric, with the names of its dimensions and empty values.
        pattern: its pattern, as deployed.
        read: the filter; None for one that is not evaluated here, which counts every line.
    """

    key: MetricKey
    pattern: str
    read: MetricFilter | None

    def counts_for(self, query: MetricsQuery, line: Mapping[str, Any]) -> bool:
        """Whether it counts a line, as `read_line` gives it, in a metric of the query."""
        if self.read is None:
            return query.could_take(self.key)
        published = self.read.publishes(line)
        return published is not None and query.takes(published[0])


@dataclass(frozen=True, eq=False)
class Alarm:
    """An alarm on a metric of the shield.

    Attributes:
        template: its template.
        path: its construct path.
        properties: those of its resource.
        actions: its actions, and those of composite alarms over it.
        query: its metric or query; None for one that is not read, which counts as watching everything.
    """

    template: Template
    path: str
    properties: Mapping[str, Any]
    actions: Sequence[Any]
    query: MetricsQuery | None


_Place = tuple[str, str, str]


class Monitoring:
    """The filters and alarms of an assembly, by place; read once."""

    def __init__(self, assembly: Assembly) -> None:
        self._stacks = Stacks(assembly.templates, is_lenient=True)
        self._functions = {function.place.path: function for function in reversed(assembly.functions)}
        self._first_shielded = {f.template.file: f for f in reversed(assembly.functions) if f.is_shielded}
        self._filters: dict[_Place, list[Filter]] = {}
        self._subscriptions: dict[_Place, list[str]] = {}
        self._classes: dict[_Place, str] = {}
        self._alarms: dict[str, list[Alarm]] = {}  # by the value of their dimension FunctionName
        for template in assembly.templates:
            self._read_filters(template)
            for alarm in self._read_alarms(template):
                name = dict(alarm.query.where).get("FunctionName", _ANY) if alarm.query else _ANY
                self._alarms.setdefault(name, []).append(alarm)
            for logical_id, properties in template.of_type(_LOG_GROUP):
                if (kind := properties.get("LogGroupClass", "STANDARD")) != "STANDARD":
                    self._classes[self._place(template, ref(logical_id))] = str(kind)
        published = {found.key for filters in self._filters.values() for found in filters}
        every = ((alarm, alarm.query) for alarms in self._alarms.values() for alarm in alarms)
        self.unpublished = [(a, query) for a, query in every if query and not any(map(query.could_take, published))]
        """The alarms on metrics that no filter publishes, with these."""

    def alarms_on(self, function: LambdaFunction) -> list[Alarm]:
        """The alarms on a function, by the value of the dimension FunctionName, and those on any function."""
        return [*self._alarms.get(_ANY, ()), *self._alarms.get(self.name_of(function), ())]

    def first_function(self, alarm: Alarm, function: LambdaFunction) -> bool:
        """Whether a function reports an alarm: the template's first one, unless the alarm is within a function."""
        above = alarm.path
        while above := above.rpartition("/")[0]:
            if above in self._functions:
                return function is self._functions[above]
        return function is self._first_shielded.get(alarm.template.file)

    def filters_of(self, function: LambdaFunction) -> list[Filter]:
        """The filters that count a function's lines: a filter that names functions counts only those."""
        is_of = self._is_of(function)
        return [each for each in self._filters.get(self._log_group(function), ()) if is_of(each.pattern)]

    def subscriptions_of(self, function: LambdaFunction) -> list[str]:
        """The patterns of the subscription filters that deliver a function's alert lines."""
        is_of, patterns = self._is_of(function), self._subscriptions.get(self._log_group(function), ())
        return [each for each in patterns if "$.function_shield" in each and is_of(each)]

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

    def _is_of(self, function: LambdaFunction) -> Callable[[str], bool]:
        """Tells whether a pattern names no function, or this one."""
        named = f'$.function = "{self.name_of(function)}"'
        return lambda pattern: "$.function = " not in pattern or named in pattern

    def _read_filters(self, template: Template) -> None:
        for _, properties in template.of_type(_SUBSCRIPTION):
            key = self._place(template, properties.get("LogGroupName"))
            self._subscriptions.setdefault(key, []).append(self._text(template, properties.get("FilterPattern")))
        for logical_id, properties in template.of_type(_FILTER):
            resolved = self._stacks.resolver(template).resolve(properties)
            for transformation in as_mappings(resolved.get("MetricTransformations")):
                if transformation.get("MetricNamespace") != NAMESPACE:
                    continue
                names = {str(each.get("Key")): "" for each in as_mappings(transformation.get("Dimensions"))}
                key = MetricKey.of(NAMESPACE, str(transformation.get("MetricName")), names)
                try:
                    (read,) = read_filters(logical_id, {**resolved, "MetricTransformations": [transformation]})
                except (ValueError, KeyError):
                    read = None
                found = Filter(key, str(resolved.get("FilterPattern")), read)
                self._filters.setdefault(self._place(template, properties.get("LogGroupName")), []).append(found)

    def _read_alarms(self, template: Template) -> Iterator[Alarm]:
        composites = [(canonical(each.get("AlarmRule")), _actions(each)) for _, each in template.of_type(_COMPOSITE)]
        for alarm_id, properties in template.of_type(_ALARM):
            more = [action for rule, actions in composites if f'"{alarm_id}"' in rule for action in actions]
            for query in watched(self._stacks.resolver(template).resolve(properties), NAMESPACE):
                path = template.place(alarm_id).path
                yield Alarm(template, path, properties, [*_actions(properties), *more], query)


def watching(function: LambdaFunction, context: Context) -> list[Alarm]:
    """The alarms that watch a function's violations."""
    monitoring, home = context.read(Monitoring), function.template
    keys = [each.key for each in monitoring.filters_of(function)]
    return [
        alarm
        for alarm in monitoring.alarms_on(function)
        if (alarm.query is None or any(map(alarm.query.could_take, keys)))
        and (alarm.template is home or (alarm.template.region, alarm.template.account) == (home.region, home.account))
    ]


def _actions(properties: Mapping[str, Any]) -> Sequence[Any]:
    actions = properties.get("AlarmActions")
    if not actions or properties.get("ActionsEnabled") is False:
        return ()
    return cast("list[Any]", actions) if isinstance(actions, list) else [actions]
