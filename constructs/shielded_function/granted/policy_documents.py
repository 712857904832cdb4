"""Resources that hold policy documents, and parts of these documents. Without the CDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["IDENTITY_POLICIES", "RESOURCE_POLICIES", "condition_keys", "mapping"]

IDENTITY_POLICIES: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")

RESOURCE_POLICIES: Final[Mapping[str, str]] = {
    "AWS::KMS::Key": "keyPolicy",
    "AWS::S3::BucketPolicy": "policyDocument",
    "AWS::SNS::TopicPolicy": "policyDocument",
    "AWS::SQS::QueuePolicy": "policyDocument",
    "AWS::SecretsManager::ResourcePolicy": "resourcePolicy",
}
"""The property that holds the policy, by resource type."""


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def condition_keys(conditions: Any) -> Iterator[str]:
    for keys in mapping(conditions).values():
        yield from (key.lower() for key in mapping(keys))
