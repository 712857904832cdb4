"""Derives filters, metrics and alarms from `AlarmOptions`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
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
)
from shielded_function_monitoring.pattern import MAX_LENGTH, Pattern, PatternError

if TYPE_CHECKING:
    from .alarm_options import AlarmAction, AlarmOptions, ControlAlarm

ALL: Final = "violations"
"""The key of the filter that counts, by level, all lines without another filter."""
_SUM: Final = "sum"
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
        severity: its severity; None where the line, or the function's policy, decides.
        alarms: the options that it belongs to.
        on: its own options, which come first.
        of_class: the class of lines that it counts, by their level; None where its filter counts only those.
    """

    key: str
    counter: Counter
    policy: Counted | None
    severity: Severity | None
    alarms: AlarmOptions
    on: ControlAlarm | None = None
    of_class: Class | None = None

    def option(self, name: str) -> Any:
        """An option that both kinds of options have."""
        own = getattr(self.on, name, None)
        return getattr(self.alarms, name) if own is None else own

    @property
    def name(self) -> str | None:
        """The name that its `ControlAlarm` gives."""
        return self.on.name if self.on else None

    @property
    def level(self) -> str | None:
        """The counted level; None where its metric has none."""
        return LEVELS[self.of_class] if self.of_class else None

    @property
    def periods(self) -> tuple[int, int | None]:
        """The number of evaluated periods, and the number of them that must reach the threshold.

        By default one of a quarter of an hour, so that repeated violations cause one message.
        """
        evaluated, needed, period = (self.option(name) for name in ("evaluation_periods", "datapoints", "period"))
        if evaluated is not None or needed is not None:
            return evaluated or 1, needed or (None if evaluated else 1)
        minutes = 1 if period is None else int(period.to_minutes())
        return max(1, -(-QUIET_MINUTES // minutes)), 1

    def actions_for(self, severity: Severity | None) -> Sequence[AlarmAction]:
        """Its actions when it fires."""
        if self.on is not None and self.on.actions is not None:
            return self.on.actions
        return self.alarms.severities.get(severity, self.alarms.actions) if severity else self.alarms.actions


def watches_of(alarms: AlarmOptions) -> tuple[Watch, ...]:
    """The alarms of `AlarmOptions`, enabled or not."""
    if alarms.granularity == "control":
        return tuple(_by_policy(alarms))
    return (*_general_watches(alarms), *(_of_policy(alarms, policy, on) for policy, on in alarms.named.items()))


def general_counter(alarms: AlarmOptions | None = None, *, by_level: bool = True) -> Counter:
    """Counts violations without a separate alarm by level, or as one sum, except programs that only describe the
    machine, and `read_handler` unless the options count it."""
    without = _apart(alarms)
    programs = () if "create_child_process" in without else PLATFORM_PROGRAMS
    pattern = violations(without=without, except_programs=programs, except_packages=True, by_level=by_level)
    key, dimensions = (ALL, BY_LEVEL) if by_level else (_SUM, BY_FUNCTION)
    return _counter(key, pattern, metric_name(), "", dimensions)


def _apart(alarms: AlarmOptions | None) -> list[Counted]:
    """The controls that no general alarm counts: those with a separate one, and one unless the options count it."""
    named = alarms.named if alarms and alarms.granularity != "control" else ()
    uncounted = () if alarms and alarms.count_read_handler else ("read_handler",)
    return [policy for policy in COUNTED if policy in (*named, *uncounted)]


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
    apart = _apart(alarms)
    if len(apart) == len(COUNTED):
        return []
    if not alarms.severities:
        shared = general_counter(alarms)
        may_be_critical = any(severity_of(each, "block") == "critical" for each in COUNTED if each not in apart)
        classes: list[Class] = ["critical", "rest"] if may_be_critical else ["rest"]
        return [Watch(each, shared, None, CLASS_SEVERITY[each], alarms, of_class=each) for each in classes]
    found: list[Watch] = []
    given: list[Severity] = [each for each in SEVERITIES if each in alarms.severities]
    for severity in given:
        with suppress(PatternError):  # each control of this severity has its own alarm
            counter = _counter(severity, violations(severity=severity, without=apart), metric_name(severity), "")
            found.append(Watch(severity, counter, None, severity, alarms))
    return found


def _of_policy(alarms: AlarmOptions, policy: Counted, on: ControlAlarm) -> Watch:
    given = {name: getattr(on, name) for name in ("except_hosts", "except_paths", "except_programs")}
    where = f"alarms.{policy}{''.join(f'.{name}' for name, value in given.items() if value)}"
    # The functions of a fleet may differ in their modes: an early notification is better than none.
    of_fleet = alarms.granularity == "fleet"
    modes = [on.mode] if on.mode else ["block"] if of_fleet else ["block", "alert"]
    possible: set[Severity] = {severity_of(policy, mode, blocks=each) for mode in modes for each in (True, of_fleet)}
    severity = on.severity or (possible.pop() if len(possible) == 1 else None)
    counter = _counter(policy, violations(policy, mode=on.mode, **given), metric_name(policy), where)
    return Watch(policy, counter, policy, severity, alarms, on)


def _by_policy(alarms: AlarmOptions) -> Iterator[Watch]:
    shared = policy_counter()
    for policy in COUNTED:
        on = alarms.named.get(policy)
        if on is not None and (on.exceptions or on.mode is not None):
            yield _of_policy(alarms, policy, on)
        elif on is not None or policy not in _apart(alarms):
            yield Watch(policy, shared, policy, on.severity if on else None, alarms, on)


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
