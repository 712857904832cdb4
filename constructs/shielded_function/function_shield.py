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

from . import custom_resources, invariants
from .attached import AttachedShield
from .candidate import Candidate, ShieldOptions, log_class_of, make_layer
from .errors import ShieldError
from .function_facts import as_text
from .granted_policy import is_advice, is_unknown_grant, wants_grants, with_grants, without_grants
from .kinds import owner_of
from .layer import policy_layer
from .log_group import allow_writing, log_group_of_lambda
from .monitoring.descriptions import describe_function, watch_name
from .monitoring.function_filters import NO_FUNCTION
from .monitoring.resources import make_filter, make_watch_alarm, metric_of
from .monitoring.watches import (
    Counter,
    Watch,
    general_counter,
    policy_counter,
    severity_for,
    sum_counter,
)
from .names import (
    ACCOUNT_VARIABLE,
    LEFT_OUT,
    NEXT_WRAPPER_VARIABLE,
    OFF,
    POLICY_FILE,
    POLICY_FILE_VARIABLE,
    WRAPPER,
    WRAPPER_VARIABLE,
)
from .paths import find_constructs, path_of
from .policy import Explanation, ShieldPolicy
from .resolution import ResolvedPolicy, resolve_policy
from .resolution.exports import keep_exports
from .resolution.lengths import MAX_ENVIRONMENT, environment_size
from .stage_shields import StageShields, stack_shields
from .tokens import TEXT_TOKEN

if TYPE_CHECKING:
    from constructs import IConstruct
    from typing_extensions import Unpack

    from .function_facts import FunctionFacts
    from .granted import Grants
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
        given_policy: the original policy.
        alarm_options: the options of its alarms.
        unknown_grants: why its unset `allow_aws` became "all": the findings about its grants.
        stack_shields: the shields of its stack.
        owns_log_group: whether the shield created its log group.
        may_move_lines: whether it did so by default, not by an explicit option.
    """

    def __init__(self, candidate: Candidate, *, in_aspect: bool = False) -> None:
        """
        Args:
            candidate: the function, with the shield's options.
            in_aspect: whether aspects run already.
        """
        handle, options, facts = candidate.handle, candidate.options, candidate.facts
        layer = make_layer(handle, options, facts)
        try:
            super().__init__(handle.construct, ID)
        except RuntimeError as error:
            raise ShieldError(handle.path, [f"a construct in it has the id {ID}: give it another"]) from error
        self.handle = handle
        self.function = handle.construct
        self._options = options
        self.given_policy, self.alarm_options = options.policy, options.alarms
        self._targets: tuple[IConstruct | str, ...] = ()
        self.from_sweep: object | None = None
        self.is_monitored = False
        self.is_told = False
        self.in_aspect = in_aspect
        self._grants: Grants | None = None
        self.unknown_grants: Sequence[str] = ()
        self._answers: list[str] = []
        self.stack_shields = stack_shields(handle.stack)
        self._switch = self.stack_shields.shared.switch
        self._resolved: ResolvedPolicy | None = None
        self._settings: dict[str, Any] = {}
        self._longest = 0
        self._policy_layer: lambda_.ILayerVersion | None = None
        self._policy_lines = ""
        self._settle_failed = False  # an error was reported, and the function is unchanged
        self._is_synthesized = False
        self._layers_added: list[lambda_.ILayerVersion] = []
        self._variables_added: set[str] = set()
        self._architecture: Any = None
        self.layer = layer
        self._logs_alone = candidate.log_group is None
        self.owns_log_group = self._logs_alone and not options.logs.existing
        is_default = options.logs.existing is None and options.logs.log_group_name is None
        self.may_move_lines = self.owns_log_group and is_default
        self.log_group, self._log_group_name = self._log_group_for(candidate)
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
        return self._resolved.policy if self._resolved else self._given_policy()

    @property
    def wants_grants(self) -> bool:
        """Whether its policy has `allow_aws="granted"`, or leaves `allow_aws` unset."""
        return wants_grants(self._given_policy())

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
        before = self._targets
        self._targets = (*before, *targets)
        try:
            resolve_policy(without_grants(self._given_policy()), self.function)
        except ValueError:
            self._targets = before
            raise
        if self._resolved is not None:
            self.settle()

    def explain(self) -> tuple[Explanation, ...]:
        sources = self._resolved.sources if self._resolved else {}
        buckets = self._resolved.policy.allow_buckets if self._resolved else ()
        rows = [
            Explanation(
                "allow_buckets" if entry in buckets else "allow_outbound",
                TEXT_TOKEN.sub("<known at deployment>", entry),
                path,
            )
            for entry, path in sources.items()
        ]
        if self._answers:
            answers = f"it answers for {', '.join(self._answers)}"
            rows.append(Explanation("allow_outbound", "hosts of CloudFormation", answers))
        rows += [Explanation("allow_aws", "all", reason) for reason in self.unknown_grants]
        return (*rows, *(self._grants.explain() if self._grants else ()))

    @property
    def granted_hosts(self) -> Mapping[str, str]:
        """The entries of `allow_outbound` that come only from grants, each with its name in words."""
        entries = self._grants.entries if self._grants else ()
        sources = self._resolved.sources if self._resolved else {}
        listed = {str(entry).casefold() for entry in (*self._given_policy().allow_outbound, *sources)}
        hosts = {entry.text.casefold(): entry.name.removesuffix(": *") for entry in entries if entry.kind == "host"}
        return {text: name for text, name in hosts.items() if text not in listed}

    def name_of(self, entry: str) -> str:
        """An entry of the policy in words: its construct, or its text without tokens."""
        path = self._resolved.sources.get(entry) if self._resolved else None
        return path or self.granted_hosts.get(entry.casefold()) or TEXT_TOKEN.sub("<known at deployment>", entry)

    def _given_policy(self) -> ShieldPolicy:
        """The given policy, unresolved."""
        policy = self._options.policy
        if self._options.late_policy is not None:
            policy = self._options.late_policy(self.handle.resource) or policy
        if self._targets:
            policy = replace(policy, allow_outbound=(*policy.allow_outbound, *self._targets))
        return policy.with_mode("alert") if self._switch == "alert" else policy

    def metric_violations(self, control: Counted | None = None, **props: Unpack[MetricProps]) -> cloudwatch.Metric:
        if control is not None and control not in COUNTED:
            raise ShieldError(f"metric_violations: {control!r} is not a control; use one of {', '.join(COUNTED)}")
        counter = sum_counter(self._options.alarms) if control is None else policy_counter()
        self.count(counter)
        options: dict[str, Any] = {**props}
        return metric_of(counter, self._name, control, **options)

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
        if self._resolved is None and not self._settle_failed:
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
            self._resolved = self._resolve()
            facts = self.handle.read_late_facts()
            environment = facts.environment or {}
            if not self._layers_added:  # an aspect may have changed the architecture
                self.layer = make_layer(self.handle, self._options, facts)
                self._architecture = facts.architecture if self.layer and self._options.layer is None else None
            settings = self._settings_for(facts, self._resolved)
            layers = [layer for layer in self._layers if layer not in self._layers_added]
            if problems := invariants.layer_problems(facts, len(layers)):
                raise ShieldError(self.handle.path, problems)
            # The app's own variables stay, and the validation compares them with the policy.
            added = {n: v for n, v in settings.items() if n in self._variables_added or n not in environment}
            self.handle.add({**added, **_wrapper_in(environment)}, layers)
            self._settings = settings
            self._variables_added |= added.keys()
            if facts.is_conditional:
                self._take_condition()
            self._layers_added += layers
            self._settle_failed = False
        except ValueError as error:
            self._settle_failed = True
            self.stack_shields.shared.problems.append(str(error))

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
            self._resolved = self._resolve()
            keep_exports(self._resolved.environment.values(), self.handle.stack, *self.stack_shields.shared.importing)

    def state(self) -> dict[str, Any]:
        """The settings of the shield, unresolved: a stack resolves those of all its functions at once."""
        return {
            "settings": self._settings,
            "layers": [self.stack_shields.arn_of(layer) for layer in self._layers],
            "log_group": self._log_group_name,
            "until": str(self._given_policy().until or ""),
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
            *invariants.late_problems(facts, settings, self._longest),
            *invariants.log_group_problems(facts.logging.get("logGroup"), state.get("log_group"), log_class),
        ]

    def _resolve(self) -> ResolvedPolicy:
        policy = self._given_policy()
        if wants_grants(policy):
            policy = self._with_grants(policy, self.stack_shields.shared.grants_of(self.handle.path))
        elif policy.allow_aws is None:
            policy = replace(policy, allow_aws="all")
        self._answers = self.stack_shields.shared.answered_by(self.handle.path)
        if self._answers and not custom_resources.admits_answers(policy):
            policy = replace(
                policy, allow_outbound=(*policy.allow_outbound, *custom_resources.answer_hosts(self.handle.stack))
            )
        return resolve_policy(policy, self.function)

    def _with_grants(self, policy: ShieldPolicy, grants: Grants) -> ShieldPolicy:
        """The policy with the grants, or with all of AWS where it leaves `allow_aws` unset and they are unknown."""
        warnings = grants.warnings
        if policy.allow_aws is None:
            found = (*grants.problems, *warnings)
            self.unknown_grants = self.unknown_grants or [each.message for each in found if is_unknown_grant(each)]
            if self.unknown_grants:
                self._grants = None
                return replace(policy, allow_aws="all")
            warnings = [each for each in warnings if not is_advice(each)]
        elif grants.problems:
            raise ShieldError(self.handle.path, [finding.message for finding in grants.problems])
        for finding in warnings:
            cdk.Annotations.of(self.function).add_warning_v2(finding.id, finding.message)
        self._grants = grants
        return with_grants(policy, grants)

    @property
    def _layers(self) -> list[lambda_.ILayerVersion]:
        """The shield's layers: itself, and the policy's file."""
        return [layer for layer in (self.layer, self._policy_layer) if layer]

    def _settings_for(self, facts: FunctionFacts, resolved: ResolvedPolicy) -> dict[str, Any]:
        """The variables of a policy; the part beyond Lambda's 4 KB becomes a file in a separate layer."""
        own = {n: v for n, v in (facts.environment or {}).items() if n not in self._variables_added}
        own = {**own, ACCOUNT_VARIABLE: self.stack_shields.account, WRAPPER_VARIABLE: WRAPPER}
        settings = {**resolved.environment, ACCOUNT_VARIABLE: self.stack_shields.account_text}
        self._longest = resolved.longest
        room = MAX_ENVIRONMENT - environment_size(own)
        if resolved.longest <= room or self._options.in_image:
            return settings
        kept, lines = resolved.policy.to_env_and_lines()
        if self._policy_layer is None:
            self._policy_layer = policy_layer(self, lines)
            self._policy_lines = lines
        elif lines != self._policy_lines:
            raise ShieldError(self.handle.path, ["the policy's lists changed after the synthesis: change them before"])
        saved = environment_size(resolved.environment) - environment_size(kept)
        self._longest = resolved.longest - saved
        return {**kept, POLICY_FILE_VARIABLE: POLICY_FILE, ACCOUNT_VARIABLE: settings[ACCOUNT_VARIABLE]}

    def _log_group_for(self, candidate: Candidate) -> tuple[logs.ILogGroup, str | None]:
        """The function's log group, and its name, unless its logging configuration lacks it."""
        given = candidate.log_group
        if self.owns_log_group:
            return self._options.logs.make(self, self._given_log_group_name())
        if given is None:
            return log_group_of_lambda(self, self.handle.name), None
        return given, given.log_group_name if "logGroup" in candidate.facts.logging else None

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
        policy = self._options.policy.with_mode("alert") if self._switch == "alert" else self._options.policy
        return severity_for(watch, vars(policy))

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


def _wrapper_in(environment: Mapping[str, Any]) -> dict[str, str]:
    """The shield as the exec wrapper, and the previous wrapper as the next one."""
    current = environment.get(WRAPPER_VARIABLE)
    if current == WRAPPER:
        return {}
    chained = {} if current is None else {NEXT_WRAPPER_VARIABLE: as_text(current)}
    return {**chained, WRAPPER_VARIABLE: WRAPPER}


def attached_to(function: IConstruct) -> FunctionShield | None:
    """The shield on a function, if it has one. For a `SingletonFunction`, that of the function behind it."""
    attached = (owner_of(function) or function).node.try_find_child(ID)
    return attached if isinstance(attached, FunctionShield) else None


def attached_in(stage: StageShields) -> list[FunctionShield]:
    """Every shield of a stage."""
    return [shield for shield in stage.attached if isinstance(shield, FunctionShield)]
