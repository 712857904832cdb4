"""`Shield`: puts a policy, its layer, its log group, its metric and its alarm on any Lambda function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct, IValidation

from shielded_function_monitoring import NAMESPACE, Policy, metric_name, violations

from . import validation
from .alarms import ShieldAlarms
from .errors import ShieldError
from .inspection import as_text, disclose, inspect, resource_of
from .layer import WRAPPER, missing_binaries, shield_layer
from .policy import ShieldPolicy
from .validation import ACCOUNT_VARIABLE, NEXT_WRAPPER_VARIABLE, WRAPPER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from .inspection import FunctionFacts
    from .props import MetricProps

_ID: Final = "Shield"
_PERIOD: Final = cdk.Duration.minutes(1)
_SHARED_LOG_GROUP: Final = "shielded-function:logGroup"

# After every other aspect that changes something, before those that only read (AspectPriority.READONLY is 1000).
_ASPECT_PRIORITY: Final = 900


class Shield(cdk.Mixin):
    """A policy that can be put on any `aws_lambda.Function`; a CDK mixin.

    One function, any class of function, or every function of an app:

        checkout.with_(Shield(ShieldPolicy(allow_outbound=("api.stripe.com:443",))))
        attached = Shield(ShieldPolicy.alert()).apply(resize_images)
        cdk.Mixins.of(app).apply(Shield())

    `with_` and `Mixins` pass over what cannot carry a shield (other constructs) and what carries one already, so the
    policy that was given first stays. `apply` takes nothing but a function without a shield.
    """

    def __init__(self, policy: ShieldPolicy | None = None, alarms: ShieldAlarms | None = None) -> None:
        """
        Args:
            policy: what the function's code may do; by default nothing but AWS (`ShieldPolicy()`).
            alarms: options of its alarm; by default one that takes no action (`ShieldAlarms()`).
        """
        super().__init__()
        self.policy = policy or ShieldPolicy()
        self.alarms = alarms or ShieldAlarms()

    def supports(self, construct: IConstruct) -> bool:
        """Whether it is a Lambda function without a shield."""
        return isinstance(construct, lambda_.Function) and Shield.of(construct) is None

    def apply_to(self, construct: IConstruct) -> None:
        """The mixin's side of `apply`."""
        if not isinstance(construct, lambda_.Function):
            raise ShieldError(construct.node.path, ["only an aws_lambda.Function can be shielded"])
        self.apply(construct)

    def apply(self, function: lambda_.Function) -> AttachedShield:
        """Shields a function.

        Raises:
            ShieldError: it cannot be shielded; the message says why, and nothing was changed.
        """
        if Shield.of(function) is not None:
            raise ShieldError(function.node.path, ["it has a shield already: give it one policy"])
        return AttachedShield(function, _ID, policy=self.policy, alarms=self.alarms)

    @staticmethod
    def of(function: lambda_.Function) -> AttachedShield | None:
        """The shield on a function, if it has one."""
        attached = function.node.try_find_child(_ID)
        return attached if isinstance(attached, AttachedShield) else None


class AttachedShield(Construct):
    """A shield on one function. Made by `Shield.apply` and `ShieldedFunction`.

    Attributes:
        function: the function.
        policy: what its code may do.
        layer: the layer with the shield, shared by the functions of the stack and architecture.
        log_group: where the function logs.
        metric_filter: counts the violations in the log.
        alarm: on that count; None when the alarms are not enabled.
    """

    def __init__(
        self, scope: lambda_.Function, construct_id: str, *, policy: ShieldPolicy, alarms: ShieldAlarms
    ) -> None:
        facts = inspect(scope)
        settings = {**policy.to_env(), ACCOUNT_VARIABLE: scope.stack.resolve(scope.stack.account)}
        given_log_group = _log_group_of(scope, facts)
        problems = [
            *validation.unsupported(facts, settings),
            *validation.log_class_problems(_log_class(given_log_group)),
            *missing_binaries(facts.architecture),
        ]
        if problems:
            raise ShieldError(facts.path, problems)

        super().__init__(scope, construct_id)
        self.function = scope
        self.policy = policy
        self.layer = shield_layer(scope, scope.architecture)
        self.log_group = given_log_group or self._make_log_group(facts)
        self._settings = settings
        scope.add_layers(self.layer)
        for name, value in settings.items():
            scope.add_environment(name, as_text(value))
        self.chain_wrapper()
        self._filters: dict[str, logs.MetricFilter] = {}
        self.metric_filter = self._filter(None)
        self.alarm = self._make_alarm(alarms) if alarms.enabled else None
        self._logging = disclose(scope).get("loggingConfig")
        self._warn(facts)
        cdk.Aspects.of(scope).add(_ChainLateWrapper(self), priority=_ASPECT_PRIORITY)
        scope.node.add_validation(_Invariants(self))

    def metric_violations(self, policy: Policy | None = None, **props: Unpack[MetricProps]) -> cloudwatch.Metric:
        """The function's violations: how many a minute, as a sum, unless `props` say otherwise.

            attached.metric_violations(period=Duration.hours(1))
            attached.metric_violations("outbound_connectivity").create_alarm(self, "Egress", ...)

        Args:
            policy: only those against one policy. The first call for a policy adds a metric filter for it. Without,
                every policy's, and also starts that were refused or went on unshielded.
            props: options of the metric.
        """
        options: MetricProps = {"statistic": cloudwatch.Stats.SUM, "period": _PERIOD, **props}
        return self._filter(policy).metric(**options)

    def chain_wrapper(self) -> None:
        """Makes the shield the function's exec wrapper, and the wrapper it had before the one that runs next."""
        current = inspect(self.function).environment.get(WRAPPER_VARIABLE)
        if current == WRAPPER:
            return
        if current is not None:
            self.function.add_environment(NEXT_WRAPPER_VARIABLE, as_text(current))
        self.function.add_environment(WRAPPER_VARIABLE, WRAPPER)

    def problems(self) -> list[str]:
        """Which of the shield's invariants the function has lost since; checked at synthesis."""
        resolve = self.function.stack.resolve
        logging: dict[str, Any] = resolve(self._logging) or {}
        applied = validation.Application(
            environment=self._settings,
            layer=resolve(self.layer.layer_version_arn),
            log_group=logging.get("logGroup"),
            log_class=_log_class(self.log_group),
        )
        return validation.broken(inspect(self.function), applied)

    def _make_log_group(self, facts: FunctionFacts) -> logs.LogGroup:
        """A log group of the function's own, with the CDK's defaults: kept for two years, and retained.

        Not named /aws/lambda/...: Lambda has already made that one for a function that ran before.
        """
        log_group = logs.LogGroup(self, "LogGroup")
        kept = {name: as_text(value) for name, value in facts.logging.items()}
        resource_of(self.function).logging_config = lambda_.CfnFunction.LoggingConfigProperty(
            log_group=log_group.log_group_name,
            log_format=kept.get("logFormat"),
            application_log_level=kept.get("applicationLogLevel"),
            system_log_level=kept.get("systemLogLevel"),
        )
        return log_group

    def _filter(self, policy: Policy | None) -> logs.MetricFilter:
        name = policy or "violations"
        if name not in self._filters:
            self._filters[name] = logs.MetricFilter(
                self,
                f"{name}Filter",
                log_group=self.log_group,
                filter_pattern=logs.FilterPattern.literal(violations(policy).render()),
                metric_namespace=NAMESPACE,
                metric_name=metric_name(self.function.function_name, policy),
                metric_value="1",
            )
        return self._filters[name]

    def _make_alarm(self, alarms: ShieldAlarms) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            "Alarm",
            metric=self.metric_violations(),
            alarm_description=(
                f"The shield of {self.function.node.path} denied or reported something, refused to start, "
                'or let it run unshielded: see the lines with "function_shield" in its log.'
            ),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            threshold=alarms.threshold,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(*cast("Sequence[cloudwatch.IAlarmAction]", alarms.actions))
        alarm.add_ok_action(*cast("Sequence[cloudwatch.IAlarmAction]", alarms.ok_actions))
        return alarm

    def _warn(self, facts: FunctionFacts) -> None:
        annotations = cdk.Annotations.of(self.function)
        if facts.code_signing:
            annotations.add_warning_v2(
                "shielded-function:codeSigning",
                "The function has a code-signing configuration. If it enforces, Lambda refuses the shield's layer, "
                "which is not signed.",
            )
        entries = self.log_group.node.metadata
        others = [entry.data for entry in entries if entry.type == _SHARED_LOG_GROUP]
        if others:
            annotations.add_warning_v2(
                "shielded-function:sharedLogGroup",
                f"It logs to the log group of {others[0]}. Alert lines do not name their function, so the alarm of "
                "each counts the violations of both. Give each function a log group of its own.",
            )
        self.log_group.node.add_metadata(_SHARED_LOG_GROUP, self.function.node.path)


@jsii.implements(cdk.IAspect)
class _ChainLateWrapper:
    """Chains an exec wrapper that was set after the shield was applied."""

    def __init__(self, attached: AttachedShield) -> None:
        self._attached = attached

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK for the function and everything in it."""
        if node is self._attached.function:
            self._attached.chain_wrapper()


@jsii.implements(IValidation)
class _Invariants:
    """Fails the synthesis when something took the shield off again."""

    def __init__(self, attached: AttachedShield) -> None:
        self._attached = attached

    def validate(self) -> list[str]:
        """Called by the CDK at synthesis, which puts the construct path in front."""
        return self._attached.problems()


def _log_group_of(function: lambda_.Function, facts: FunctionFacts) -> logs.ILogGroup | None:
    """The log group that the function has. Asking a function without one makes the CDK add a custom resource."""
    made = any(isinstance(child, (logs.LogGroup, logs.LogRetention)) for child in function.node.children)
    return function.log_group if made or "logGroup" in facts.logging else None


def _log_class(log_group: logs.ILogGroup | None) -> str | None:
    resource = log_group.node.default_child if log_group else None
    return resource.log_group_class if isinstance(resource, logs.CfnLogGroup) else None
