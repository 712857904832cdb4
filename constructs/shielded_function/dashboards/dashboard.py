"""`ShieldDashboard`: violations of shielded functions, for a function, a stack or a whole app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IConstruct

from ..errors import ShieldError
from ..keywords import by_name
from ..reading.kinds import owner_of
from ..reading.late import check_late, late_text
from ..shield.function_shield import FunctionShield, attached_in, attached_to
from ..shield.scope import is_within, log_group_prefix, stages_in
from ..shield.stage import StackShields, stack_shields
from ..tokens import has_token
from . import heartbeat
from .dashboard_body import Series, Shown, dashboard_body, log_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class ShieldDashboard(Construct):
    """A CloudWatch dashboard of violations: alarm states, functions, hosts, latest lines, a graph and
    starts. Where it shows several functions, one can be selected.

        ShieldDashboard(self, "Dashboard")  # of this stack
        ShieldDashboard(self, "Dashboard", of=checkout)
        ShieldDashboard(operations, "Dashboard", of=app)

    It shows the functions that exist at synthesis. Their log groups are named where they are in the dashboard's stack,
    and otherwise found by name prefix, so that no stack depends on another. For the same reason it shows only the
    states of alarms in the dashboard's stack.

    Attributes:
        resource: the dashboard.
    """

    @by_name("ShieldDashboard")
    def __init__(self, scope: Construct, id: str, *, of: IConstruct | None = None, name: str | None = None) -> None:
        """
        Args:
            scope: the parent.
            id: the construct id.
            of: a shielded function, a stack, a stage or the app; by default the dashboard's stack. For an app or stage
                it shows the functions in the dashboard's account and region.
            name: the dashboard's name.

        Raises:
            ShieldError: `of` is of another type, or a function without a shield or of another stack.
        """
        super().__init__(scope, id)
        self._home = stack_shields(cdk.Stack.of(self))
        self._of = _checked(self._home.stack if of is None else of, self.node.path)
        if isinstance(self._of, FunctionShield) and self._of.stack_shields is not self._home:
            raise ShieldError(
                self.node.path, [f"of: {self._of.handle.path} is in another stack: create its dashboard there"]
            )
        self._stages = stages_in(self._of)
        self.resource = cloudwatch.CfnDashboard(
            self, "Resource", dashboard_name=name, dashboard_body=late_text(self.render)
        )
        # A dashboard without functions would look like one without violations.
        empty = "ShieldDashboard: `of` contains no shielded function of its account and region"
        check_late(self, lambda: [] if self.shields() else [empty])

    @property
    def dashboard_name(self) -> str:
        """The dashboard's name, a token unless one was given."""
        return self.resource.ref

    def shields(self) -> list[FunctionShield]:
        """The shown functions, as far as known."""
        if isinstance(self._of, FunctionShield):
            return [self._of]
        everywhere = not isinstance(self._of, cdk.Stage)
        return [
            attached
            for stage in self._stages
            for attached in attached_in(stage)
            if (everywhere or attached.stack_shields.environment == self._home.environment)
            and is_within(attached.handle.path, self._of)
        ]

    def render(self) -> str:
        """The dashboard's body, for the CDK."""
        shields = self.shields()
        source, notes = log_source_of(shields, self._home)
        functions = _names(shields, self._home)
        one = self._of.handle.path if isinstance(self._of, FunctionShield) else None
        shown = Shown(
            title=f"Shielded functions: {one or self._of.node.path or 'all'}",
            region=self._home.region,
            functions=functions,
            series=_series(shields, functions),
            source=source,
            notes=notes,
            alarms=[alarm.alarm_arn for alarm in _alarms(shields, self._home)],
            choose=one is None,
        )
        return self._home.stack.to_json_string(dashboard_body(shown))


def log_source_of(shields: Sequence[FunctionShield], home: StackShields) -> tuple[str | None, list[str]]:
    """The source of a stack's queries, and notes about functions outside it."""
    known = [(each.log_group_name if each.stack_shields is home else None, log_group_prefix(each)) for each in shields]
    unseen = [each.handle.path for each, found in zip(shields, known, strict=True) if found == (None, None)]
    names = [name for name, _ in known if name is not None]
    alone = len(names) == len(shields) - len(unseen)
    prefixes = [prefix for _, prefix in known if prefix is not None]
    source = log_source(list(dict.fromkeys(names)) if alone else [], prefixes)
    notes: list[str] = []
    if unseen:
        notes.append(f"Not in the log queries, as the names of their log groups are unknown: {', '.join(unseen)}.")
    if source is None:
        notes.append(
            "No log queries: the names of the log groups have too little in common for one query. Give each stack its "
            'own ShieldDashboard, or its new log groups LogOptions(log_group_name="/shield/{stack}/{id}").'
        )
    return source, notes


def _names(shields: Iterable[FunctionShield], home: StackShields) -> dict[str, str]:
    """The functions' names and paths; none where another stack generates one, as this stack would depend on it."""
    found = {attached.handle.name: attached for attached in shields}
    known = all(each.stack_shields is home or not has_token(name) for name, each in found.items())
    return {name: each.handle.path for name, each in found.items()} if known else {}


def _series(shields: Iterable[FunctionShield], known: Mapping[str, str]) -> dict[Series, list[str]]:
    """The counted metrics, each with its functions."""
    found: dict[Series, list[str]] = {}
    for attached in shields:
        for counter in (each for each in attached.counters if each.key != heartbeat.KEY):
            apart = next((name for name in counter.dimensions if name != "FunctionName"), "")
            names = found.setdefault(Series(counter.metric, apart), [])
            if attached.handle.name in known:
                names.append(attached.handle.name)
    return found


def _alarms(shields: Iterable[FunctionShield], home: StackShields) -> list[cloudwatch.Alarm]:
    own = [alarm for attached in shields if attached.stack_shields is home for alarm in attached.alarms.values()]
    fleet = list(home.fleet[1].values()) if home.fleet else []
    unique = {id(alarm): alarm for alarm in (*fleet, *own)}
    # The alarms of a fleet may be in another stack than the function.
    return [alarm for alarm in unique.values() if alarm.stack is home.stack]


def _checked(of: Any, path: str) -> Any:
    if isinstance(of, FunctionShield | cdk.Stack | cdk.Stage):
        return of
    attached = attached_to(of) if isinstance(of, Construct) and owner_of(of) is not None else None
    if attached is None:
        raise ShieldError(path, [f"of: {of!r} is no shielded function, stack, stage or app"])
    return attached
