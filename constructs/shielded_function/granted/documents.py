"""Policy documents in an L1: an object of the CDK, a mapping, or a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ..batching import members_of
from .policy_documents import IDENTITY_POLICIES, RESOURCE_POLICIES, labelled, mapping
from .tokens import Place, resolve

__all__ = [
    "IDENTITY_POLICIES",
    "RESOURCE_POLICIES",
    "as_json",
    "documents_of",
    "mapping",
    "properties_of",
    "statements_of",
    "texts_of",
]


def properties_of(resources: Sequence[cdk.CfnResource], *names: str) -> list[list[Any]]:
    """Properties of L1s, by one request for all; None for absent ones.

    A plain `CfnResource`, which can be of any type, has them by CloudFormation's names in `cfnProperties`, which is
    protected, for subclasses, and so stable in the CDK.
    """
    plain = [resource for resource in resources if type(resource) is cdk.CfnResource]
    given = iter(members_of(plain, "cfnProperties"))
    known = iter(members_of([resource for resource in resources if type(resource) is not cdk.CfnResource], *names))
    return [
        _capitalized(next(given)[0], names) if type(resource) is cdk.CfnResource else next(known)
        for resource in resources
    ]


def _capitalized(properties: Any, names: Sequence[str]) -> list[Any]:
    return [mapping(properties).get(name[0].upper() + name[1:]) for name in names]


def as_json(document: Any, place: Place) -> Any:
    """A policy document with its tokens as texts."""
    if document is None:
        return {}
    if isinstance(document, iam.PolicyDocument):
        return document.to_json() or {}
    return document if isinstance(document, dict) else place.stack.resolve(document)


def statements_of(document: Any, place: Place) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Statements with their Sid or number, and both branches of an Fn::If."""
    return labelled(_each(mapping(document).get("Statement", []), place))


def _each(value: Any, place: Place) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _each(item, place)
    elif isinstance(value, iam.PolicyStatement):
        yield value.to_statement_json()
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from _each(value["Fn::If"][1:], place)
    elif isinstance(value, dict):
        if "Ref" not in value:
            yield value
    elif value is not None:
        yield from _each(place.stack.resolve([value]), place)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_of(item)


def documents_of(policies: Any, place: Place) -> Iterator[Any]:
    """The documents of a role's inline policies."""
    if isinstance(policies, (list, tuple)):
        for policy in policies:
            yield from documents_of(policy, place)
    elif isinstance(policies, iam.CfnRole.PolicyProperty):
        yield policies.policy_document
    elif isinstance(policies, dict):
        if "Fn::If" in policies:
            yield from documents_of(policies["Fn::If"][1:], place)
        else:
            yield policies.get("policyDocument", policies.get("PolicyDocument"))
    elif policies is not None:
        yield from documents_of(resolve(place.stack, [policies])[0], place)
