"""Whether CloudWatch can send an alarm's message to an encrypted topic.

It must be allowed by the key's policy, which no grant of the CDK does by itself:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from ..model import Assembly, Template, as_mapping, canonical

SERVICE: Final = "cloudwatch.amazonaws.com"
# What is needed, and what of a policy's actions gives it.
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "kms:Decrypt": ("kms:Decrypt", "kms:*", "*"),
    "kms:GenerateDataKey*": ("kms:GenerateDataKey*", "kms:GenerateDataKey", "kms:*", "*"),
}
_EXPORT: Final = re.compile(r":ExportsOutput(?:Ref|FnGetAtt)([A-Za-z0-9]+)")


def unreadable_topics(assembly: Assembly, template: str, actions: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """The topics among an alarm's actions that CloudWatch cannot write to, and the fix; what is not visible is passed.

    Args:
        assembly: everything that is deployed together.
        template: the file of the alarm's template.
        actions: the alarm's actions, as its template has them.
    """
    for action in actions:
        for where, topic_id in _found(assembly, template, action, "AWS::SNS::Topic"):
            properties = as_mapping(where.resources[topic_id].get("Properties"))
            key = properties.get("KmsMasterKeyId")
            if key is None:
                continue
            path = where.place(topic_id).path
            if "alias/aws/sns" in canonical(key):
                yield (
                    f"the topic {path} is encrypted with alias/aws/sns, which CloudWatch may not use",
                    f"use a key of your own, whose policy allows {SERVICE} {' and '.join(_NEEDED)}",
                )
                continue
            for home, key_id in _found(assembly, where.file, key, "AWS::KMS::Key"):
                missing = _missing(as_mapping(home.resources[key_id].get("Properties")))
                if missing:
                    yield (
                        f"messages to the topic {path} are lost: the policy of its key {home.place(key_id).path} does "
                        f"not let CloudWatch do {' and '.join(missing)}",
                        f'key.grant(iam.ServicePrincipal("{SERVICE}"), {", ".join(map(repr, missing))})',
                    )


def _found(assembly: Assembly, file: str, value: Any, kind: str) -> Iterator[tuple[Template, str]]:
    """The resource that a value of a template refers to, in it or by the CDK's export of another."""
    text = canonical(value)
    exported = _EXPORT.search(text) if "Fn::ImportValue" in text else None
    reference = as_mapping(value)
    attribute = reference.get("Fn::GetAtt")
    local = cast("list[Any]", attribute)[0] if isinstance(attribute, list) else reference.get("Ref")
    for template in assembly.templates:
        for logical_id, _ in template.of_type(kind):
            here = template.file == file and logical_id == local
            elsewhere = exported is not None and template.file != file and exported[1].startswith(logical_id)
            if here or elsewhere:
                yield template, logical_id


def _missing(properties: Mapping[str, Any]) -> list[str]:
    statements = as_mapping(properties.get("KeyPolicy")).get("Statement")
    allowed: set[str] = set()
    for statement in cast("list[Any]", statements) if isinstance(statements, list) else [statements]:
        given = as_mapping(statement)
        if given.get("Effect") == "Allow" and _is_for_cloudwatch(given.get("Principal")):
            allowed.update(_texts(given.get("Action")))
    return [name for name, ways in _NEEDED.items() if not allowed & set(ways)]


def _is_for_cloudwatch(principal: Any) -> bool:
    return principal == "*" or SERVICE in _texts(as_mapping(principal).get("Service"))


def _texts(value: Any) -> list[str]:
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]
