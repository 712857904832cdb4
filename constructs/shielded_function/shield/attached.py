"""The interfaces of a shield on one function, for users and for its stage. function_shield.py implements them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import jsii
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import IConstruct
    from typing_extensions import Unpack

    from shielded_function_monitoring.filters import Counted

    from ..policy import Explanation, ShieldPolicy
    from ..reading.functions import FunctionHandle
    from .props import MetricProps


class AttachedShield(Construct, metaclass=jsii.JSIIAbstractClass):
    """A shield on one function. Created by `Shield.apply` and `ShieldedFunction`.

    Attributes:
        function: the function.
        layer: the layer with the shield, shared by the functions of the stack and architecture; None for a container
            image, and with the context `shield=off`.
        log_group: the function's log group.
        metric_filter: counts the violations in the log; the first of several filters.
        alarm: the alarm on that count; the first of `alarms`, which is the critical one. None for disabled alarms.
        alarms: all alarms on the function, or on its fleet: by "critical", "rest", severity or control.
    """

    function: lambda_.Function | lambda_.CfnFunction
    layer: lambda_.ILayerVersion | None
    log_group: logs.ILogGroup
    metric_filter: logs.MetricFilter
    alarm: cloudwatch.Alarm | None
    alarms: Mapping[str, cloudwatch.Alarm]

    @property
    @abstractmethod
    def policy(self) -> ShieldPolicy:
        """The policy in force.

        It includes the additions of `allow_to`. Hosts of constructs, the grants of `allow_aws="granted"` and policies
        by tag are in it from the synthesis on.
        """

    @abstractmethod
    def allow_to(self, *targets: IConstruct | str) -> None:
        """Allows connections to resources of the app: adds their hosts to the policy.

            checkout.shield.allow_to(database, orders_bucket, "api.stripe.com:443")

        Args:
            targets: constructs, such as a database, a bucket, an API or a VPC (see `ShieldPolicy.allow_outbound`), or
                entries of `allow_outbound`. A bucket narrows S3, like `allow_buckets`.

        Raises:
            ShieldPolicyError: a construct has no host, or an entry is malformed.
        """

    @abstractmethod
    def explain(self) -> tuple[Explanation, ...]:
        """The source of each policy entry: the construct, or the grant. Complete after the synthesis."""

    @abstractmethod
    def metric_violations(self, control: Counted | None = None, **props: Unpack[MetricProps]) -> cloudwatch.Metric:
        """The function's violations: a sum by minute, unless `props` differ.

            attached.metric_violations(period=Duration.hours(1))
            attached.metric_violations("outbound_connectivity").create_alarm(self, "Egress", ...)

        Args:
            control: counts only violations against this control; `start` counts starts that were refused, or
                unshielded. By default the violations of the function's two general alarms: without `read_handler`
                (unless `count_read_handler`), and without controls that have a `ControlAlarm`. The first call adds a
                metric filter where needed.
            props: options of the metric.

        Raises:
            ShieldError: there is no such control.
        """


class StagedShield(Protocol):
    """The interface of a shield for its stage.

    Attributes:
        handle: its function.
        alarms: its alarms, or those of its fleet.
        log_group: its log group.
        owns_log_group: whether the shield created its log group.
        may_move_lines: whether it did so by default, not by an explicit option, so that its lines may move there.
    """

    handle: FunctionHandle
    alarms: Mapping[str, cloudwatch.Alarm]
    log_group: logs.ILogGroup
    owns_log_group: bool
    may_move_lines: bool

    @property
    def wants_grants(self) -> bool:
        """Whether its policy has `granted`, or an unset `allow_aws`."""
        ...

    @property
    def unknown_grants(self) -> Sequence[str]:
        """Why its unset `allow_aws` became "all"."""
        ...

    def state(self) -> dict[str, Any]:
        """Its parts, unresolved, for `problems` and the record in the metadata (`SHIELD`)."""
        ...

    def problems(self, now: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
        """The settings that were lost after the shield was applied."""
        ...
