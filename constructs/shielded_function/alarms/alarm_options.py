"""Options of the alarms on violations: `AlarmOptions` for a function or an app, `ControlAlarm` for one control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args

from shielded_function_monitoring.alert import MODES, Mode
from shielded_function_monitoring.filters import COUNTED, SEVERITIES, Counted, Exceptions, Severity
from shielded_function_monitoring.pattern import PatternError

from ..errors import ShieldError, shown
from ..keywords import by_name

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct

Granularity = Literal["function", "control", "fleet"]

_DAY: Final = 86_400
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_MAX_PREFIX: Final = 30
"""Characters before an alarm's severity in its name."""
_MAX_NAME: Final = 190
"""An alarm's name is limited to 255 characters, and a function's, which may precede it, to 64."""
_MAX_OWNER: Final = 60
_MAX_ACTIONS: Final = 5
"""Actions of a state (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""
_FLEET_SEES: Final = 3 * _HOUR
"""The span of an alarm on a Metrics Insights query
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-limits.html)."""


class AlarmAction(Protocol):
    """`aws_cloudwatch.IAlarmAction`, in the form of the classes of `aws_cloudwatch_actions`.

    Their parameters have other names, so a type checker does not accept them as `IAlarmAction`.
    """

    def bind(self, scope: Construct, alarm: cloudwatch.IAlarm, /) -> cloudwatch.AlarmActionConfig:
        """The target of the action."""
        ...


@by_name("ControlAlarm")
@dataclass(frozen=True, kw_only=True)
class ControlAlarm:
    """A separate alarm for one control. Unset options are those of `AlarmOptions`.

        AlarmOptions(outbound_connectivity=ControlAlarm(except_hosts=["telemetry.example"], actions=[SnsAction(topic)]))

    Attributes:
        threshold, period, evaluation_periods, datapoints, actions, ok_actions, insufficient_data_actions, runbook: as
            in `AlarmOptions`. With `actions`, those of its severity are not called.
        except_hosts: hosts that do not count (outbound_connectivity): `telemetry.example`, `*.telemetry.example`, or
            one address. Connections by address have no name, so they count.
        except_paths: files that do not count (read_write_tmp, read_handler, executable_memory): `/tmp/cache/*`.
        except_programs: programs that do not count (create_child_process).
        mode: counts only blocked violations ("block"), or only reported ones ("alert").
        severity: "critical", "warning" or "notice": its actions are used. By default the control and its mode decide;
            in a fleet, whose functions may differ in their modes, the mode counts as block.
        name: the alarm's name; for a single function's alarm, the function's name precedes it.
    """

    threshold: int | None = None
    period: cdk.Duration | None = None
    evaluation_periods: int | None = None
    datapoints: int | None = None
    except_hosts: Sequence[str] = ()
    except_paths: Sequence[str] = ()
    except_programs: Sequence[str] = ()
    mode: Mode | None = None
    severity: Severity | None = None
    actions: Sequence[AlarmAction] | None = None
    ok_actions: Sequence[AlarmAction] | None = None
    insufficient_data_actions: Sequence[AlarmAction] | None = None
    name: str | None = None
    runbook: str | None = None

    def __post_init__(self) -> None:
        check_alarm(self, "ControlAlarm")
        check_choice("ControlAlarm.mode", self.mode, (None, *MODES))
        check_choice("ControlAlarm.severity", self.severity, (None, *SEVERITIES))
        try:
            assert self.exceptions is not None
        except PatternError as error:
            raise ShieldError(f"ControlAlarm.{error}") from error

    @cached_property
    def exceptions(self) -> Exceptions:
        """Violations that do not count."""
        return Exceptions(self.except_hosts, self.except_paths, self.except_programs)


@by_name("AlarmOptions")
@dataclass(frozen=True, kw_only=True)
class AlarmOptions:
    """Options of the alarms on shielded functions.

    Each function or fleet has two: one on critical violations (a start without the shield, an attack on the shield,
    blocked connections and programs), and one on the rest, so that a file in /tmp does not hide stolen data. An alarm
    fires when a period's violations reach the threshold, and returns to OK a quarter of an hour after the last one, so
    repeated violations are one message. A new target in that time is one of `ShieldMonitoring(first_seen=[...])`. A
    function without violations publishes no metric, which costs nothing.

        AlarmOptions(actions=[SnsAction(topic)], threshold=5)
        AlarmOptions(outbound_connectivity=ControlAlarm(except_hosts=["telemetry.example"], actions=[SnsAction(topic)]))
        AlarmOptions(granularity="fleet", severities={"critical": [SnsAction(pager)], "warning": [SnsAction(chat)]})

    A control with a `ControlAlarm` has its own alarm, and no other alarm counts it.

    Attributes:
        enabled: False creates no alarm, but the metric.
        threshold: violations in one period, at least 1.
        actions: called when an alarm fires.
        ok_actions: called when it returns to OK.
        granularity: "function" creates two alarms for each function, "control" one for each function and control,
            "fleet" two over all functions of an account and region, which name the violating functions.
        insufficient_data_actions: called when an alarm's state is unknown.
        period: whole minutes (`cdk.Duration.minutes(5)`), by default one.
        evaluation_periods: the number of evaluated periods. By default a quarter of an hour, one period of which must
            reach the threshold: so it stays in alarm, and notifies once.
        datapoints: the number of them that must reach the threshold; by default all.
        count_read_handler: whether `read_handler` raises an alarm. By default it does not, as a program that logs an
            exception reads its source. A `ControlAlarm` for it raises one too.
        severities: actions by severity. With them, a function or fleet has an alarm for each severity given here, which
            counts its lines: "critical", "warning" (violations that were only reported), "notice" (the rest).
        outbound_connectivity, read_write_tmp, create_child_process, read_handler, executable_memory, self_protection:
            an alarm for one control.
        start: an alarm for starts that were refused, or unshielded.
        stacks: the stacks for fleet alarms: the one in the functions' account and region is used. By default the stack
            of the first function.
        runbook: the runbook, such as a URL; the last line of each alarm's description.
        name: the prefix of the alarms' names, by default "shield": `shield-critical-Shop-Checkout`. A `ControlAlarm`
            may have another name.
        owner: the owner of the functions, for the description: a team, a channel.
        contributors: for a fleet: whether the actions are called for each function that raises the alarm, and once for
            the alarm. False watches the sum of all functions: one notification for any number of them, and none for
            another function while the alarm lasts.
    """

    enabled: bool = True
    threshold: int = 1
    actions: Sequence[AlarmAction] = ()
    ok_actions: Sequence[AlarmAction] = ()
    granularity: Granularity = "function"
    insufficient_data_actions: Sequence[AlarmAction] = ()
    period: cdk.Duration | None = None
    evaluation_periods: int | None = None
    datapoints: int | None = None
    count_read_handler: bool = False
    severities: Mapping[Severity, Sequence[AlarmAction]] = field(
        default_factory=dict[Severity, "Sequence[AlarmAction]"]
    )
    outbound_connectivity: ControlAlarm | None = None
    read_write_tmp: ControlAlarm | None = None
    create_child_process: ControlAlarm | None = None
    read_handler: ControlAlarm | None = None
    executable_memory: ControlAlarm | None = None
    self_protection: ControlAlarm | None = None
    start: ControlAlarm | None = None
    stacks: Sequence[cdk.Stack] = ()
    runbook: str | None = None
    name: str | None = None
    owner: str | None = None
    contributors: bool = True

    def __post_init__(self) -> None:
        check_alarm(self, "AlarmOptions")
        for switch in ("enabled", "count_read_handler", "contributors"):
            check_switch(f"AlarmOptions.{switch}", getattr(self, switch))
        check_choice("AlarmOptions.granularity", self.granularity, get_args(Granularity))
        severities: Any = self.severities
        if not isinstance(severities, Mapping):
            raise ShieldError(f'AlarmOptions.severities: {shown(severities)} is no dict: write {{"critical": [...]}}')
        for name, actions in severities.items():
            check_choice("AlarmOptions.severities", name, SEVERITIES)
            check_list(f"AlarmOptions.severities[{shown(name)}]", actions, "action")
        taken: dict[str, str] = {}
        for policy, on in self.named.items():
            self._check_control(policy, on)
            # Alarm names are unique in an account and region: a second one fails the deployment.
            if on.name is not None and (other := taken.setdefault(on.name, policy)) != policy:
                raise ShieldError(
                    f"AlarmOptions.{policy}: ControlAlarm.name: {on.name!r} is the name of {other}'s alarm too: name "
                    "them apart"
                )
        if self.start and self.start.mode:
            raise ShieldError("AlarmOptions.start: ControlAlarm.mode: a start has no mode: take it out")
        check_list("AlarmOptions.stacks", self.stacks, "stack")
        for name, of_fleet in (("stacks", bool(self.stacks)), ("contributors", not self.contributors)):
            if of_fleet and self.granularity != "fleet":
                raise ShieldError(f'AlarmOptions.{name}: it is for granularity="fleet": remove it')

    def _check_control(self, policy: Counted, on: Any) -> None:
        if not isinstance(on, ControlAlarm):
            raise ShieldError(f"AlarmOptions.{policy}: {wrong_type(on, ControlAlarm)}")
        name = f"AlarmOptions.{policy}: ControlAlarm"
        for problem in on.exceptions.problems(policy):
            raise ShieldError(f"{name}.{problem}")
        periods = on.evaluation_periods or self.evaluation_periods or 1
        datapoints = on.datapoints or self.datapoints
        _check_evaluation(name, on.period or self.period, periods, datapoints, fleet=self.granularity == "fleet")

    @property
    def every_action(self) -> list[AlarmAction]:
        """The actions that run when an alarm fires."""
        groups = (self.actions, *self.severities.values(), *(on.actions or () for on in self.named.values()))
        return [action for group in groups for action in group]

    @property
    def named(self) -> dict[Counted, ControlAlarm]:
        """The controls with a separate alarm."""
        return {policy: on for policy in COUNTED if (on := getattr(self, policy)) is not None}


def check_alarm(alarm: ControlAlarm | AlarmOptions, name: str) -> None:
    """Checks the options that `ControlAlarm` and `AlarmOptions` share.

    Raises:
        ShieldError: a field is malformed; the message names it and the fix.
    """
    given = {each.name: getattr(alarm, each.name) for each in fields(alarm)}
    for number in ("threshold", "evaluation_periods", "datapoints"):
        value = given[number]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ShieldError(f"{name}.{number}: {shown(value)} is not a whole number of at least 1")
    for actions in ("actions", "ok_actions", "insufficient_data_actions"):
        if given[actions] is not None:
            check_list(f"{name}.{actions}", given[actions], "action")
    is_whole = isinstance(alarm, AlarmOptions)
    for text, most in (("name", _MAX_PREFIX if is_whole else _MAX_NAME), ("runbook", _MAX_NAME), ("owner", _MAX_OWNER)):
        value = given.get(text)
        if value is not None and (not isinstance(value, str) or not value.strip() or not value.isprintable()):
            raise ShieldError(f"{name}.{text}: {shown(value)} is not a text of one line")
        if value is not None and len(value) > most:
            raise ShieldError(f"{name}.{text}: {len(value)} characters, of which {most} fit: shorten it")
    periods = given["evaluation_periods"] or (1 if is_whole else None)
    is_fleet = given.get("granularity") == "fleet"
    _check_evaluation(name, given["period"], periods, given["datapoints"], fleet=is_fleet)


def _check_evaluation(name: str, period: Any, given: int | None, datapoints: int | None, *, fleet: bool) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    periods, needed, seconds = given or 1, datapoints or 1, _seconds_of(period, f"{name}.period")
    unit, most = ("week", 7 * _DAY) if seconds >= _HOUR else ("day", _DAY)
    span = f"{periods} periods of {seconds} seconds are more than the"
    fewer = "looks back: take fewer, or a shorter period"
    whole = "violations are counted by the minute, so it is whole minutes up to a day: write cdk.Duration.minutes(5)"
    problems = {
        f"datapoints: {needed} of {given} evaluation_periods: there are not so many": needed > (given or needed),
        f"period: {seconds} seconds: {whole}": seconds < _MINUTE or seconds % _MINUTE or seconds > _DAY,
        f"evaluation_periods: {span} {unit} that CloudWatch {fewer}": seconds * periods > most,
        f"period: {span} 3 hours that a fleet's alarm {fewer}": fleet and seconds * periods > _FLEET_SEES,
    }
    for problem, is_found in problems.items():
        if is_found:
            raise ShieldError(f"{name}.{problem}")


def _seconds_of(period: Any, name: str) -> int:
    """The seconds of a period; by default a minute."""
    if period is None:
        return _MINUTE
    import aws_cdk as cdk

    if not isinstance(period, cdk.Duration):
        raise ShieldError(f"{name}: {shown(period)} is no duration; write cdk.Duration.minutes(1)")
    if period.is_unresolved():
        raise ShieldError(f"{name}: it is known only at deployment: write cdk.Duration.minutes(1)")
    return int(period.to_milliseconds()) // 1000


def wrong_type(value: object, kind: type) -> str:
    """The problem of a value that is not an instance of this class of options."""
    if isinstance(value, ControlAlarm):
        return "ControlAlarm is for one control: write AlarmOptions(outbound_connectivity=ControlAlarm(...))"
    if isinstance(value, type):
        return f"{value.__name__} is a class; call it: {kind.__name__}(...)"
    return f"{shown(value)} is no {kind.__name__}; write {kind.__name__}(...)"


def check_switch(name: str, value: object) -> None:
    """Checks that a value is a boolean.

    Raises:
        ShieldError: it is neither; the message begins with `name`.
    """
    if not isinstance(value, bool):
        raise ShieldError(f"{name}: {shown(value)} is neither True nor False")


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Checks that a value is one of several.

    Raises:
        ShieldError: it is none of them; the message begins with `name`.
    """
    if value not in choices:
        listed = ", ".join(str(each) for each in choices if each is not None)
        raise ShieldError(f"{name}: {shown(value)} is not one of {listed}")


def _can_bind(value: Any) -> bool:
    return callable(getattr(value, "bind", None))


def _is_of(module: str, name: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, getattr(import_module(module), name))  # the CDK, which is imported late


_ITEMS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "action": (
        _can_bind,
        "no action of an alarm; write SnsAction(topic), or another of aws_cdk.aws_cloudwatch_actions",
    ),
    "function": (_is_of("constructs", "Construct"), "no construct: write the function"),
    "stack": (_is_of("aws_cdk", "Stack"), "no stack; write the cdk.Stack itself"),
    "target": (_can_bind, "no target: write targets.SnsTopic(topic)"),
}
"""The items of lists: whether a value is one, and the text where it is none."""


def check_list(name: str, value: Any, one: str) -> None:
    """Checks that a value is a list of items of `_ITEMS`.

    Raises:
        ShieldError: it is no list, or an item is wrong, or there are too many actions; the message begins with `name`.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ShieldError(f"{name}: {shown(value)} is not a list; write [{one}]")
    fits, problem = _ITEMS[one]
    for number, item in enumerate(value):
        if isinstance(item, type) or not fits(item):
            raise ShieldError(f"{name}[{number}]: {shown(item)} is {problem}")
    if one == "action" and len(value) > _MAX_ACTIONS:
        raise ShieldError(
            f"{name}: {len(value)} actions, of which an alarm takes {_MAX_ACTIONS}: use one topic for several"
        )
