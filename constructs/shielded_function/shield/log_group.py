"""The log group of a shielded function, and the permission to write to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from ..errors import ShieldError, shown
from ..keywords import by_name
from ..names import LAMBDAS
from ..reading.batching import members_of
from ..reading.functions import FunctionHandle

if TYPE_CHECKING:
    from constructs import Construct

# AWS managed policies that let a function write to any log group:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
_WRITES_LOGS: Final = re.compile(
    r":iam::aws:policy/(service-role/(AWSLambda(BasicExecution|VPCAccessExecution|KinesisExecution|DynamoDBExecution"
    r"|SQSQueueExecution|MSKExecution)Role|AWSLambdaBasicDurableExecutionRolePolicy)"
    r"|CloudWatchLogsFullAccess|AdministratorAccess)\""
)


_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
_PLACEHOLDERS: Final = ("stack", "id", "path")
_KEY_ACTIONS: Final = ("kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*")
_KEYS: Final[WeakKeyDictionary[Any, list[cdk.Stack]]] = WeakKeyDictionary()

_PROPS: Final = ("retention", "removal_policy", "encryption_key", "log_group_name")
"""The options of `LogOptions` that are arguments of `LogGroup`."""


@by_name("LogOptions")
@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """Options of the log group that the shield creates for a function without one.

    Attributes:
        retention: how long lines are kept; by default two years, like the CDK's log groups.
        removal_policy: the removal policy; by default it is retained, and then protected against deletion.
        encryption_key: encrypts it. CloudWatch Logs may then use a key of this app; for any other key a warning names
            the statement that its policy needs.
        log_group_name: its name; by default CloudFormation chooses one. Use placeholders for several functions:
            `{stack}` is the stack's name, `{id}` the function's construct id, `{path}` its construct path.
        existing: whether functions without a log group have run before. True: their lines stay in `/aws/lambda/NAME`,
            which Lambda created then, and no log group is created; the deployment fails where there is none. False:
            they are new, and get a log group. Unset: they get one, and a warning lists them.
    """

    retention: logs.RetentionDays | None = None
    removal_policy: cdk.RemovalPolicy | None = None
    encryption_key: Any = None
    log_group_name: str | None = None
    existing: bool | None = None

    def __post_init__(self) -> None:
        """
        Raises:
            ShieldError: an option is of another type, the name has an unknown placeholder, or an option contradicts
                `existing=True`.
        """
        for name, kind, example in (
            ("retention", logs.RetentionDays, "logs.RetentionDays.ONE_MONTH"),
            ("removal_policy", cdk.RemovalPolicy, "cdk.RemovalPolicy.DESTROY"),
            ("log_group_name", str, '"/shop/checkout"'),
            ("existing", bool, "True or False"),
        ):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise ShieldError(f"LogOptions.{name}: {shown(value)} is no {kind.__name__}; write {example}")
        if self.encryption_key is not None and not hasattr(self.encryption_key, "key_arn"):
            raise ShieldError(f"LogOptions.encryption_key: {shown(self.encryption_key)} is no key; write kms.Key(...)")
        for name in _PLACEHOLDER.findall(self.log_group_name or ""):
            if name not in _PLACEHOLDERS:
                there = ", ".join(f"{{{each}}}" for each in _PLACEHOLDERS)
                raise ShieldError(f"LogOptions.log_group_name: there is no placeholder {{{name}}}; use {there}")

        given = [name for name in _PROPS if getattr(self, name) is not None]
        if self.existing and given:
            raise ShieldError(
                f"LogOptions.{given[0]}: it is of the log group that the shield makes, and existing=True makes none: "
                "leave one of them out"
            )

    def name_for(self, path: str, stack: Callable[[], str]) -> str | None:
        """The name of a function's log group; None where CloudFormation generates it.

        Args:
            path: the function's construct path.
            stack: returns the name of its stack, possibly a token.
        """
        values = {"stack": stack, "id": lambda: path.rpartition("/")[2], "path": lambda: path}
        return self.log_group_name and _PLACEHOLDER.sub(lambda found: values[found[1]](), self.log_group_name)

    def make(self, scope: Construct, name: str | None = None) -> tuple[logs.LogGroup, str]:
        """The log group, and its name.

        The default name is not /aws/lambda/..., which Lambda already created for a function that ran before.

        Args:
            scope: its parent.
            name: the result of `name_for`.
        """
        given = {**{each: getattr(self, each) for each in _PROPS}, "log_group_name": name}
        if self.encryption_key is not None:
            _grant_logs_key(self.encryption_key, cdk.Stack.of(scope))
        is_kept = self.removal_policy is not cdk.RemovalPolicy.DESTROY
        group = logs.LogGroup(scope, "LogGroup", deletion_protection_enabled=is_kept or None, **given)
        return group, group.log_group_name


def protect_retained(groups: Sequence[logs.ILogGroup]) -> None:
    """Protects log groups of `make` that are retained, and no others, where an aspect changed their removal policy.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogGroupDeletionProtection.html
    """
    within = ("", ".cfnOptions.deletionPolicy", ".deletionProtectionEnabled")
    for resource, deletion, protection in members_of(groups, *(f"node.defaultChild{each}" for each in within)):
        wanted = None if deletion in ("Delete", cdk.CfnDeletionPolicy.DELETE) else True
        if protection not in (False, wanted):
            resource.deletion_protection_enabled = wanted


def _grant_logs_key(key: Any, stack: cdk.Stack) -> None:
    """Lets CloudWatch Logs use a key, or warns about the statement that its policy needs; once for each stack.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    if stack in _KEYS.setdefault(key, []):
        return
    _KEYS[key].append(stack)
    service = f"logs.{stack.region}.{stack.url_suffix}"
    principal: Any = iam.ServicePrincipal(service)
    groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:*"
    statement = iam.PolicyStatement(
        principals=[principal],
        actions=list(_KEY_ACTIONS),
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )
    if not key.add_to_resource_policy(statement, True).statement_added:
        cdk.Annotations.of(stack).add_warning_v2(
            "shielded-function:logKey",
            f"LogOptions.encryption_key: {key.node.path} is not of this app. Its policy must let CloudWatch Logs "
            f"(logs.<region>.amazonaws.com) do {', '.join(_KEY_ACTIONS)}, or the log groups cannot be made.",
        )


def log_group_of_lambda(scope: Construct, function_name: str) -> logs.ILogGroup:
    """The log group that Lambda created for a function that ran before; no template contains it.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """
    return logs.LogGroup.from_log_group_name(scope, "LogGroup", f"{LAMBDAS}{function_name}")


def log_group_of(handle: FunctionHandle, logging: Mapping[str, Any]) -> logs.ILogGroup | None:
    """The log group that the function has; None when its template names none.

    Asking a `Function` without one makes the CDK add a custom resource, so its children are read first.
    """
    function = handle.construct
    if isinstance(function, lambda_.Function):
        if "logGroup" not in logging:
            made = any(isinstance(child, (logs.LogGroup, logs.LogRetention)) for child in handle.children())
            return function.log_group if made else None
        return function.log_group
    if "logGroup" not in logging:
        return None
    name = handle.l1_properties()["loggingConfig"]
    text = name["logGroup"] if isinstance(name, dict) else name.log_group
    return logs.LogGroup.from_log_group_name(handle.resource, "ShieldedLogGroup", cast("str", text))


def allow_writing(handle: FunctionHandle, log_group: logs.ILogGroup, scope: Construct) -> str | None:
    """Lets the function's role write to the log group that the shield created for it.

    A role of the user may be allowed to write only to the function's previous log group.

    Returns:
        The problem when the role cannot be changed; None when it may write.
    """
    function = handle.construct
    if isinstance(function, lambda_.Function):
        if any(isinstance(child, iam.Role) for child in handle.children()):
            return None  # created by the CDK for this function, with AWSLambdaBasicExecutionRole
        role: Any = function.role
    else:
        role = handle.referred("role")
        role = role if isinstance(role, iam.CfnRole) else None
    if role is None:
        return "its role is not part of this app"
    if isinstance(role, iam.CfnRole):
        if not _writes_logs(role, handle.stack):
            _attach_policy(role, log_group, scope)
        return None
    resource = role.node.default_child
    if not isinstance(resource, iam.CfnRole):
        own = handle.referred("role")  # imported by the ARN of a role of this app
        resource = own if isinstance(own, iam.CfnRole) and _writes_logs(own, cdk.Stack.of(own)) else None
        return None if resource else f"the role {role.node.path} is imported"
    if not isinstance(role, iam.Role) and not _writes_logs(resource, cdk.Stack.of(resource)):
        return f"the role {resource.node.path} takes no more statements (without_policy_updates)"
    owner = cdk.Stack.of(resource)
    if not _writes_logs(resource, owner):
        if owner.node.path == handle.stack.node.path:
            log_group.grant_write(role)
        else:  # a grant would be in the role's stack, and cause a circular dependency on the function's
            _attach_policy(resource, log_group, scope)
    return None


def _writes_logs(role: iam.CfnRole, stack: cdk.Stack) -> bool:
    arns: Any = stack.resolve(role.managed_policy_arns)
    return any(_WRITES_LOGS.search(json.dumps(arn)) for arn in arns or () if not isinstance(arns, dict))


def _attach_policy(role: iam.CfnRole, log_group: logs.ILogGroup, scope: Construct) -> None:
    statement = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
    iam.CfnPolicy(
        scope,
        "WriteLogs",
        policy_name=f"{cdk.Names.unique_resource_name(scope, max_length=100)}WriteLogs",
        policy_document=iam.PolicyDocument(statements=[statement]),
        roles=[role.ref],
    )
