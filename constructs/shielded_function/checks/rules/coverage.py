"""Finds the violations of a function that raise an alarm, by a template's filters and alarms.

Lines are tried on the filters: one against each control in each mode, and one for each host, address and path
that a filter excepts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, cast

from shielded_function_monitoring.alert import MODES, POLICIES, START
from shielded_function_monitoring.cfn.template import canonical
from shielded_function_monitoring.filters import level_of, severity_of
from shielded_function_monitoring.pattern import read_line

from ..templates import LambdaFunction
from .alarms import Alarm, Monitoring, watching
from .rule import Context, Problem

# The number of violations beyond the threshold that an alarm needs, by comparison operator.
_BEYOND: Final = {"GreaterThanOrEqualToThreshold": 0.0, "GreaterThanThreshold": 1.0}
_EXCEPTED: Final = re.compile(r'\$\.details\.(\w+) != "((?:[^"\\]|\\.)*)"')


class _Violation(NamedTuple):
    """The fields of a line. `details`: by the field's name, such as `host`."""

    policy: str
    mode: str
    details: tuple[tuple[str, str], ...] = ()

    def line(self) -> Mapping[str, Any]:
        """The line, as the shield would write it, read."""
        known: dict[str, Any] = {"mode": self.mode, "details": dict(self.details)} if self.mode else {}
        severity = severity_of(cast(Any, self.policy), self.mode)
        known |= {"policy": self.policy, "level": self.level, "severity": severity, "count": 1}
        return read_line(json.dumps({"function_shield": True, **known})) or {}

    @property
    def level(self) -> str:
        """The level of its line."""
        return level_of(cast(Any, self.policy), self.mode)

    def __str__(self) -> str:
        details = "".join(f" with the {name} {value}" for name, value in self.details)
        return f"{self.policy}{f' in mode {self.mode}' if self.mode else ''}{details}"


_PLAIN: Final = (*(_Violation(policy, mode) for policy in POLICIES for mode in MODES), _Violation(START, ""))
_CRITICAL: Final = [each for each in _PLAIN if severity_of(cast(Any, each.policy), each.mode) == "critical"]


@dataclass(frozen=True)
class _Condition:
    """The condition on which an alarm fires.

    Attributes:
        threshold: violations in a period.
        datapoints: number of such periods.
        seconds: length of a period.
        actions: its actions, as text.
    """

    threshold: float
    datapoints: float
    seconds: float
    actions: frozenset[str]


def no_alarm(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """Its violations are counted, and no alarm watches the count, or that of critical ones."""
    coverage = _Coverage(function, context)
    if not coverage.filters:
        return
    if not coverage.alarms:
        yield Problem(
            "no alarm watches its violations",
            "let AlarmOptions make one, or acknowledge it where another system does",
        )
    elif unwatched := [each for each in _CRITICAL if not coverage.conditions(each)]:
        yield Problem(
            f"no alarm watches {_listed(unwatched)}, which is critical",
            'let AlarmOptions.severities name "critical", and ControlAlarm.mode no other mode, or acknowledge it',
        )


def less_watched(old: LambdaFunction, before: Context, new: LambdaFunction, after: Context) -> list[str]:
    """Each way in which violations raise an alarm later than before, or no alarm, in words."""
    coverages = _Coverage(old, before), _Coverage(new, after)
    if coverages[0].text == coverages[1].text:
        return []
    found: dict[str, list[_Violation]] = {}
    for violation in _violations(coverages[0], coverages[1]):
        for change in _changes(*(each.conditions(violation) for each in coverages)):
            found.setdefault(change, []).append(violation)
    return [f"{change}: {_listed(violations)}" for change, violations in found.items()]


class _Coverage:
    """The filters and alarms of a function in one synth."""

    def __init__(self, function: LambdaFunction, context: Context) -> None:
        monitoring = context.read(Monitoring)
        self.filters = monitoring.filters_of(function)
        self.alarms = watching(function, context)
        self._name = monitoring.name_of(function)

    @cached_property
    def text(self) -> str:
        """All of it as text, equal where nothing changed."""
        return canonical(
            [
                sorted(f"{each.key} {each.pattern}" for each in self.filters),
                sorted(
                    canonical({**alarm.properties, "AlarmActions": sorted(map(canonical, alarm.actions))})
                    for alarm in self.alarms
                ),
            ]
        )

    def conditions(self, violation: _Violation) -> list[_Condition]:
        """The conditions of the alarms that count a violation."""
        line = {**_line(violation), "function": self._name}
        return [
            _condition(alarm)
            for alarm in self.alarms
            if alarm.query is None or any(each.counts_for(alarm.query, line) for each in self.filters)
        ]


_line = lru_cache(_Violation.line)


def _condition(alarm: Alarm) -> _Condition:
    properties = alarm.properties
    queries = properties.get("Metrics")
    sources = [properties, *(queries if isinstance(queries, list) else ())]
    periods = (_number({**each, **each.get("MetricStat", {})}.get("Period")) for each in sources)
    beyond = _BEYOND.get(str(properties.get("ComparisonOperator")), float("inf"))
    return _Condition(
        _number(properties.get("Threshold")) + beyond,
        _number(properties.get("DatapointsToAlarm", properties.get("EvaluationPeriods"))),
        min(periods, default=float("inf")),
        frozenset(map(canonical, alarm.actions)),
    )


def _number(value: Any) -> float:
    """An unknown value counts as the highest."""
    return value if isinstance(value, (int, float)) else float("inf")


def _changes(before: Sequence[_Condition], after: Sequence[_Condition]) -> Iterator[str]:
    if before and not after:
        yield "no alarm fires any more for"
        return
    if not before:
        return
    old_actions, new_actions = (frozenset[str]().union(*(each.actions for each in every)) for every in (before, after))
    if old_actions and not new_actions:
        yield "no action any more for"
    elif old_actions - new_actions:
        yield "another action than before for"
    for what, unit in (("threshold", "violations"), ("datapoints", "periods")):
        old, new = (min(getattr(each, what) for each in conditions) for conditions in (before, after))
        if new > old:
            yield f"an alarm takes {new:g} {unit}, before {old:g}, of"
    old, new = (max(each.seconds for each in conditions) for conditions in (before, after))
    if new < old and min(each.threshold for each in after) > 1:
        yield f"violations are counted over {new:g} seconds, before {old:g}, for"


def _violations(*coverages: _Coverage) -> list[_Violation]:
    excepted = {
        (key, re.sub(r"\\(.)", r"\1", value).replace("*", "any"))
        for each in coverages
        for one in each.filters
        for key, value in _EXCEPTED.findall(one.pattern)
    }
    special = [
        each._replace(details=((key, value),)) for each in _PLAIN if each.mode for key, value in sorted(excepted)
    ]
    return [*_PLAIN, *special]


def _listed(violations: Sequence[_Violation]) -> str:
    """Violations in words; equal ones of all modes and details together."""
    plain = [violation for violation in violations if not violation.details]
    texts: list[str] = []
    for policy in dict.fromkeys(violation.policy for violation in plain):
        modes = [violation.mode for violation in plain if violation.policy == policy]
        texts.append(policy if len(modes) == len(MODES) or not modes[0] else f"{policy} in mode {modes[0]}")
    known = {(violation.policy, violation.mode) for violation in plain}
    texts += [str(each) for each in violations if each.details and (each.policy, each.mode) not in known]
    return ", ".join(texts)
