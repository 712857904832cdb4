"""Derives filters, metrics and alarms from `AlarmOptions`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from shielded_function_monitoring.filters import (
    BY_FUNCTION,
    BY_LEVEL,
    BY_POLICY,
    COUNTED,
    LEVELS,
    PLATFORM_PROGRAMS,
    SEVERITIES,
    VALUE,
    Class,
    Counted,
    Severity,
    longest_of_functions,
    metric_name,
    severity_of,
    violations,
    violations_by_policy,
    violations_of,
)
from shielded_function_monitoring.pattern import MAX_LENGTH, Pattern, PatternError

from .descriptions import MAX_LENGTH as MAX_DESCRIPTION
from .descriptions import PREFIX, Subject, alarm_name, shortest

if TYPE_CHECKING:
    import aws_cdk as cdk

    from ..alarms import AlarmAction, AlarmOptions, ControlAlarm

ALL: Final = "violations"
"""The key of the filter that counts, by level, all lines without another filter."""
SUM_KEY: Final = "sum"
"""The key of the same filter without the level, for users' metrics."""
# For the rest, blocked violations are a notice and allowed ones a warning: the earlier of both.
CLASS_SEVERITY: Final[Mapping[Class, Severity]] = {"critical": "critical", "rest": "warning"}
QUIET_MINUTES: Final = 15
"""The time that an alarm lasts after the last violation."""
BY_POLICY_KEY: Final = "policies"
"""The key of the filter that counts by control."""


@dataclass(frozen=True)
class Counter:
    """One metric filter.

    Attributes:
        key: unique among the function's counters, also in construct ids.
        pattern: its text; empty where it is longer than CloudWatch accepts.
        metric: its metric.
        dimensions: the metric's dimensions, and their fields in the line.
        value: the number that a line adds to the metric.
        problem: why CloudWatch would reject it, with the fix.
    """

    key: str
    pattern: str
    metric: str
    dimensions: Mapping[str, str] = field(default_factory=lambda: BY_FUNCTION)
    value: str = VALUE
    problem: str = ""


@dataclass(frozen=True)
class Watch:
    """One alarm, and its metric.

    Attributes:
        key: unique among the function's watches, also in construct ids.
        counter: the counter of the watched metric.
        policy: its control; None for several.
        of_class: the class of lines that it counts, by their level; None where its filter counts only those.
        severity: its severity; None where the line, or the function's policy, decides.
        threshold, period, evaluation_periods, datapoints, ok_actions, insufficient_data_actions, name, runbook: those
            of `ControlAlarm`, or else of `AlarmOptions`.
        prefix, owner, contributors: `name`, `owner` and `contributors` of `AlarmOptions`.
        actions: its own actions; None for those of its severity.
        severities: actions by severity.
        other_actions: the actions of a severity that has none.
    """

    key: str
    counter: Counter
    policy: Counted | None
    of_class: Class | None
    severity: Severity | None
    threshold: int
    period: cdk.Duration | None
    evaluation_periods: int | None
    datapoints: int | None
    actions: Sequence[AlarmAction] | None
    severities: Mapping[Severity, Sequence[AlarmAction]]
    other_actions: Sequence[AlarmAction]
    ok_actions: Sequence[AlarmAction]
    insufficient_data_actions: Sequence[AlarmAction]
    name: str | None
    runbook: str | None
    prefix: str
    owner: str | None
    contributors: bool

    @property
    def level(self) -> str | None:
        """The counted level; None where its metric has none."""
        return LEVELS[self.of_class] if self.of_class else None

    @property
    def periods(self) -> tuple[int, int | None]:
        """The number of evaluated periods, and the number of them that must reach the threshold.

        By default one of a quarter of an hour, so that repeated violations cause one message.
        """
        if self.evaluation_periods is not None or self.datapoints is not None:
            return self.evaluation_periods or 1, self.datapoints or (None if self.evaluation_periods else 1)
        minutes = 1 if self.period is None else int(self.period.to_minutes())
        return max(1, -(-QUIET_MINUTES // minutes)), 1

    def subject(self, severity: Severity | None) -> Subject:
        """The subject of its description."""
        return Subject(self.policy, severity, self.level, self.owner, self.runbook)

    def name_of(self, severity: Severity | None, stack: str, place: str, suffix: Callable[[], str]) -> str:
        """Its default name; arguments as for `alarm_name`."""
        return alarm_name(self.prefix, self.of_class or severity or "violations", stack, place, self.policy, suffix)

    def actions_for(self, severity: Severity | None) -> Sequence[AlarmAction]:
        """Its actions when it fires."""
        if self.actions is not None:
            return self.actions
        return self.severities.get(severity, self.other_actions) if severity else self.other_actions


def watches_of(alarms: AlarmOptions) -> tuple[Watch, ...]:
    """The alarms of `AlarmOptions`, enabled or not."""
    if alarms.granularity == "control":
        return tuple(_by_policy(alarms))
    return (*_general_watches(alarms), *(_of_policy(alarms, policy, on) for policy, on in alarms.named.items()))


def problems_of(alarms: AlarmOptions, watches: Sequence[Watch], path: str) -> list[str]:
    """Why CloudWatch would reject the filters and alarms of a function, with the fixes.

    Args:
        alarms: the options.
        watches: the alarms of the options.
        path: the function's construct path.
    """
    if not watches:
        return []
    found = [watch.counter.problem for watch in watches if watch.counter.problem]
    longest = max(shortest(path, watch.subject("critical")) for watch in watches)
    if alarms.enabled and alarms.granularity != "fleet" and longest > MAX_DESCRIPTION:
        found.append(
            f"alarms.runbook: an alarm's description would have {longest:,} characters, of which CloudWatch takes "
            f"{MAX_DESCRIPTION:,}: shorten it"
        )
    return list(dict.fromkeys(found))


def general_counter(alarms: AlarmOptions | None = None) -> Counter:
    """Counts violations without a separate alarm by level, except programs that only describe the machine, and
    `read_handler` unless the options count it."""
    return _counter(ALL, _counted(alarms, by_level=True), metric_name(), "", BY_LEVEL)


def sum_counter(alarms: AlarmOptions | None = None) -> Counter:
    """Counts the same violations as one sum."""
    return _counter(SUM_KEY, _counted(alarms), metric_name(), "")


def _counted(alarms: AlarmOptions | None, *, by_level: bool = False) -> Pattern:
    named: Sequence[Counted] = tuple(alarms.named) if alarms and alarms.granularity != "control" else ()
    quiet = () if alarms and alarms.count_read_handler else ("read_handler",)
    without: list[Counted] = [name for name in COUNTED if name in (*named, *quiet)]
    programs = () if "create_child_process" in without else PLATFORM_PROGRAMS
    return violations(without=without, except_programs=programs, except_packages=True, by_level=by_level)


def policy_counter() -> Counter:
    """Counts everything, by control."""
    return _counter(BY_POLICY_KEY, violations_by_policy(), metric_name(), "", BY_POLICY)


def severity_for(watch: Watch, modes: Mapping[str, str | None]) -> Severity | None:
    """The severity of an alarm on one function, by its policy's modes."""
    blocks = "block" in modes.values()
    return watch.severity or (
        severity_of(watch.policy, modes.get(watch.policy), blocks=blocks) if watch.policy else None
    )


def _general_watches(alarms: AlarmOptions) -> list[Watch]:
    """The alarm of a function or fleet on the rest, or one for each severity."""
    rest: list[Counted] = [policy for policy in COUNTED if policy not in alarms.named]
    quiet = not alarms.count_read_handler
    if not [policy for policy in rest if not (policy == "read_handler" and quiet)]:
        return []
    if not alarms.severities:
        shared = general_counter(alarms)
        classes: list[Class] = ["critical", "rest"] if any(map(_may_be_critical, rest)) else ["rest"]
        return [_watch(alarms, None, each, shared, None, CLASS_SEVERITY[each], each) for each in classes]
    found: list[Watch] = []
    for severity in SEVERITIES:
        if severity not in alarms.severities:
            continue
        without: list[Counted] = [p for p in COUNTED if p in alarms.named or (p == "read_handler" and quiet)]
        try:
            pattern = violations_of(severity, without=without)
        except PatternError:  # each control of this severity has its own alarm
            continue
        found.append(
            _watch(alarms, None, severity, _counter(severity, pattern, metric_name(severity), ""), None, severity)
        )
    return found


def _may_be_critical(policy: Counted) -> bool:
    return severity_of(policy, "block") == "critical"


def _of_policy(alarms: AlarmOptions, policy: Counted, on: ControlAlarm) -> Watch:
    exceptions = on.exceptions
    pattern = violations(
        policy,
        mode=on.mode,
        except_hosts=exceptions.hosts,
        except_paths=exceptions.paths,
        except_programs=exceptions.programs,
    )
    kinds = ("except_hosts", "except_paths", "except_programs")
    given = [name for name in kinds if getattr(on, name)]
    where = f"alarms.{policy}{''.join(f'.{name}' for name in given)}"
    # The functions of a fleet may differ in their modes: an early notification is better than none.
    of_fleet = alarms.granularity == "fleet"
    modes = [on.mode] if on.mode else ["block"] if of_fleet else ["block", "alert"]
    possible: set[Severity] = {severity_of(policy, mode, blocks=each) for mode in modes for each in (True, of_fleet)}
    severity = on.severity or (possible.pop() if len(possible) == 1 else None)
    return _watch(alarms, on, policy, _counter(policy, pattern, metric_name(policy), where), policy, severity)


def _by_policy(alarms: AlarmOptions) -> list[Watch]:
    found: list[Watch] = []
    shared = policy_counter()
    for policy in COUNTED:
        on = alarms.named.get(policy)
        if on is not None and on.has_filter:
            found.append(_of_policy(alarms, policy, on))
        elif on is not None or policy != "read_handler" or alarms.count_read_handler:
            found.append(_watch(alarms, on, policy, shared, policy, on.severity if on else None))
    return found


def _watch(
    alarms: AlarmOptions,
    on: ControlAlarm | None,
    key: str,
    counter: Counter,
    policy: Counted | None,
    severity: Severity | None,
    of_class: Class | None = None,
) -> Watch:
    def chosen(name: str) -> Any:
        own = getattr(on, name) if on else None
        return getattr(alarms, name) if own is None else own

    return Watch(
        key=key,
        counter=counter,
        policy=policy,
        of_class=of_class,
        severity=severity,
        threshold=chosen("threshold"),
        period=chosen("period"),
        evaluation_periods=chosen("evaluation_periods"),
        datapoints=chosen("datapoints"),
        actions=on.actions if on else None,
        severities=alarms.severities,
        other_actions=alarms.actions,
        ok_actions=tuple(chosen("ok_actions")),
        insufficient_data_actions=tuple(chosen("insufficient_data_actions")),
        name=on.name if on else None,
        runbook=chosen("runbook"),
        prefix=alarms.name or PREFIX,
        owner=alarms.owner,
        contributors=alarms.contributors,
    )


def _counter(
    key: str, pattern: Pattern, metric: str, where: str, dimensions: Mapping[str, str] = BY_FUNCTION
) -> Counter:
    rendered = f"{{ {pattern.expression()} }}"
    length = longest_of_functions(rendered, ["${name}"])
    if length <= MAX_LENGTH:
        return Counter(key, rendered, metric, dimensions)
    problem = (
        f"{where}: the filter pattern has {length:,} characters, of which CloudWatch takes {MAX_LENGTH:,}: except "
        "fewer, or several by one entry such as *.example.com, or allow intended targets in the policy"
    )
    return Counter(key, "", metric, dimensions, problem=problem)
