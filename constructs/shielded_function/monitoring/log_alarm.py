"""CloudWatch's log alarm: an alarm on a query, whose notifications contain the lines.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-logalarm.html. It needs a
role that runs the query and one that fetches the lines. The page does not name the service that assumes them: both
roles trust CloudWatch and CloudWatch Logs, for this account alone. This has not run in AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from shielded_function_monitoring.filters import Counted
from shielded_function_monitoring.queries import LINE_FIELDS, counted

from ..errors import ShieldError
from ..late import check_late, late_any, late_list
from .dashboard_body import MAX_SOURCES
from .descriptions import PREFIX, describe_stack

if TYPE_CHECKING:
    from ..function_shield import FunctionShield

LINES: Final = 20
"""Lines in a notification; CloudWatch allows 50."""
_MINUTE: Final = 60
_KNOWN_TO_HAVE_IT: Final = "2.275"
_ID: Final = "ShieldedLogAlarm"
_OF_NO_RESOURCE: Final = ["logs:StopQuery", "logs:GetQueryResults", "logs:DescribeLogGroups"]
"""Actions on a query, which has no ARN."""


class Topic(Protocol):
    """The used members of an `aws_sns.ITopic`."""

    @property
    def topic_arn(self) -> str:
        """Its ARN."""
        ...


def check_log_alarm(path: str) -> None:
    """Checks that the installed aws-cdk-lib has the resource.

    Raises:
        ShieldError: it lacks the resource.
    """
    if not hasattr(cloudwatch, "CfnLogAlarm"):
        raise ShieldError(
            path,
            [
                f"log_alarm_topics: aws-cdk-lib {version('aws-cdk-lib')} has no CloudWatch log alarm (CfnLogAlarm): "
                f"upgrade it to {_KNOWN_TO_HAVE_IT} or later, or leave this out"
            ],
        )


class LogAlarmOf:
    """Creates a log alarm in each stack of functions."""

    def __init__(self, topics: Sequence[Topic], policies: Sequence[Counted]) -> None:
        self._topics = topics
        self._policies = policies
        self._made: dict[cdk.Stack, _LogAlarm] = {}

    def add(self, attached: FunctionShield) -> None:
        """Adds the log group of a function."""
        if not self._topics:
            return
        stack = attached.handle.stack
        if stack not in self._made:
            self._made[stack] = _LogAlarm(stack, self._topics, self._policies)
        self._made[stack].add(attached.log_group_name)


def log_alarm_of(stack: cdk.Stack) -> Any:
    """The log alarm of a stack, a CfnLogAlarm; None where it has none."""
    made = stack.node.try_find_child(_ID)
    return made.resource if isinstance(made, _LogAlarm) else None


class _LogAlarm(Construct):
    """Fires when the lines of a minute contain a violation."""

    def __init__(self, stack: cdk.Stack, topics: Sequence[Topic], policies: Sequence[Counted]) -> None:
        super().__init__(stack, _ID)
        self.names: list[str] = []
        # A list token, so that log groups of later functions are in it.
        self.groups = late_list(lambda: self.names)
        arns: Any = late_any(self._arns)
        runs = self._role("Query", ["logs:StartQuery"], arns)
        fetches = self._role("Lines", ["logs:StartQuery", "logs:GetLogEvents", "logs:FilterLogEvents"], arns)
        kind: Any = cloudwatch.CfnLogAlarm
        name = f"{PREFIX}-lines-{stack.stack_name}"
        self.resource = kind(
            self,
            "Resource",
            alarm_name=name,
            alarm_description=describe_stack(stack.stack_name, stack.region, name),
            alarm_actions=[topic.topic_arn for topic in topics],
            action_log_line_count=LINES,
            action_log_line_role_arn=fetches.role_arn,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            query_results_to_alarm=1,
            query_results_to_evaluate=1,
            treat_missing_data="notBreaching",
            scheduled_query_configuration=kind.ScheduledQueryConfigurationProperty(
                aggregation_expression="sum(`count`)",
                query_string=f"{LINE_FIELDS} | {counted(policies)}",
                log_group_identifiers=self.groups,
                scheduled_query_role_arn=runs.role_arn,
                schedule_configuration=kind.ScheduleConfigurationProperty(
                    schedule_expression="rate(1 minute)", start_time_offset=2 * _MINUTE, end_time_offset=_MINUTE
                ),
            ),
        )
        check_late(self, self._problems)

    def _arns(self) -> list[str]:
        """The log groups, and their lines."""
        stack = cdk.Stack.of(self)
        begin = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:"
        return [f"{begin}{name}{end}" for name in self.names for end in ("", ":*")]

    def _problems(self) -> list[str]:
        """The problems that CloudWatch would report only at deployment."""
        count = len(self.names)
        if count <= MAX_SOURCES:
            return []
        return [
            f"{self.node.path}: log_alarm_topics: {count} log groups in the stack, of which a log alarm takes "
            f"{MAX_SOURCES}: take more stacks, or leave the log alarm out"
        ]

    def add(self, log_group_name: str) -> None:
        """Adds a log group to the query."""
        if log_group_name not in self.names:
            self.names.append(log_group_name)

    def _role(self, name: str, actions: list[str], arns: Any) -> iam.Role:
        account: Any = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
        # For a type checker, jsii's classes do not implement their interfaces.
        principals: list[Any] = [
            iam.ServicePrincipal(service, conditions=account)
            for service in ("cloudwatch.amazonaws.com", "logs.amazonaws.com")
        ]
        trusted: Any = iam.CompositePrincipal(*principals)
        role = iam.Role(self, f"{name}Role", assumed_by=trusted)
        iam.CfnPolicy(
            self,
            f"{name}Policy",
            policy_name="ReadAlertLines",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": actions, "Resource": arns},
                    {"Effect": "Allow", "Action": _OF_NO_RESOURCE, "Resource": "*"},
                ],
            },
            roles=[role.role_name],
        )
        return role
