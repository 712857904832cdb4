"""`FunctionShield`: a shield on one function, with its layer, log group, metric filters and alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from shielded_function_monitoring.filters import COUNTED, Counted, Severity, of_functions

from ..alarms.descriptions import describe_function, watch_name
from ..alarms.function_filters import NO_FUNCTION
from ..alarms.making import make_filter, make_watch_alarm, metric_of
from ..alarms.watches import Counter, Watch, general_counter, policy_counter, severity_for
from ..errors import ShieldError
from ..granted.in_policy import wants_grants
from ..layer.versions import policy_layer
from ..names import LEFT_OUT, OFF
from ..policy import Explanation, ShieldPolicy
from ..reading.batching import create
from ..reading.kinds import owner_of
from ..reading.paths import find_constructs, path_of
from . import invariants
from .attached import AttachedShield
from .custom_resources import answer_hosts
from .eligibility import ShieldOptions, log_class_of, make_layer
from .function_policy import FunctionPolicy
from .log_group import allow_writing, log_group_of_lambda
from .plan import Plan, plan_variables
from .resolution import ResolvedPolicy
from .resolution.exports import keep_exports
from .stage import StageShields, stack_shields

if TYPE_CHECKING:
    from constructs import IConstruct
    from typing_extensions import Unpack

    from ..reading.functions import FunctionFacts, FunctionHandle
    from .props import MetricProps

ID: Final = "Shield"


@jsii.implements(cdk.IAspect)
class FunctionShield(AttachedShield):
    """An `AttachedShield` for the modules of this package. Its additional members are no public interface.

    Attributes:
        handle: the function, with its data from the CDK.
        from_sweep: the call of `Shield.everywhere` that made it.
        is_monitored: whether a `ShieldMonitoring` covers it.
        is_told: whether a `ShieldFindings` covers it.
        in_aspect: whether an aspect made it.
        policies: its policy, before and after its resolution.
        alarm_options: the options of its alarms.
        stack_shields: the shields of its stack.
        owns_log_group: whether the shield created its log group.
        may_move_lines: whether it did so by default, not by an explicit option.
    """

    def __init__(
        self,
        handle: FunctionHandle,
        facts: FunctionFacts,
        policies: FunctionPolicy,
        options: ShieldOptions,
        log_group: logs.ILogGroup | None,
        *,
        in_aspect: bool = False,
    ) -> None:
        """
        Args:
            handle, facts: the function, and its properties.
            policies: its policy.
            options: its other options.
            log_group: the result of `check_function`.
            in_aspect: whether aspects run already.
        """
        layer = make_layer(handle, options, facts)
        try:
            super().__init__(handle.construct, ID)
        except RuntimeError as error:
            raise ShieldError(handle.path, [f"a construct in it has the id {ID}: give it another"]) from error
        self.handle = handle
        self.function = handle.construct
        self.policies = policies
        self._options = options
        self.alarm_options = options.alarms
        self.from_sweep: object | None = None
        self.is_monitored = False
        self.is_told = False
        self.in_aspect = in_aspect
        self.stack_shields = stack_shields(handle.stack)
        self._switch = self.stack_shields.shared.switch
        self._plan = Plan()
        self._policy_layer: lambda_.ILayerVersion | None = None
        self._policy_lines = ""
        self._settle_failed = False  # an error was reported, and the function is unchanged
        self._is_synthesized = False
        self._layers_added: list[lambda_.ILayerVersion] = []
        self._variables_added: set[str] = set()
        self._architecture: Any = None
        self.layer = layer
        self._logs_alone = log_group is None
        self.owns_log_group = self._logs_alone and not options.logs.existing
        is_default = options.logs.existing is None and options.logs.log_group_name is None
        self.may_move_lines = self.owns_log_group and is_default
        self.log_group, self._log_group_name = self._log_group_for(log_group, facts)
        if self.owns_log_group:
            self._allow_writing()
        self._name = handle.name
        self._filters: dict[str, logs.MetricFilter] = {}
        self._counters: dict[str, Counter] = {}
        first, *others = [watch.counter for watch in options.watches] or [general_counter(options.alarms)]
        self.metric_filter = self.count(first)
        for counter in others:
            self.count(counter)
        self.alarms: Mapping[str, cloudwatch.Alarm] = self._make_alarms(options) if options.alarms.enabled else {}
        self.alarm = next(iter(self.alarms.values()), None)
        self._warn(facts)
        handle.attach(
            logging={**facts.logging, "logGroup": self._log_group_name} if self.owns_log_group else None,
            aspect=None if in_aspect else self,
        )
        self.stack_shields.shared.add(self)
        if in_aspect:
            self.settle()

    @property
    def policy(self) -> ShieldPolicy:
        return self.policies.in_force

    @property
    def wants_grants(self) -> bool:
        """Whether its policy has `allow_aws="granted"`, or leaves `allow_aws` unset."""
        return wants_grants(self.policies.given)

    @property
    def unknown_grants(self) -> Sequence[str]:
        """Why its unset `allow_aws` became "all": the findings about its grants."""
        return self.policies.unknown_grants

    @property
    def counters(self) -> Sequence[Counter]:
        """The counters of its metric filters."""
        return tuple(self._counters.values())

    @property
    def log_group_name(self) -> str:
        """Its log group's name, possibly a token."""
        return self._log_group_name or self.log_group.log_group_name

    @property
    def log_key(self) -> Any:
        """The key of the log group that the shield created; None for none."""
        return self._options.logs.encryption_key if self.owns_log_group else None

    def allow_to(self, *targets: IConstruct | str) -> None:
        if self._is_synthesized:
            raise ShieldError(self.handle.path, ["allow_to: its template is synthesized already: call it before"])
        self.policies.add(targets)
        if self.policies.resolved is not None:
            self.settle()

    def explain(self) -> tuple[Explanation, ...]:
        return self.policies.explain()

    def metric_violations(self, control: Counted | None = None, **props: Unpack[MetricProps]) -> cloudwatch.Metric:
        if control is not None and control not in COUNTED:
            raise ShieldError(f"metric_violations: {control!r} is not a control; use one of {', '.join(COUNTED)}")
        counter = general_counter(self._options.alarms, by_level=False) if control is None else policy_counter()
        self.count(counter)
        metric: cloudwatch.Metric = create(metric_of(counter, self._name, control))
        return metric.with_(**props)

    def count(self, counter: Counter) -> logs.MetricFilter:
        """Adds the metric filter of a counter, where there is none yet."""
        if counter.key not in self._filters:
            self._counters[counter.key] = counter
            self._filters[counter.key] = self._filter_of(counter)
        elif self._counters[counter.key].pattern != counter.pattern:
            cdk.Annotations.of(self.function).add_warning_v2(
                "shielded-function:otherFilter",
                f"{self._filters[counter.key].node.path} counts its lines into the metric {counter.metric} already, "
                "with other options of AlarmOptions, which stay in force: give ShieldMonitoring the same options.",
            )
        return self._filters[counter.key]

    def _filter_of(self, counter: Counter) -> logs.MetricFilter:
        def make(scope: Construct, pattern: str) -> logs.MetricFilter:
            return make_filter(scope, replace(counter, pattern=pattern), self.log_group)

        if self._logs_alone:
            return make(self, of_functions(counter.pattern, [self._name]))
        return self.stack_shields.filters.filter_of(self.log_group, self.log_group_name, counter, self._name, make)

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK for the function's resource, then for an L1's shield, within it."""
        del node
        if self.policies.resolved is None and not self._settle_failed:
            self.settle()

    def settle(self) -> None:
        """Gives the function the layers and the policy in force, and makes the shield the first exec wrapper.

        Called by the last aspect before the synthesis. The validation reports problems.
        """
        if self._switch == "off":
            self._keep_exports()
            if self.handle.resource.cfn_options.condition is not None:
                self._take_condition()
            return
        try:
            resolved = self._resolve()
            facts = self.handle.read_late_facts()
            if not self._layers_added:  # an aspect may have changed the architecture
                self.layer = make_layer(self.handle, self._options, facts)
                self._architecture = facts.architecture if self.layer and self._options.layer is None else None
            plan = plan_variables(
                facts.environment or {},
                self._variables_added,
                resolved,
                account=self.stack_shields.account,
                account_text=self.stack_shields.account_text,
                takes_file=not self._options.in_image,
            )
            self._add_policy_file(plan.file)
            layers = [layer for layer in self._layers if layer not in self._layers_added]
            if problems := invariants.layer_problems(facts, len(layers)):
                raise ShieldError(self.handle.path, problems)
            self.handle.add(plan.added, layers)
            self._plan = plan
            self._variables_added |= plan.added.keys() & plan.settings.keys()
            if facts.is_conditional:
                self._take_condition()
            self._layers_added += layers
            self._settle_failed = False
        except ValueError as error:
            self._settle_failed = True
            self.stack_shields.shared.problems.append(str(error))

    def _add_policy_file(self, lines: str) -> None:
        """Creates the layer with the policy's file."""
        if lines and self._policy_layer is None:
            self._policy_layer, self._policy_lines = policy_layer(self, lines), lines
        elif lines not in ("", self._policy_lines):
            raise ShieldError(self.handle.path, ["the policy's lists changed after the synthesis: change them before"])

    def _take_condition(self) -> None:
        """Gives its resources the function's condition, as without the function a reference to it is an error.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
        """
        condition = self.handle.resource.cfn_options.condition
        assert condition is not None
        for resource in find_constructs(self, ["CfnResource"]):
            resource.cfn_options.condition = resource.cfn_options.condition or condition
        if not self._logs_alone:
            name = cdk.Token.as_string(cdk.Fn.condition_if(condition.logical_id, self._name, NO_FUNCTION))
            self.stack_shields.filters.rename(self._name, name)

    def _keep_exports(self) -> None:
        """Keeps exports of other stacks that the deployed function imports, without importing them."""
        with suppress(ValueError):  # an invalid policy cannot have been deployed
            keep_exports(self._resolve().environment.values(), self.handle.stack, *self.stack_shields.shared.importing)

    def state(self) -> dict[str, Any]:
        """The settings of the shield, unresolved: a stack resolves those of all its functions at once."""
        return {
            "settings": self._plan.settings,
            "layers": [self.stack_shields.arn_of(layer) for layer in self._layers],
            "log_group": self._log_group_name,
            "until": str(self.policies.given.until or ""),
        }

    def problems(self, now: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
        """The facts that do not hold at synthesis.

        Args:
            now: the result of `read_properties`.
            state: a resolved `state`, without values of None.
        """
        self._is_synthesized = True
        if self._switch == "off" or self._settle_failed:  # `settle` reported it already
            return []
        facts, settings = self.handle.facts_of(now), state["settings"]
        log_class = None if self.owns_log_group else log_class_of(self.log_group)
        return [
            *invariants.applied_problems(facts, state, self._architecture),
            *invariants.late_problems(facts, settings, self._plan.longest),
            *invariants.log_group_problems(facts.logging.get("logGroup"), state.get("log_group"), log_class),
        ]

    def _resolve(self) -> ResolvedPolicy:
        stage, path = self.stack_shields.shared, self.handle.path
        warnings = self.policies.resolve(
            lambda: stage.grants_of(path), lambda: stage.answered_by(path), lambda: answer_hosts(self.handle.stack)
        )
        for finding in warnings:
            cdk.Annotations.of(self.function).add_warning_v2(finding.id, finding.message)
        assert self.policies.resolved is not None
        return self.policies.resolved

    @property
    def _layers(self) -> list[lambda_.ILayerVersion]:
        """The shield's layers: itself, and the policy's file."""
        return [layer for layer in (self.layer, self._policy_layer) if layer]

    def _log_group_for(self, given: logs.ILogGroup | None, facts: FunctionFacts) -> tuple[logs.ILogGroup, str | None]:
        """The function's log group, and its name, unless its logging configuration lacks it."""
        if self.owns_log_group:
            return self._options.logs.make(self, self._given_log_group_name())
        if given is None:
            return log_group_of_lambda(self, self.handle.name), None
        return given, given.log_group_name if "logGroup" in facts.logging else None

    def _allow_writing(self) -> None:
        """Lets the function's role write to the log group that was created for it."""
        if reason := allow_writing(self.handle, self.log_group, self):
            cdk.Annotations.of(self.function).add_warning_v2(
                "shielded-function:logPermission",
                f"The shield creates a log group for it, and {reason}, so it may lack the permission to write "
                "there, and every alert would be lost. Grant its role logs:CreateLogStream and logs:PutLogEvents "
                "on that log group, or give the function the log_group that it writes to.",
            )

    def _make_alarms(self, options: ShieldOptions) -> Mapping[str, cloudwatch.Alarm]:
        if options.alarms.granularity == "fleet":
            return self.stack_shields.shared.fleet_alarms(self.stack_shields, options.alarms)
        within = self.handle.path.removeprefix(f"{path_of(self.handle.stack)[0]}/")
        return {watch.key: self._make_alarm(watch, within) for watch in options.watches}

    def _suffix(self) -> str:
        return self.node.addr[-8:]

    def _make_alarm(self, watch: Watch, within: str) -> cloudwatch.Alarm:
        severity = self._severity(watch)
        name = watch_name(watch, severity, self.stack_shields.name, within, self._suffix)
        name = self.stack_shields.alarm_name(name, self.handle.path, self._suffix)
        return make_watch_alarm(
            self,
            "Alarm" if watch.of_class == "critical" else f"{watch.key}Alarm",
            watch,
            function_name=self._name,
            severity=severity,
            description=describe_function(self.handle.path, self._name, self.stack_shields.region, watch, severity),
            name=f"{self._name}-{watch.name}" if watch.name else name,
        )

    def _severity(self, watch: Watch) -> Severity | None:
        """The severity by the modes of the given policy, as later changes by a tag are unknown."""
        return severity_for(watch, vars(self.policies.in_mode(self.policies.original)))

    def _given_log_group_name(self) -> str | None:
        return self._options.logs.name_for(self.handle.path, lambda: self.stack_shields.name)

    def _warn(self, facts: FunctionFacts) -> None:
        if self._switch == "off":
            self.function.node.add_metadata(LEFT_OUT, OFF)
            cdk.Annotations.of(self.function).add_warning_v2(
                "shielded-function:off",
                "The context shield=off removes the shield: its code may do anything. For development only.",
            )
        if facts.code_signing and self._options.layer is None:
            cdk.Annotations.of(self.function).add_warning_v2(
                "shielded-function:codeSigning",
                "The function has a code-signing configuration. If it enforces, Lambda refuses the shield's layer, "
                "which is not signed.",
            )


def attached_to(function: IConstruct) -> FunctionShield | None:
    """The shield on a function, if it has one. For a `SingletonFunction`, that of the function behind it."""
    attached = (owner_of(function) or function).node.try_find_child(ID)
    return attached if isinstance(attached, FunctionShield) else None


def attached_in(stage: StageShields) -> list[FunctionShield]:
    """Every shield of a stage."""
    return [shield for shield in stage.attached if isinstance(shield, FunctionShield)]
