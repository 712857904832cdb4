"""`ShieldFindings`: one EventBridge event for each new violation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from shielded_function_monitoring.filters import SEVERITIES, Severity, longest_of_functions, of_functions, violations
from shielded_function_monitoring.pattern import MAX_LENGTH

from ..alarms.alarm_options import AlarmOptions, check_switch
from ..errors import ShieldError
from ..keywords import by_name
from ..layer.archive import MemberFile, write_zip
from ..layer.versions import zip_code
from ..policy import ShieldPolicy
from ..reading.late import check_late, late_text
from ..shield.function_shield import attached_in
from ..shield.log_group import LogOptions
from ..shield.scope import is_within, outermost
from ..shield.shielded_function import ShieldedFunction
from ..shield.stage import stack_shields, stage_shields
from .handler.shield_findings import ocsf

if TYPE_CHECKING:
    from ..shield.function_shield import FunctionShield

_HANDLER: Final = Path(__file__).parent / "handler"
_MODE: Final = 0o644
_KEY: Final = "id"
_EXPIRES: Final = "expires"
_MOST_AN_HOUR: Final = 50


class EventTarget(Protocol):
    """`aws_events.IRuleTarget`, in the form of the classes of `aws_events_targets`.

    Their parameters have other names, so a type checker does not accept them as `IRuleTarget`.
    """

    def bind(self, rule: Any, id: str | None = None, /) -> events.RuleTargetConfig:
        """The target of the rule."""
        ...


class ShieldFindings(Construct):
    """Reports new violations, not their repetitions.

        findings = ShieldFindings(self, "Findings")  # of this stack
        findings.tell("Pager", [targets.SnsTopic(topic)], severities=["critical"])

    A small function, itself shielded, reads the violation lines of the functions by a subscription filter on each log
    group. For each new combination of function, control, target and package, it puts one event on a bus. The event's
    detail is a Detection Finding of OCSF. A table keeps the known findings; one that was not seen again for `remember`
    is deleted.

    A log group allows two subscription filters: one is used. A function in another stack gets it in that stack,
    which is then deployed after this one.

    Attributes:
        function: the function.
        table: the known findings.
        event_bus: the bus of the events.
        subscriptions: the subscription filters, by the first shield that each serves.
    """

    PREFIX: Final = "Findings"
    """The beginning of the subscription filters' construct ids."""

    @by_name("ShieldFindings")
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        of: IConstruct | None = None,
        event_bus: events.IEventBus | None = None,
        remember: cdk.Duration | None = None,
        count_read_handler: bool = False,
        security_hub: bool = False,
        alarms: AlarmOptions | None = None,
    ) -> None:
        """
        Args:
            scope: the parent.
            id: the construct id.
            of: a stack, a stage, the app, or a construct in it; by default the stack of the construct. The functions in
                it and in the same stage, account and region are covered, also those shielded later.
            event_bus: the bus of the events; by default the account's default bus.
            remember: how long a finding is known after its last violation; by default 90 days, at least one.
            count_read_handler: also reports reads of the handler's source, which Python does when it logs an exception.
            security_hub: sends the findings to AWS Security Hub, which the account must have enabled.
            alarms: the alarms on this function; by default one without an action.

        Raises:
            ShieldError: an argument is malformed.
        """
        super().__init__(scope, id)
        path = self.node.path
        keep = cdk.Duration.days(90) if remember is None else remember
        try:
            for name, switch in (("count_read_handler", count_read_handler), ("security_hub", security_hub)):
                check_switch(name, switch)
        except ValueError as error:
            raise ShieldError(path, [str(error)]) from None
        if not isinstance(keep, cdk.Duration) or keep.to_seconds() < cdk.Duration.days(1).to_seconds():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ShieldError(path, [f"remember: {remember!r} is no cdk.Duration of a day or more"])
        stack = cdk.Stack.of(self)
        self._of = stack if of is None else of
        if not isinstance(self._of, Construct):
            raise ShieldError(path, [f"of: {of!r} is no construct: write a stack, a stage or the app"])
        self._pattern = violations(without=[] if count_read_handler else ["read_handler"]).render()
        self.event_bus = event_bus or events.EventBus.from_event_bus_name(self, "DefaultBus", "default")
        self.table = dynamodb.Table(
            self,
            "Seen",
            partition_key=dynamodb.Attribute(name=_KEY, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=_EXPIRES,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # without it, all findings are new again
        )
        self._own_path = f"{path}/Function"
        self._filtered: dict[tuple[cdk.Stack, str], list[str]] = {}
        self.subscriptions: dict[FunctionShield, logs.CfnSubscriptionFilter] = {}
        self.function = self._make_function(keep, security_hub=security_hub, alarms=alarms)
        self._permission = lambda_.CfnPermission(
            self,
            "Logs",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="logs.amazonaws.com",
            source_account=stack.account,
            source_arn=stack.format_arn(
                service="logs", resource="log-group", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
            ),
        )
        if security_hub:
            function: Any = self.function
            self.tell("SecurityHub", [targets.LambdaFunction(function)])
        shields = stage_shields(self)
        shields.observers.append(self._cover)
        for attached in attached_in(shields):
            self._cover(attached)
        check_late(self, self.problems)  # a part that reads nothing would look like one without violations

    def tell(
        self, id: str, targets: Sequence[EventTarget], *, severities: Sequence[Severity] | None = None
    ) -> events.Rule:
        """Sends findings to targets of EventBridge: a topic, a queue, a function, an API destination (a webhook).

        Args:
            id: the rule's construct id.
            targets: of `aws_cdk.aws_events_targets`.
            severities: only findings of these: critical, warning, notice.

        Returns:
            The rule.

        Raises:
            ShieldError: there is no such severity.
        """
        unknown = [each for each in severities or () if each not in SEVERITIES]
        if unknown or severities == []:
            known = ", ".join(SEVERITIES)
            raise ShieldError(self.node.path, [f"severities: {unknown or severities!r} is none of {known}"])
        return findings_rule(self, id, self.event_bus, targets, severities)

    def _make_function(
        self, keep: cdk.Duration, *, security_hub: bool, alarms: AlarmOptions | None
    ) -> ShieldedFunction:
        services = ["dynamodb", "events", *(["securityhub"] if security_hub else [])]
        function = ShieldedFunction(
            self,
            "Function",
            description="Reports new violations of shielded functions",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="shield_findings.main.handler",
            code=zip_code(cdk.Stack.of(self), _code()),
            memory_size=256,
            timeout=cdk.Duration.seconds(30),
            retry_attempts=2,
            environment={
                "TABLE": self.table.table_name,
                "EVENT_BUS": self.event_bus.event_bus_name,
                "REMEMBER_SECONDS": str(int(keep.to_seconds())),
                "MOST_AN_HOUR": str(_MOST_AN_HOUR),
                "PRODUCT_VERSION": version("shielded-function"),
            },
            policy=ShieldPolicy(allow_aws=services),
            alarms=alarms or AlarmOptions(),
            logs=LogOptions(existing=False),
            runtime_management_mode=lambda_.RuntimeManagementMode.FUNCTION_UPDATE,
        )
        self.table.grant(function, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
        self.event_bus.grant_put_events_to(function)
        if security_hub:
            stack = cdk.Stack.of(self)
            product = stack.format_arn(
                service="securityhub", resource="product", resource_name=f"{stack.account}/default"
            )
            function.add_to_role_policy(
                iam.PolicyStatement(actions=["securityhub:BatchImportFindings"], resources=[product])
            )
        return function

    def _cover(self, attached: FunctionShield) -> None:
        """Subscribes to the lines of a shielded function, except this function, which would loop forever."""
        path = attached.handle.path
        if path == self._own_path:
            attached.is_told = True  # it reaches nothing but the table and the bus
        if path == self._own_path or not is_within(path, self._of):
            return
        home = stack_shields(cdk.Stack.of(self))
        if attached.stack_shields.environment != home.environment:
            return
        attached.is_told = True
        key = attached.handle.stack, attached.log_group_name
        names = self._filtered.setdefault(key, [])
        if attached.handle.name in names:
            return
        names.append(attached.handle.name)
        if len(names) > 1:  # the log group already has its filter
            return
        resource = logs.CfnSubscriptionFilter(
            attached,
            f"{self.PREFIX}{self.node.addr[-8:]}",
            log_group_name=attached.log_group_name,
            destination_arn=self.function.function_arn,
            filter_pattern=late_text(partial(_pattern_of, self._pattern, names)),
        )
        self.subscriptions[attached] = resource
        if outermost(attached.handle.stack) is outermost(home.stack):
            resource.node.add_dependency(self._permission)

    def problems(self) -> list[str]:
        """Errors for the CDK where it covers no function, when every function is known."""
        if self._filtered:
            return []
        return [
            "ShieldFindings: `of` contains no shielded function of its stage, account and region: nothing would be read"
        ]


def findings_rule(
    scope: Construct,
    id: str,
    event_bus: events.IEventBus | None,
    targets: Sequence[EventTarget],
    severities: Sequence[Severity] | None,
) -> events.Rule:
    """A rule that sends the findings on a bus, by default the account's default bus, to targets."""
    wanted = {"severity_id": [ocsf.SEVERITIES[each][0] for each in severities]} if severities else {}
    rule_targets: Any = list(targets)
    return events.Rule(
        scope,
        id,
        event_bus=event_bus,
        description="First-seen findings of shielded functions",
        event_pattern=events.EventPattern(
            source=[ocsf.SOURCE],
            detail_type=[ocsf.DETAIL_TYPE],
            detail={"class_uid": [ocsf.CLASS], **wanted},
        ),
        targets=rule_targets,
    )


def _pattern_of(pattern: str, names: Sequence[str]) -> str:
    """The pattern of these functions' lines, where it fits, as a function's output can name any other function."""
    fits = longest_of_functions(pattern, names) <= MAX_LENGTH
    return of_functions(pattern, names) if fits else pattern


def _code() -> bytes:
    """The function's code, the same bytes wherever this package is installed."""
    files = sorted(_HANDLER.glob("*/*.py"))
    return write_zip({file.relative_to(_HANDLER).as_posix(): MemberFile(file.read_bytes(), _MODE) for file in files})
