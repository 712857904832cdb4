"""`ShieldedFunction`: `aws_lambda.Function`, shielded."""

from __future__ import annotations

from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs
from constructs import Construct, IConstruct
from typing_extensions import Unpack

from shielded_function_monitoring.filters import Counted

from ..alarms.alarm_options import AlarmOptions
from ..keywords import by_name
from ..policy import ShieldPolicy
from .log_group import LogOptions
from .shield import AttachedShield, attach, policy_or_default, shield_options

if TYPE_CHECKING:
    from .props import FunctionProps, MetricProps


@cache
def _options_of_function() -> list[str]:
    """The options of `Function` in the installed CDK."""
    return list(signature(lambda_.Function.__init__).parameters)


class ShieldedFunction(lambda_.Function):
    """A Lambda function whose code is confined by its policy. It accepts all arguments of `Function`.

        ShieldedFunction(
            self,
            "Checkout",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="app.handler",
            code=lambda_.Code.from_asset("src"),
            policy=ShieldPolicy(allow_outbound=("api.stripe.com:443",)),
            alarms=AlarmOptions(actions=[cloudwatch_actions.SnsAction(topic)]),
        )

    Besides the function it creates a layer (shared within the stack), a log group unless one is given, a metric filter
    and an alarm. For other classes of functions, such as `PythonFunction` and `NodejsFunction`, use `Shield`.
    """

    @by_name("ShieldedFunction", known=_options_of_function)
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        policy: ShieldPolicy | None = None,
        alarms: AlarmOptions | None = None,
        logs: LogOptions | None = None,
        shield_layer: lambda_.ILayerVersion | str | None = None,
        **props: Unpack[FunctionProps],
    ) -> None:
        """
        Args:
            scope: the parent.
            id: the construct id.
            policy: the policy of the function's code; by default it admits only the AWS services of its role's grants
                (`ShieldPolicy()`).
            alarms: options of its alarms; by default they take no action (`AlarmOptions()`).
            logs: options of the log group that is created unless `log_group` is given. `log_removal_policy` is one of
                them, and may also be given as an argument of `Function`.
            shield_layer: a layer with the shield, or its ARN, instead of the package's layer.
            props: the arguments of `aws_lambda.Function`.

        Raises:
            ShieldError: it cannot be shielded; the message has the construct path and the reason. Or an option is
                malformed.
        """
        removal: Any = props.get("log_removal_policy")
        if removal is not None and logs is None:
            logs = LogOptions(removal_policy=removal)
        given = policy_or_default(policy)
        options = shield_options(alarms, logs, shield_layer)
        super().__init__(scope, id, **props)
        self._attached: AttachedShield | None = None
        try:
            self._attached = attach(self, given, options)
        except Exception:
            scope.node.try_remove_child(id)  # code that catches the error must not deploy it without a shield
            raise

    @property
    def shield(self) -> AttachedShield:
        """The shield: its policy, layer, log group, metric filters and alarms."""
        assert self._attached is not None, "set in __init__"
        return self._attached

    @property
    def log_group(self) -> aws_logs.ILogGroup:
        """The function's log group. Unlike `Function`'s, reading it adds nothing to the stack."""
        return self._attached.log_group if self._attached else super().log_group

    def allow_to(self, *targets: IConstruct | str) -> None:
        """Allows connections to resources of the app: adds their hosts to the policy.

            checkout.allow_to(database, orders_bucket, "api.stripe.com:443")

        Args:
            targets: constructs, such as a database, a bucket, an API or a VPC (see `ShieldPolicy.allow_outbound`), or
                entries of `allow_outbound`. A bucket narrows S3, like `allow_buckets`.

        Raises:
            ShieldPolicyError: a construct has no host, or an entry is malformed.
        """
        self.shield.allow_to(*targets)

    def metric_violations(self, control: Counted | None = None, **props: Unpack[MetricProps]) -> cloudwatch.Metric:
        """The function's violations: a sum by minute, unless `props` differ.

            fn.metric_violations(period=Duration.hours(1))
            fn.metric_violations("read_handler").create_alarm(self, "Read", threshold=9, evaluation_periods=1)

        Args:
            control: counts only violations against this control; `start` counts starts that were refused, or
                unshielded. The first call adds a metric filter that counts by control. By default the violations of the
                function's general alarms: without `read_handler` (unless `count_read_handler`), and without controls
                that have a `ControlAlarm`.
            props: options of the metric.
        """
        return self.shield.metric_violations(control, **props)
