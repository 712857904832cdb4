"""Event rules on changes of a shielded function, or of its log group, alarms, topics, key and role.

CloudTrail's management events reach EventBridge where the account has a trail
(https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html). Names of Lambda's calls end with the API's
version (`UpdateFunctionConfiguration20150331v2`). Variables are not in the event: CloudTrail hides them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk.aws_cloudwatch_actions import SnsAction

from ..alarms.descriptions import PREFIX
from ..reading.late import late_any, references_in
from ..shield.scope import log_group_name, outermost
from ..tokens import has_token

if TYPE_CHECKING:
    from constructs import Construct

    from ..alarms.alarm_options import AlarmOptions
    from ..shield.function_shield import FunctionShield

MAX_PATTERN: Final = 2048
"""Characters of an event pattern (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""
_MAX_STACK: Final = 20
"""The least number of characters of a stack's name in a name that CloudFormation generates: it cuts long ones."""

Entry = str | Mapping[str, Any]
"""A name in the form of EventBridge's patterns
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html)."""


class Kind(NamedTuple):
    """One kind of resource whose changes are reported.

    Attributes:
        name: the rule's name.
        service: the service of the events.
        calls: prefixes of the calls' names, with blanks between them.
        fields: the parameters of a call that name the resource, likewise; a dot leads into one.
        description: the rule's description.
    """

    name: str
    service: str
    calls: str
    fields: str
    description: str


FUNCTIONS: Final = Kind(
    "ConfigurationChanges",
    "lambda",
    "UpdateFunctionConfiguration UpdateFunctionCode PutRuntimeManagementConfig DeleteFunction2 UpdateAlias",
    "functionName",
    "A shielded function is changed outside CloudFormation.",
)
LOGS: Final = Kind(
    "LogChanges",
    "logs",
    "DeleteMetricFilter PutMetricFilter DeleteSubscriptionFilter DeleteLogGroup DeleteLogStream PutRetentionPolicy",
    "logGroupName",
    "The log group of a shielded function changes, or a metric filter that counts its lines.",
)
ALARMS: Final = Kind(
    "AlarmChanges",
    "monitoring",
    "DeleteAlarms DisableAlarmActions PutMetricAlarm PutCompositeAlarm PutLogAlarm SetAlarmState PutAlarmMuteRule",
    "alarmNames alarmName muteTargets.alarmNames",
    "An alarm on shielded functions is changed, muted or deleted.",
)
RULES: Final = Kind(
    "RuleChanges",
    "events",
    "DisableRule DeleteRule PutRule RemoveTargets",
    "name rule",
    "A rule that reports changes of shielded functions is changed, disabled or deleted.",
)
TOPICS: Final = Kind(
    "TopicChanges",
    "sns",
    "DeleteTopic SetTopicAttributes RemovePermission Unsubscribe",
    "topicArn subscriptionArn",
    "A topic of alarms on shielded functions is changed or deleted, or loses a subscription.",
)
KEYS: Final = Kind(
    "KeyChanges",
    "kms",
    "DisableKey ScheduleKeyDeletion",
    "keyId",
    "The key of shielded functions' log groups is disabled, or will be deleted.",
)
ROLES: Final = Kind(
    "RoleChanges",
    "iam",
    "DetachRolePolicy DeleteRolePolicy PutRolePolicy PutRolePermissionsBoundary",
    "roleName",
    "The role of a shielded function may lose its permission to write the log.",
)
"""IAM's events are in us-east-1 alone
(https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html)."""
IAM_REGION: Final = "us-east-1"
KINDS: Final = (FUNCTIONS, LOGS, ALARMS, RULES, TOPICS, KEYS, ROLES)


def changes_pattern(kind: Kind, entries: Sequence[Entry]) -> dict[str, Any]:
    """The event pattern of calls on one of these names, except calls of CloudFormation."""
    wanted = [_nested(path, list(entries)) for path in kind.fields.split()]
    return {
        "source": [f"aws.{kind.service}"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": [f"{kind.service}.amazonaws.com"],
            "eventName": [{"prefix": call} for call in kind.calls.split()],
            "sourceIPAddress": [{"anything-but": "cloudformation.amazonaws.com"}],
            "requestParameters": wanted[0] if len(wanted) == 1 else {"$or": wanted},
        },
    }


def _nested(path: str, value: Any) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    return {first: _nested(rest, value) if rest else value}


def _made_by(stack: str) -> str:
    """The prefix of names that CloudFormation generates in a stack."""
    return f"{stack}-" if len(stack) <= _MAX_STACK else stack[:_MAX_STACK]


class ChangeRules:
    """The rules of one account and region: as many as the names need. Functions are added as they become known."""

    def __init__(self, scope: Construct, targets: Sequence[Any]) -> None:
        self._scope = scope
        self._targets = targets
        self._home = cdk.Stack.of(scope)
        self._seen: dict[int, Any] = {}  # each action, which its id then names for good
        self._made: dict[Kind, list[list[Entry]]] = {}

    def add(self, attached: FunctionShield, fleet: AlarmOptions) -> None:
        """Watches a function, its log group, its alarms and those of its fleet."""
        stack = outermost(attached.stack_shields.stack).stack_name
        given = attached.handle.resource.function_name
        name = given if given and not has_token(given) else None
        if name is not None:  # a call may have the ARN; functions whose names end with it match too
            self._add(FUNCTIONS, {"suffix": name})
        else:
            self._add(FUNCTIONS, {"prefix": _made_by(stack)})
            self._add(FUNCTIONS, {"wildcard": f"*:function:{_made_by(stack)}*"})
        group, made_in = log_group_name(attached)  # any group, where its name is known only at deployment
        self._add(LOGS, {"prefix": _made_by(stack)} if made_in is not None else group or {"exists": True})
        self._add(RULES, {"prefix": _made_by(outermost(self._home).stack_name)})
        if attached.stack_shields.region == IAM_REGION:
            self._add(ROLES, {"prefix": _made_by(stack)})
        key = attached.log_key  # this stack may name a key that is here, or imported
        if key is not None and (cdk.Stack.of(key) is self._home or not has_token(key.key_id)):
            self._add(KEYS, {"suffix": key.key_id})
        self._add(ALARMS, {"prefix": f"{PREFIX}-"})  # heartbeats, and alarms over a whole stack
        for alarms in (attached.alarm_options, fleet):
            for action in alarms.every_action:
                self._add_topic(action, attached)
            self._add(ALARMS, {"prefix": f"{alarms.name or PREFIX}-"})
            for on in alarms.named.values():
                if on.name is not None and alarms.granularity == "fleet":
                    self._add(ALARMS, on.name)
                elif on.name is not None:
                    self._add(ALARMS, {"prefix": f"{name}-{on.name}" if name else _made_by(stack)})

    def _add_topic(self, action: Any, attached: FunctionShield) -> None:
        """Watches a topic that this stack may name: by another's, this stack would depend on that one."""
        if id(action) in self._seen or not (isinstance(action, SnsAction) and attached.alarm):
            return
        self._seen[id(action)] = action
        arn: str = action.bind(self._scope, attached.alarm).alarm_action_arn
        owner = next((cdk.Stack.of(each.target) for each in references_in(arn)), None)
        if owner in (None, self._home):
            self._add(TOPICS, {"prefix": arn})

    def _add(self, kind: Kind, entry: Entry) -> None:
        made = self._made.setdefault(kind, [])
        if any(entry in entries for entries in made):
            return
        if not made or len(json.dumps(changes_pattern(kind, [*made[-1], entry]))) > MAX_PATTERN:
            made.append([])
            self._make(kind, made[-1], len(made))
        made[-1].append(entry)

    def _make(self, kind: Kind, entries: list[Entry], number: int) -> None:
        rule = events.Rule(
            self._scope,
            kind.name if number == 1 else f"{kind.name}{number}",
            description=kind.description,
            event_pattern=events.EventPattern(source=[f"aws.{kind.service}"]),
            targets=list(self._targets),
        )
        resource: Any = rule.node.default_child
        resource.event_pattern = late_any(partial(changes_pattern, kind, entries))
