"""Functions that answer CloudFormation themselves: they are the service token of custom resources.

CloudFormation waits for the answer, an hour by default, at a presigned URL of CloudFormation's bucket
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref.html). Handlers of `cr.Provider` do not
answer: the provider's function does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk

from ..reading.batching import references_of
from ..reading.paths import find_constructs, l2_path, path_of

if TYPE_CHECKING:
    from constructs import IConstruct

    from ..policy import ShieldPolicy

__all__ = ["admits_answers", "answer_hosts", "answered_by"]

_RESOURCES: Final = ("AWS::CloudFormation::CustomResource", "Custom::")
_FUNCTION: Final = "AWS::Lambda::Function"
_SUBSCRIPTION: Final = "AWS::SNS::Subscription"
_BETWEEN: Final = ("AWS::Lambda::Alias", "AWS::Lambda::Version", _SUBSCRIPTION)
_NAMES: Final = ("serviceToken", "functionName", "topicArn", "endpoint")


def answered_by(stage: IConstruct) -> dict[str, list[str]]:
    """The functions of a stage that answer CloudFormation, also through aliases, versions and topics.

    Returns:
        The construct path of a function -> the paths of its custom resources.
    """
    found = find_constructs(stage, (), (*_RESOURCES, *_BETWEEN))
    named = [targets for targets, _ in references_of(found, *_NAMES)]
    behind: dict[str, list[tuple[str, str]]] = {}
    tokens: list[tuple[str, list[tuple[str, str]]]] = []
    for resource, targets in zip(found, named, strict=True):
        path, kind = path_of(resource)
        if kind == _SUBSCRIPTION:
            for target, _ in targets:
                behind.setdefault(target, []).extend(other for other in targets if other[0] != target)
        elif kind in _BETWEEN:
            behind[path] = targets
        else:
            tokens.append((path, targets))
    answered: dict[str, list[str]] = {}
    for path, targets in tokens:
        for function in _functions(targets, behind):
            answered.setdefault(l2_path(function), []).append(l2_path(path))
    return answered


def _functions(targets: list[tuple[str, str]], behind: Mapping[str, list[tuple[str, str]]]) -> Iterator[str]:
    pending, seen = list(targets), set[str]()
    while pending:
        path, kind = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        if kind == _FUNCTION:
            yield path
        else:
            pending += behind.get(path, [])


def admits_answers(policy: ShieldPolicy) -> bool:
    """Whether a policy lets a function answer without further hosts: it admits S3, also by older host names."""
    services = policy.allow_aws or "all"
    is_open = services == "all" or (not isinstance(services, str) and "s3" in services)
    return policy.outbound_connectivity == "allow" or (is_open and not policy.allow_buckets)


def answer_hosts(stack: cdk.Stack) -> list[str]:
    """The hosts that receive answers in a stack's region, in each form of CloudFormation's presigned URLs.

    The bucket's name contains the region without hyphens
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html); CloudFormation owns
    it in every region.
    """
    region, suffix = stack.region, stack.url_suffix
    bucket = f"cloudformation-custom-resource-response-{cdk.Fn.join('', cdk.Fn.split('-', region))}"
    return [f"{bucket}.{form}.{suffix}:443" for form in ("s3", f"s3-{region}", f"s3.{region}")]
