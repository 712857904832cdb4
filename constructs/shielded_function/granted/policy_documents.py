"""Resources that hold policy documents, and the statements of these documents. Without the CDK."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from .actions import covers, parse_action
from .arns import Field, Resource, literal
from .statements import Statement

__all__ = ["IDENTITY_POLICIES", "RESOURCE_POLICIES", "assumed", "labelled", "mapping", "roles_assumed", "statement_of"]

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


def labelled(statements: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Statements, each with its Sid, or its number where it has none that is known."""
    for number, statement in enumerate(statements, start=1):
        sid = statement.get("Sid")
        yield (sid if isinstance(sid, str) and sid and "${Token[" not in sid else f"#{number}"), statement


def statement_of(
    path: str, label: str, statement: Mapping[str, Any], values_of: Callable[[Any], Iterable[tuple[str, Field]]]
) -> Statement | None:
    """A statement of a document; None for a Deny, which can only reduce the grants.

    Args:
        path: construct path of the document's holder.
        label: the statement's, of `labelled`.
        statement: as in the document.
        values_of: a value, or a list of values -> the text and the pieces of each.
    """
    if statement.get("Effect") != "Allow":
        return None
    not_resource = "NotResource" in statement
    resources = values_of(statement.get("NotResource" if not_resource else "Resource", []))
    return Statement(
        path,
        label,
        tuple(literal(pieces) for _, pieces in values_of(statement.get("Action", []))),
        tuple(Resource(text, pieces) for text, pieces in resources),
        "NotAction" in statement,
        not_resource,
        frozenset(key.lower() for keys in mapping(statement.get("Condition")).values() for key in mapping(keys)),
    )


def roles_assumed(statement: Statement) -> Iterator[Resource]:
    """The roles that a statement lets its holder assume."""
    actions = [action for text in statement.actions if text and (action := parse_action(text))]
    if any(action.prefix == "sts" and covers(action.name, "assumerole") for action in actions):
        yield from statement.resources


class _Role(Protocol):
    name: str
    statements: list[Statement]
    assumes: list[str]


def assumed(role: _Role, role_of: Callable[[str], _Role]) -> Iterator[Statement]:
    """The grants of the roles that a role may assume, also through other roles, each by its name."""
    seen, pending = {role.name}, list(role.assumes)
    while pending:
        name = pending.pop(0)
        if name not in seen:
            seen.add(name)
            pending += role_of(name).assumes
            yield from (replace(statement, role=name) for statement in role_of(name).statements)
