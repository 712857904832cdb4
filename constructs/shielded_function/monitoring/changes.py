"""Events for changes of a shielded function, or of its log group and alarms. Pure.

CloudTrail's management events reach EventBridge where the account has a trail
(https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html). Names of Lambda's calls end with the API's
version (`UpdateFunctionConfiguration20150331v2`). Variables are not in the event: CloudTrail hides them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_PATTERN: Final = 2048
"""Characters of an event pattern (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""
_MAX_STACK: Final = 20
"""The least number of characters of a stack's name in a name that CloudFormation generates: it cuts long ones."""

Entry = str | Mapping[str, Any]
"""A name in the form of EventBridge's patterns
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html)."""


@dataclass(frozen=True)
class Kind:
    """One kind of resource whose changes are reported.

    Attributes:
        name: the rule's name.
        service: the service of the events, as in `source` and `eventSource`.
        calls: prefixes of the calls' names.
        fields: the parameters of a call that name the resource.
        description: the rule's description.
    """

    name: str
    service: tuple[str, str]
    calls: Sequence[str]
    fields: Sequence[tuple[str, ...]]
    description: str


FUNCTIONS: Final = Kind(
    "ConfigurationChanges",
    ("aws.lambda", "lambda.amazonaws.com"),
    (
        "UpdateFunctionConfiguration",
        "UpdateFunctionCode",
        "PutRuntimeManagementConfig",
        "DeleteFunction2",
        "UpdateAlias",
    ),
    (("functionName",),),
    "A shielded function is changed outside CloudFormation.",
)
LOGS: Final = Kind(
    "LogChanges",
    ("aws.logs", "logs.amazonaws.com"),
    (
        "DeleteMetricFilter",
        "PutMetricFilter",
        "DeleteSubscriptionFilter",
        "DeleteLogGroup",
        "DeleteLogStream",
        "PutRetentionPolicy",
    ),
    (("logGroupName",),),
    "The log group of a shielded function changes, or a metric filter that counts its lines.",
)
ALARMS: Final = Kind(
    "AlarmChanges",
    ("aws.monitoring", "monitoring.amazonaws.com"),
    (
        "DeleteAlarms",
        "DisableAlarmActions",
        "PutMetricAlarm",
        "PutCompositeAlarm",
        "PutLogAlarm",
        "SetAlarmState",
        "PutAlarmMuteRule",
    ),
    (("alarmNames",), ("alarmName",), ("muteTargets", "alarmNames")),
    "An alarm on shielded functions is changed, muted or deleted.",
)
RULES: Final = Kind(
    "RuleChanges",
    ("aws.events", "events.amazonaws.com"),
    ("DisableRule", "DeleteRule", "PutRule", "RemoveTargets"),
    (("name",), ("rule",)),
    "A rule that reports changes of shielded functions is changed, disabled or deleted.",
)
TOPICS: Final = Kind(
    "TopicChanges",
    ("aws.sns", "sns.amazonaws.com"),
    ("DeleteTopic", "SetTopicAttributes", "RemovePermission", "Unsubscribe"),
    (("topicArn",), ("subscriptionArn",)),
    "A topic of alarms on shielded functions is changed or deleted, or loses a subscription.",
)
KEYS: Final = Kind(
    "KeyChanges",
    ("aws.kms", "kms.amazonaws.com"),
    ("DisableKey", "ScheduleKeyDeletion"),
    (("keyId",),),
    "The key of shielded functions' log groups is disabled, or will be deleted.",
)
ROLES: Final = Kind(
    "RoleChanges",
    ("aws.iam", "iam.amazonaws.com"),
    ("DetachRolePolicy", "DeleteRolePolicy", "PutRolePolicy", "PutRolePermissionsBoundary"),
    (("roleName",),),
    "The role of a shielded function may lose its permission to write the log.",
)
"""IAM's events are in us-east-1 alone
(https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html)."""
IAM_REGION: Final = "us-east-1"
KINDS: Final = (FUNCTIONS, LOGS, ALARMS, RULES, TOPICS, KEYS, ROLES)


def changes_pattern(kind: Kind, entries: Sequence[Entry]) -> dict[str, Any]:
    """The event pattern of calls on one of these names, except calls of CloudFormation."""
    source, event_source = kind.service
    wanted = [_nested(path, list(entries)) for path in kind.fields]
    return {
        "source": [source],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": [event_source],
            "eventName": [{"prefix": call} for call in kind.calls],
            "sourceIPAddress": [{"anything-but": "cloudformation.amazonaws.com"}],
            "requestParameters": wanted[0] if len(wanted) == 1 else {"$or": wanted},
        },
    }


def fits(kind: Kind, entries: Sequence[Entry]) -> bool:
    """Whether EventBridge accepts the pattern of these names."""
    return len(json.dumps(changes_pattern(kind, entries))) <= MAX_PATTERN


def of_function(name: str | None, stack: str) -> list[Entry]:
    """A function, which a call names by its name or by its ARN. Functions whose names end with its name match too.

    Args:
        name: its name; None where CloudFormation generates it.
        stack: the stack's name.
    """
    if name is not None:
        return [{"suffix": name}]
    begin = made_by(stack)
    return [{"prefix": begin}, {"wildcard": f"*:function:{begin}*"}]


def made_by(stack: str) -> str:
    """The prefix of names that CloudFormation generates in a stack."""
    return f"{stack}-" if len(stack) <= _MAX_STACK else stack[:_MAX_STACK]


def _nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return value
