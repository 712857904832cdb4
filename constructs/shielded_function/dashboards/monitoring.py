"""`ShieldMonitoring`: alarms, dashboard, saved queries, field indexes and more for a whole app, in one construct."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from shielded_function_monitoring.queries import FUNCTION_VARIABLE, INDEXED, QUERIES

from ..alarms.alarm_options import AlarmAction, AlarmOptions, check_list, check_switch, wrong_type
from ..alarms.watches import watches_of
from ..errors import ShieldError
from ..findings.findings import EventTarget, findings_rule
from ..keywords import by_name
from ..reading.late import check_late, late_list
from ..shield.function_shield import attached_in
from ..shield.scope import is_within, log_group_in_app, outermost, stages_in
from ..shield.stage import StackShields, known_stages, stack_shields
from .changes import ChangeRules
from .dashboard import ShieldDashboard
from .dashboard_body import MAX_SOURCES
from .first_seen import FirstSeen, first_seen_of
from .heartbeat import add_heartbeat

if TYPE_CHECKING:
    from ..shield.function_shield import FunctionShield

_ID: Final = "ShieldMonitoring"


class ShieldMonitoring(Construct):
    """All resources for the monitoring of an app's violations.

        fleet = AlarmOptions(granularity="fleet", actions=[SnsAction(topic)], stacks=[operations])
        Shield.everywhere(app, policy, alarms=fleet)
        ShieldMonitoring(app, alarms=fleet)

    For each account and region of the app: the alarms of the fleet, a dashboard, and saved queries, in the stack that
    you choose. On the shields' log groups: field indexes, so that a query scans only the shield's lines. It covers the
    functions below `scope`, also those shielded later. Synthesis fails if it covers no function, or if functions of a
    `cdk.Stage` that is created later have no `ShieldMonitoring` in their stage.

    Attributes:
        alarms: the options of the alarms.
        homes: by account and region (`aws://111122223333/eu-west-1`), the stack of the resources that exist once.
        dashboards: by account and region, the dashboard.
    """

    @by_name("ShieldMonitoring")
    def __init__(
        self,
        scope: Construct,
        id: str = _ID,
        *,
        alarms: AlarmOptions | None = None,
        stacks: Sequence[cdk.Stack] = (),
        dashboard: bool = True,
        queries: bool = True,
        field_indexes: bool = True,
        configuration_changes: Sequence[EventTarget] = (),
        heartbeat_actions: Sequence[AlarmAction] = (),
        first_seen: Sequence[EventTarget] | Literal[False] = (),
    ) -> None:
        """
        Args:
            scope: the app, a stage or a stack.
            id: the construct id.
            alarms: options of the fleet's alarms, equal to those of the functions; by default
                `AlarmOptions(granularity="fleet")`. `AlarmOptions(enabled=False)` creates none.
            stacks: the stacks for the resources that exist once: the one in the functions' account and region is used.
                By default those of `alarms`, and otherwise the stack of the first function.
            dashboard: creates a dashboard.
            queries: saves the queries of `shielded_function_monitoring.QUERIES`, for the console.
            field_indexes: indexes the fields that the queries filter by.
            configuration_changes: called when anyone except CloudFormation changes a function's configuration or code;
                deletes or changes its log group, its retention or its metric filters; deletes, changes or mutes an
                alarm. EventBridge gets these events from CloudTrail: the account needs a trail of management events.
            heartbeat_actions: called when a function was invoked on two days in a row and wrote no line of a start with
                the shield: an alarm of two metrics for each function without SnapStart or Managed Instances.
            first_seen: get one event for each new target of a function that is critical or a warning, also while an
                alarm lasts: a `ShieldFindings` in each stack of functions, and a rule. Without targets, a warning
                names the functions whose alarms hide a second attack. False turns both off.

        Raises:
            ShieldError: an argument is malformed.
        """
        super().__init__(scope, id)
        path = self.node.path
        self.alarms = AlarmOptions(granularity="fleet") if alarms is None else alarms
        self.homes: dict[str, cdk.Stack] = {}
        self.dashboards: dict[str, ShieldDashboard] = {}
        try:
            if not isinstance(self.alarms, AlarmOptions):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ShieldError(f"alarms: {wrong_type(alarms, AlarmOptions)}")
            if self.alarms.enabled and self.alarms.granularity != "fleet":
                raise ShieldError(
                    f"alarms: granularity={self.alarms.granularity!r} is for Shield and ShieldedFunction: write "
                    'granularity="fleet" here, or AlarmOptions(enabled=False)'
                )
            check_list("stacks", stacks, "stack")
            for name, switch in (("dashboard", dashboard), ("queries", queries), ("field_indexes", field_indexes)):
                check_switch(name, switch)
            check_list("configuration_changes", configuration_changes, "target")
            check_list("first_seen", first_seen or (), "target")
            check_list("heartbeat_actions", heartbeat_actions, "action")
        except ValueError as error:
            raise ShieldError(path, [str(error)]) from None
        self._scope = scope
        self._stacks = tuple(stacks) or tuple(self.alarms.stacks)
        self._targets = tuple(configuration_changes)
        self._heartbeat = tuple(heartbeat_actions)
        self._first_seen: Sequence[EventTarget] = first_seen or ()
        self._says_hidden = first_seen is not False
        self._findings: dict[cdk.Stack, FirstSeen | None] = {}
        self._rules: dict[str, ChangeRules] = {}
        self._dashboard, self._queries, self._field_indexes = dashboard, queries, field_indexes
        self._taken: list[FunctionShield] = []
        check_late(self, self.problems)  # a part that watches nothing would look like one without violations
        for stage in stages_in(scope):
            stage.observers.append(self._cover)
            for attached in attached_in(stage):
                self._cover(attached)

    def _cover(self, attached: FunctionShield) -> None:
        """Covers a function that has a shield."""
        if not is_within(attached.handle.path, self._scope):
            return
        self._taken.append(attached)
        attached.is_monitored = True
        shields = attached.stack_shields
        place = shields.environment
        if place not in self.homes:
            self.homes[place] = self._make_home(attached)
        for watch in watches_of(self.alarms):
            attached.count(watch.counter)
        if self.alarms.enabled:
            if problems := shields.shared.fleet_problems(shields, self.alarms):
                raise ShieldError(self.node.path, problems)
            shields.shared.fleet_alarms(shields, self.alarms)
        if self._field_indexes and attached.owns_log_group:
            _index(attached)
        if place in self._rules:
            self._rules[place].add(attached, self.alarms)
        if self._heartbeat:
            add_heartbeat(attached, self._heartbeat)
        if self._first_seen:
            self._tell_new(attached)

    def _make_home(self, attached: FunctionShield) -> cdk.Stack:
        place = attached.stack_shields.environment
        home = outermost(attached.stack_shields.stack)
        if self._stacks:
            chosen = [stack for stack in self._stacks if stack_shields(stack).environment == place]
            if not chosen:
                there = ", ".join(stack_shields(stack).environment for stack in self._stacks)
                message = f"stacks: none of them is in {place}, where {attached.handle.path} is, only in {there}"
                raise ShieldError(self.node.path, [f"{message}: name one that is"])
            home = chosen[0]
        inside = self._inside(home)
        if self._dashboard:
            self.dashboards[place] = ShieldDashboard(inside, "Dashboard", of=self._scope)
        if self._queries:
            self._save_queries(inside, stack_shields(home))
        if self._targets:
            self._rules[place] = ChangeRules(inside, self._targets)
        if self._first_seen:
            findings_rule(inside, "FirstSeenRule", None, self._first_seen, ("critical", "warning"))
        if self._says_hidden:
            check_late(inside, partial(self._warn_hidden, home))
        return home

    def _inside(self, stack: cdk.Stack) -> Construct:
        """The scope of its resources in a stack.

        Two `ShieldMonitoring`, as of two stages, may share a stack: the ids contain their scope.
        """
        if self.node.scope is stack:
            return self
        found = stack.node.try_find_child(name := f"{_ID}-{self.node.addr[:8]}")
        return found if isinstance(found, Construct) else Construct(stack, name)

    def _tell_new(self, attached: FunctionShield) -> None:
        """Adds the findings of a function's stack, where its log group is of this app."""
        stack = outermost(attached.stack_shields.stack)
        if stack not in self._findings and log_group_in_app(attached) is not None:
            self._findings[stack] = None  # covering the function of the findings comes here again
            self._findings[stack] = first_seen_of(self._inside(stack), attached, self._scope, self.alarms)

    def problems(self) -> list[str]:
        """Errors for the CDK about parts without a function, when every function is known."""
        missed = [
            attached.handle.path
            for stage in known_stages(self._scope)
            for attached in attached_in(stage)
            if not attached.is_monitored and is_within(attached.handle.path, self._scope)
        ]
        if missed:
            who = ", ".join(missed[:3]) + (", and others" if len(missed) > 3 else "")
            return [f"ShieldMonitoring: it was created before the Stage of {who}: create it after all stages"]
        if not self._taken:
            return ["ShieldMonitoring: its scope contains no shielded function: nothing would be watched"]
        return []

    def _warn_hidden(self, home: cdk.Stack) -> list[str]:
        """Warns about functions whose new targets are hidden while an alarm lasts. It finds no errors."""
        place = stack_shields(home).environment
        here = (each for each in self._taken if each.stack_shields.environment == place)
        without = [each.handle.path for each in here if not each.is_told and self._calls(each)]
        if not without:
            return []
        who = ", ".join(without[:3]) + (f", and {len(without) - 3} others" if len(without) > 3 else "")
        fix = (
            "Their log groups are imported, so their subscription filters are unknown: where AWS's limit of two is not "
            "reached, ShieldFindings(self, 'Findings', of=function) covers one."
            if self._first_seen
            else "first_seen=[target] tells each new target once; first_seen=False leaves it at the alarms."
        )
        cdk.Annotations.of(home).add_warning_v2(
            "shielded-function:newTargetsHidden",
            "An alarm lasts until a quarter of an hour without violations, and calls its actions once: a second attack "
            f"in that time is hidden, of {who}. {fix}",
        )
        return []

    def _calls(self, attached: FunctionShield) -> bool:
        """Whether an alarm on a function's violations has an action."""
        options = [each for each in (self.alarms, attached.alarm_options) if each.evaluation_periods != 1]
        return any(each.enabled and each.every_action for each in options)

    def _log_groups_in(self, home: StackShields) -> list[str] | None:
        """The log groups of a stack's functions, where a single query can name all of them."""
        names = list(dict.fromkeys(a.log_group_name for a in self._taken if a.stack_shields is home))
        return names if 0 < len(names) <= MAX_SOURCES else None

    def _save_queries(self, scope: Construct, home: StackShields) -> None:
        names = late_list(partial(self._log_groups_in, home))
        for key, query in QUERIES.items():
            if FUNCTION_VARIABLE in query.text:
                continue
            logs.CfnQueryDefinition(
                scope,
                f"{key}Query",
                name=f"ShieldedFunction/{home.name}/{query.title}",
                query_string=query.text,
                log_group_names=names,
            )


def _index(attached: FunctionShield) -> None:
    resource = log_group_in_app(attached)
    if resource is not None and resource.field_index_policies is None:
        resource.field_index_policies = [{"Fields": list(INDEXED)}]
