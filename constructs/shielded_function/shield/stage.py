"""The shared state of a stage's shields: settings of the environment, work that is done once, and one validation.

A stage is a whole app, or a `cdk.Stage` in it. Each call from Python into the CDK takes time, so values of a stack or a
stage are requested once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from ..alarms.alarm_options import AlarmOptions
from ..alarms.descriptions import describe_fleet, watch_name
from ..alarms.function_filters import SharedFilters
from ..alarms.making import make_watch_alarm
from ..alarms.watches import watches_of
from ..errors import ShieldError
from ..layer import archive
from ..layer.versions import import_layer, shield_layer
from ..names import LAMBDAS, SHIELD
from ..reading.batching import call_all, members_of
from ..reading.functions import read_properties
from ..reading.late import check_late
from ..reading.paths import find_constructs, l2_path, path_of
from . import custom_resources
from .destinations import DestinationCheck
from .log_group import protect_retained

if TYPE_CHECKING:
    from ..granted import Grants, Inputs
    from .attached import StagedShield
    from .log_group import LogOptions

CONTEXT: Final = "shield"
"""The CDK context that switches the shields of an app: `cdk synth -c shield=alert`."""

Switch = Literal["on", "alert", "off"]
_SWITCHES: Final[tuple[Switch, ...]] = ("on", "alert", "off")
_ID: Final = "ShieldedFunctions"
_ALARM: Final = "AWS::CloudWatch::Alarm"
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
_LOG_GROUP_NAME: Final = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_RESOURCES: Final = 500
"""The most resources of a stack
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""
_MANY_SHIELDS: Final = 50
"""With fewer functions, a stack's resources are not counted: a shield has two to four, a function three."""


class StageShields(Construct):
    """The shields of a stage.

    Attributes:
        switch: the context `shield`: "on", "alert" or "off".
        attached: every shield in the stage; `attached.attached_in` has their type.
        problems: errors in aspects, where an exception would print the CDK's stack trace.
        observers: called with each new shield.
        late_checks: called at the validation, return problems.
        importing: stacks other than the functions' that refer to policy entries: those of perimeters.
    """

    def __init__(self, stage: cdk.Stage) -> None:
        """
        Raises:
            ShieldError: the context `shield` has another value.
        """
        switch = stage.node.try_get_context(CONTEXT) or "on"
        if switch not in _SWITCHES:
            raise ShieldError(stage.node.path or "App", [f"context {CONTEXT}: {switch!r} is not on, alert or off"])
        super().__init__(stage, _ID)
        self.stage = stage
        self.switch: Switch = switch
        self.attached: list[StagedShield] = []
        self.observers: list[Callable[[Any], None]] = []
        self.late_checks: list[Callable[[], list[str]]] = []
        self.importing: list[cdk.Stack] = []
        self._fleets: dict[str, StackShields] = {}
        self.problems: list[str] = []
        self._grants: dict[str, Grants] = {}
        self._inputs: list[Inputs] = []
        self._answered: dict[str, list[str]] | None = None
        check_late(self, self.invariant_problems)  # fails the synthesis where a shield was removed
        cdk.Aspects.of(self).add(DestinationCheck(stage, self.attached, self.problems), priority=950)

    def add(self, attached: StagedShield) -> None:
        """Adds a new shield."""
        self.attached.append(attached)
        for observe in self.observers:
            observe(attached)

    def fleet_problems(self, shields: StackShields, alarms: AlarmOptions) -> list[str]:
        """The reasons why the fleet in a stack's account and region cannot have these alarms."""
        if alarms.granularity != "fleet":
            return []
        home = self._fleet_home(shields, alarms)
        if home is None:
            there = ", ".join(stack_shields(stack).environment for stack in alarms.stacks)
            return [f"alarms.stacks: none of them is in {shields.environment}, only in {there}: name one that is"]
        if home.fleet is None or home.fleet[0] == alarms:
            return []
        place = next(iter(home.fleet[1].values()), home.stack).node.path
        return [f"alarms: the fleet has its alarms in {place}, with other options: use equal options"]

    def fleet_alarms(self, shields: StackShields, alarms: AlarmOptions) -> Mapping[str, cloudwatch.Alarm]:
        """The alarms of an account and region, by the watch's key.

        They are in a stack of `alarms.stacks`, or in that of the first function of the fleet.
        """
        home = self._fleet_home(shields, alarms)
        assert home is not None, "fleet_problems is called before"
        self._fleets[shields.environment] = home
        if home.fleet is None:
            scope = Construct(home.stack, "ShieldedFleet")
            made: dict[str, cloudwatch.Alarm] = {}
            for watch in watches_of(alarms):
                name = watch.name or watch_name(watch, watch.severity, home.name, "fleet", lambda: scope.node.addr[-8:])
                text = describe_fleet(watch, home.region, name)
                construct_id = f"{watch.key}Alarm" if made else "Alarm"
                made[watch.key] = make_watch_alarm(scope, construct_id, watch, None, watch.severity, text, name)
            home.fleet = alarms, made
        return home.fleet[1]

    def _fleet_home(self, shields: StackShields, alarms: AlarmOptions) -> StackShields | None:
        if shields.environment in self._fleets:
            return self._fleets[shields.environment]
        if not alarms.stacks:
            return shields
        homes = (stack_shields(stack) for stack in alarms.stacks)
        return next((home for home in homes if home.environment == shields.environment), None)

    def grants_of(self, path: str) -> Grants:
        """The grants of a function's role at the first request of the aspects."""
        if path not in self._grants:
            grants, inputs = self._read_grants()
            self._inputs.append(inputs)
            self._grants = {**grants, **self._grants}
        return self._grants[path]

    def answered_by(self, path: str) -> list[str]:
        """The custom resources that a function answered for at the first request of the aspects."""
        if self._answered is None:
            self._answered = custom_resources.answered_by(self.stage)
        return self._answered.get(l2_path(path), [])

    def _later_answers(self) -> list[str]:
        """Problems of custom resources that were created after the policies."""
        if self._answered is None:
            return []
        before, after = self._answered, custom_resources.answered_by(self.stage)
        paths = (attached.handle.path for attached in self.attached)
        return [
            f"{path}: {resource}, of which it is the service token, was made after the policy: make it before the "
            "aspects run"
            for path in paths
            for resource in after.get(l2_path(path), ())
            if resource not in before.get(l2_path(path), ())
        ]

    def _read_grants(self) -> tuple[dict[str, Grants], Inputs]:
        from ..granted import read_stage

        return read_stage(self.stage, [attached.handle for attached in self.attached if attached.wants_grants])

    def _later_grants(self) -> list[str]:
        """Problems of grants that were added after the policies: the roles are read again where inputs changed."""
        if not self._inputs:
            return []
        from ..granted import Grants, are_same, changed, read_inputs

        now = read_inputs(self.stage)
        if all(are_same(before, now) for before in self._inputs):
            return []
        after, _ = self._read_grants()
        admits_all = {attached.handle.path for attached in self.attached if attached.unknown_grants}
        return [
            f"{path}: {change}"
            for path, before in self._grants.items()
            if path not in admits_all
            for change in changed(before, after.get(path, Grants()))
        ]

    def invariant_problems(self) -> list[str]:
        """The settings that were lost after the shields were applied; one batch for each stack."""
        protect_retained([attached.log_group for attached in self.attached if attached.owns_log_group])
        by_stack: dict[cdk.Stack, list[StagedShield]] = {}
        for attached in self.attached:
            by_stack.setdefault(attached.handle.stack, []).append(attached)
        later = [*self._later_grants(), *self._later_answers()] if self.switch != "off" else []
        found = [*dict.fromkeys(self.problems), *later, *(problem for check in self.late_checks for problem in check())]
        for stack, shields in by_stack.items():
            _warn_unknown_grants(stack, shields)
            _warn_new_log_groups(stack, [shield.handle.path for shield in shields if shield.may_move_lines])
            found += _too_many_resources(stack) if len(shields) >= _MANY_SHIELDS else []
            properties = read_properties([shield.handle for shield in shields])
            states = cast("list[Any]", stack.resolve([shield.state() for shield in shields]))
            nodes = members_of([shield.handle.resource for shield in shields], "node")
            records = (json.dumps(state, sort_keys=True) for state in states)
            call_all([(n, "addMetadata", SHIELD, record) for (n,), record in zip(nodes, records, strict=True)])
            for shield, now, state in zip(shields, properties, states, strict=True):
                found += (f"{shield.handle.path}: {problem}" for problem in shield.problems(now, state))
        return found


class StackShields:
    """The shields of a stack.

    Attributes:
        stack: the stack.
        shared: the shields of its stage.
        account: the stack's account, resolved.
        account_text: the account as a text, possibly a token.
        filters: the metric filters on log groups that functions may share.
        fleet: the fleet alarms in it, by the watch's key, and their options.
    """

    def __init__(self, stack: cdk.Stack) -> None:
        self.stack = stack
        self.shared = stage_shields(stack)
        account = stack.account
        self.account: Any = stack.resolve(account)
        self.account_text = account
        self._arns: dict[lambda_.ILayerVersion, str] = {}
        self.filters = SharedFilters(stack)
        self.fleet: tuple[AlarmOptions, Mapping[str, cloudwatch.Alarm]] | None = None
        self._layers: dict[str, lambda_.ILayerVersion] = {}
        self._log_groups: dict[str, str] = {}
        self._alarm_names = _ALARM_NAMES.setdefault(stack.node.root, {})

    def alarm_name(self, name: str, path: str, suffix: Callable[[], str]) -> str:
        """An alarm's name, with a suffix where another function's alarm has the same. `path`: the function's."""
        own = self._alarm_names.setdefault((self.environment, name), path) == path
        return name if own else f"{name}-{suffix()}"

    @cached_property
    def environment(self) -> str:
        """The stack's account and region."""
        return self.stack.environment

    @cached_property
    def region(self) -> str:
        """The stack's region, possibly a token."""
        return self.stack.region

    @cached_property
    def name(self) -> str:
        """The stack's name, possibly a token."""
        return self.stack.stack_name

    def layer(
        self, scope: IConstruct, architecture: str, given: lambda_.ILayerVersion | str | None = None
    ) -> lambda_.ILayerVersion:
        """The stack's layer for an architecture, or a given one, as a layer or its ARN.

        Raises:
            ShieldError: its files are missing, or its construct id is taken.
        """
        if given is not None and not isinstance(given, str):
            return given
        key = given or architecture
        if key not in self._layers:
            self._layers[key] = import_layer(self.stack, given) if given else shield_layer(scope, architecture)
        return self._layers[key]

    def layer_problems(self, architecture: Any) -> list[str]:
        """Why `layer` cannot create the package's layer for an architecture; empty where it can."""
        if not isinstance(architecture, str):
            return [
                "architectures: known only at deployment, so the shield's layer cannot be chosen: name x86_64 or "
                "arm64, or set shield_layer= to the ARN of a layer that you published"
            ]
        return [] if architecture in self._layers else archive.missing_binaries(architecture)

    def lambda_log_group(self, function_name: str) -> logs.ILogGroup | None:
        """The stack's own log group to which a function of this name writes by default; None for none."""
        groups = find_constructs(self.stack, (), ["AWS::Logs::LogGroup"])
        names = members_of(groups, "logGroupName")
        for group, (name,) in zip(groups, names, strict=True):
            if name == f"{LAMBDAS}{function_name}":
                above = group.node.scope
                imported = logs.LogGroup.from_log_group_name
                return above if isinstance(above, logs.LogGroup) else imported(group, "Shielded", group.ref)
        return None

    def arn_of(self, layer: lambda_.ILayerVersion) -> str:
        """The ARN of a layer, a token."""
        if layer not in self._arns:
            self._arns[layer] = layer.layer_version_arn
        return self._arns[layer]

    def log_group_problems(self, log_group: logs.ILogGroup | None, options: LogOptions, path: str) -> list[str]:
        """Problems of a log group's name: invalid, or used in the stack. `path`: its function."""
        name, owner = options.name_for(path, lambda: self.name) if log_group is None else None, path
        if log_group is not None:
            resource = log_group.node.default_child
            name = resource.log_group_name if isinstance(resource, logs.CfnLogGroup) else None
            owner = log_group.node.path
        if name is None or cdk.Token.is_unresolved(name):
            return []
        if not _LOG_GROUP_NAME.fullmatch(name):
            return [f"log_group: {name!r} is no name for one: use letters, digits and . - _ / #, 512 at most"]
        if self._log_groups.setdefault(name, owner) == owner:
            return []
        return [
            f"log_group: {self._log_groups[name]} has one that is called {name} too: name them apart, in LogOptions by "
            "{stack}, {id} or {path} in log_group_name"
        ]


def _warn_new_log_groups(stack: cdk.Stack, functions: Sequence[str]) -> None:
    """Warns about new log groups, as a previous log group and its readers are unknown at synthesis."""
    if functions:
        cdk.Annotations.of(stack).add_warning_v2(
            "shielded-function:newLogGroup",
            f"The lines of {', '.join(functions)} go to new log groups. If these functions ran before, subscriptions "
            "and forwarders on Lambda's log groups (/aws/lambda/...) get no more lines: LogOptions(existing=True) "
            "keeps the lines there. For new functions set LogOptions(existing=False).",
        )


def _warn_unknown_grants(stack: cdk.Stack, shields: Sequence[StagedShield]) -> None:
    """Warns about functions with an unset `allow_aws` and unknown grants."""
    by_reason: dict[str, list[str]] = {}
    for shield in shields:
        for reason in shield.unknown_grants:
            by_reason.setdefault(reason, []).append(shield.handle.path)
    if by_reason:
        reasons = "; ".join(f"{', '.join(functions)}: {reason}" for reason, functions in by_reason.items())
        cdk.Annotations.of(stack).add_warning_v2(
            "shielded-function:untoldGrants",
            "Where a policy does not set allow_aws, a function reaches the AWS services in the grants of its role. The "
            f"grants of these functions are unknown, so they reach every service, of any account: {reasons}. Or write "
            'allow_aws="all" where that is intended.',
        )


def _too_many_resources(stack: cdk.Stack) -> list[str]:
    """Whether a stack has more resources than CloudFormation allows. The CDK counts them too, but only by type."""
    given = stack.node.try_get_context("@aws-cdk/core:stackResourceLimit")
    limit = _RESOURCES if given is None else int(given)
    found = find_constructs(stack, ["CfnResource"])
    own = [path_of(each) for each, (home,) in zip(found, members_of(found, "stack"), strict=True) if home is stack]
    shields = [kind for path, kind in own if "/Shield/" in path]
    if not 0 < limit < len(own):  # 0: the CDK does not check
        return []
    fleet = 'AlarmOptions(granularity="fleet") makes two alarms for all functions, and ' if _ALARM in shields else ""
    return [
        f"{stack.node.path}: {len(own)} resources, {len(shields)} of them the shields', of which CloudFormation takes "
        f"{limit}: {fleet}nested stacks, or several stacks, hold more"
    ]


_STACKS: WeakKeyDictionary[cdk.Stack, StackShields] = WeakKeyDictionary()
_ALARM_NAMES: WeakKeyDictionary[IConstruct, dict[tuple[str, str], str]] = WeakKeyDictionary()
"""By app, then by account and region with the alarm's name: the path of its function."""


def stack_shields(stack: cdk.Stack) -> StackShields:
    """The shields of a stack; the same at every call."""
    found = _STACKS.get(stack)
    if found is None:
        found = _STACKS[stack] = StackShields(stack)
    return found


def known_stages(scope: IConstruct) -> list[StageShields]:
    """The stages of a construct's app with shields."""
    stages = {id(shields.shared): shields.shared for shields in _STACKS.values()}
    root = scope.node.root
    return [stage for stage in stages.values() if stage.node.root is root]


def stage_shields(scope: IConstruct) -> StageShields:
    """The shields of a construct's stage; the same at every call."""
    stage = scope if isinstance(scope, cdk.Stage) else cdk.Stage.of(scope)
    assert stage is not None, "a construct always has a stage: at least its app"
    existing = stage.node.try_find_child(_ID)
    if existing is not None and not isinstance(existing, StageShields):
        raise ShieldError(existing.node.path, [f"the construct id {_ID} is the shield's: give it another"])
    return existing or StageShields(stage)
