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
from typing import Any, Final, cast

from shielded_function_monitoring.cfn.template import Template, as_mapping, canonical, referred

from ..model import Assembly

SERVICE: Final = "cloudwatch.amazonaws.com"
# The needed action, and the policy actions that grant it.
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "kms:Decrypt": ("kms:Decrypt", "kms:*", "*"),
    "kms:GenerateDataKey*": ("kms:GenerateDataKey*", "kms:GenerateDataKey", "kms:*", "*"),
}
_POLICIES: Final = ("AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy")


class Topics:
    """The topics of an assembly, as actions of alarms; read once."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._problems: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def problems(self, template: str, action: Any) -> list[tuple[str, str]]:
        """The reasons why CloudWatch cannot publish to an action's topic, each with the fix.

        Unreadable parts are assumed to be right.

        Args:
            template: the file of the alarm's template.
            action: as in that template.
        """
        key = template, canonical(action)
        if key not in self._problems:
            found = _found(self._assembly, template, action, "AWS::SNS::Topic")
            self._problems[key] = [each for home, topic in found for each in _problems(self._assembly, home, topic)]
        return self._problems[key]


def _problems(assembly: Assembly, where: Template, topic_id: str) -> Iterator[tuple[str, str]]:
    path = where.place(topic_id).path
    if not _may_publish(assembly, where, topic_id):
        yield (
            f"messages to the topic {path} are lost: its policy does not let CloudWatch publish",
            f'topic.grant_publish(iam.ServicePrincipal("{SERVICE}"))',
        )
    properties = as_mapping(where.resources[topic_id].get("Properties"))
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
    for home, key_id in _found(assembly, where.file, key, "AWS::KMS::Key"):
        missing = _missing(as_mapping(home.resources[key_id].get("Properties")))
        if missing:
            yield (
                f"messages to the topic {path} are lost: the policy of its key {home.place(key_id).path} does "
                f"not let CloudWatch do {' and '.join(missing)}",
                f'key.grant(iam.ServicePrincipal("{SERVICE}"), {", ".join(map(repr, missing))})',
            )


def _found(assembly: Assembly, file: str, value: Any, kind: str) -> Iterator[tuple[Template, str]]:
    """The resource that a template's value refers to, in the template or by another one's export."""
    text = canonical(value)
    for template in assembly.templates:
        wanted = referred(value) if template.file == file else template.exported(text)
        for logical_id, _ in template.of_type(kind):
            if logical_id == wanted:
                yield template, logical_id


def _may_publish(assembly: Assembly, home: Template, topic_id: str) -> bool:
    """Whether the topic has only the default policy, or one that lets CloudWatch publish."""
    documents = [
        properties.get("PolicyDocument")
        for template in assembly.templates
        for _, properties in template.of_type(*_POLICIES)
        for topic in [*_list(properties.get("Topics")), properties.get("TopicArn")]
        for where, found in _found(assembly, template.file, topic, "AWS::SNS::Topic")
        if where is home and found == topic_id
    ]
    actions = [action.lower() for document in documents for action in _allowed(document)]
    return not documents or any(fnmatchcase("sns:publish", action) for action in actions)


def _missing(properties: Mapping[str, Any]) -> list[str]:
    allowed = set(_allowed(properties.get("KeyPolicy")))
    return [name for name, ways in _NEEDED.items() if not allowed & set(ways)]


def _allowed(document: Any) -> Iterator[str]:
    """The actions that a policy allows to CloudWatch."""
    for statement in _list(as_mapping(document).get("Statement")):
        given = as_mapping(statement)
        if given.get("Effect") == "Allow" and _is_for_cloudwatch(given.get("Principal")):
            yield from _texts(given.get("Action"))


def _is_for_cloudwatch(principal: Any) -> bool:
    given = as_mapping(principal)
    return principal == "*" or "*" in _texts(given.get("AWS")) or SERVICE in _texts(given.get("Service"))


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _texts(value: Any) -> list[str]:
    return [text for text in _list(value) if isinstance(text, str)]
