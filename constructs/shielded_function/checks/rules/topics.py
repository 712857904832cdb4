"""Whether CloudWatch can send an alarm's message to a topic.

The CDK does not check it: `SnsAction` only names the topic. The key of an encrypted topic must let CloudWatch use it:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html. And a policy on the
topic replaces the default one, which lets the whole account publish; `enforce_ssl`, and a grant to EventBridge, create
a policy without CloudWatch:
https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from shielded_function_monitoring.cfn.documents import principals, statements
from shielded_function_monitoring.cfn.parts import choices
from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.cfn.template import Template, canonical

from ..templates import Assembly

SERVICE: Final = "cloudwatch.amazonaws.com"
# The needed action, and the policy actions that grant it.
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "kms:Decrypt": ("kms:Decrypt", "kms:*", "*"),
    "kms:GenerateDataKey*": ("kms:GenerateDataKey*", "kms:GenerateDataKey", "kms:*", "*"),
}
_TOPIC: Final = "AWS::SNS::Topic"
_POLICIES: Final = ("AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy")


class Topics:
    """The topics of an assembly, as actions of alarms; read once."""

    def __init__(self, assembly: Assembly) -> None:
        self._templates = assembly.templates
        self._stacks = Stacks(assembly.templates)
        self._problems: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def problems(self, template: Template, action: Any) -> list[tuple[str, str]]:
        """The reasons why CloudWatch cannot publish to an action's topic, each with the fix.

        Unreadable parts are assumed to be right.

        Args:
            template: the alarm's template.
            action: as in that template.
        """
        key = template.file, canonical(action)
        if key not in self._problems:
            topic = self._stacks.resource(template, action, _TOPIC)
            self._problems[key] = list(self._problems_of(*topic)) if topic else []
        return self._problems[key]

    def _problems_of(self, where: Template, topic_id: str) -> Iterator[tuple[str, str]]:
        path = where.place(topic_id).path
        if not self._may_publish(where, topic_id):
            yield (
                f"messages to the topic {path} are lost: its policy does not let CloudWatch publish",
                f'topic.grant_publish(iam.ServicePrincipal("{SERVICE}"))',
            )
        properties = where.properties(topic_id)
        if properties.get("FifoTopic") is True:
            # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
            yield (
                f"the topic {path} is FIFO, and takes no message without a group, which CloudWatch gives none",
                "use a standard topic",
            )
        key = properties.get("KmsMasterKeyId")
        if "alias/aws/sns" in canonical(key):
            yield (
                f"the topic {path} is encrypted with alias/aws/sns, which CloudWatch may not use",
                f"use a key of your own, whose policy allows {SERVICE} {' and '.join(_NEEDED)}",
            )
            return
        if found := self._stacks.resource(where, key, "AWS::KMS::Key"):
            home, key_id = found
            if missing := _missing(home.properties(key_id)):
                yield (
                    f"messages to the topic {path} are lost: the policy of its key {home.place(key_id).path} does "
                    f"not let CloudWatch do {' and '.join(missing)}",
                    f'key.grant(iam.ServicePrincipal("{SERVICE}"), {", ".join(map(repr, missing))})',
                )

    def _may_publish(self, home: Template, topic_id: str) -> bool:
        """Whether the topic has only the default policy, or one that lets CloudWatch publish."""
        documents = [
            properties.get("PolicyDocument")
            for template in self._templates
            for _, properties in template.of_type(*_POLICIES)
            for topic in [*choices(properties.get("Topics")), properties.get("TopicArn")]
            if self._stacks.resource(template, topic, _TOPIC) == (home, topic_id)
        ]
        actions = [action.lower() for document in documents for action in _allowed(document)]
        return not documents or any(fnmatchcase("sns:publish", action) for action in actions)


def _missing(properties: Mapping[str, Any]) -> list[str]:
    allowed = set(_allowed(properties.get("KeyPolicy")))
    return [name for name, ways in _NEEDED.items() if not allowed & set(ways)]


def _allowed(document: Any) -> Iterator[str]:
    """The actions that a policy allows to CloudWatch."""
    for statement in statements(document):
        is_for_cloudwatch = "*" in principals(statement, "AWS") or SERVICE in principals(statement, "Service")
        if statement["Effect"] == "Allow" and is_for_cloudwatch:
            yield from (action for action in choices(statement.get("Action")) if isinstance(action, str))
