"""Derives the policy of a VPC endpoint from the grants of roles. Pure.

An endpoint's policy decides on every request through it, with any keys. So it can require that both the caller and the
resource belong to the account, or to the organization
(https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from shielded_function_monitoring.cfn.parts import text_of

from ..granted.actions import parse_action

if TYPE_CHECKING:
    from ..granted.resources import Resource
    from ..granted.statements import Statement

_SERVICE: Final = re.compile(r"(?:cn\.)?com\.amazonaws\.(?:\$\{[^}]*\}|[^.]+)\.(.+)")

LONGEST: Final = 20_480
"""Characters of an endpoint's policy (https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html)."""

_SERVICES: Final = (
    *(
        "dynamodb",
        "events",
        "kms",
        "lambda",
        "logs",
        "s3",
        "s3express",
        "secretsmanager",
        "sns",
        "sqs",
        "ssm",
        "states",
    ),
)
PREFIXES: Final[Mapping[str, str]] = {
    **dict(zip(_SERVICES, _SERVICES, strict=True)),
    "kinesis-firehose": "firehose",
    "kinesis-streams": "kinesis",
}
"""The prefix of the actions, by the last part of an endpoint's service name, for services whose requests are for
resources that have an account
(https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html)."""


@dataclass(frozen=True)
class Trust:
    """The accounts whose requests, and whose resources, pass.

    Attributes:
        accounts: their ids, possibly tokens.
        organization: the organization's id, in place of accounts.
    """

    accounts: tuple[str, ...]
    organization: str | None = None

    def condition(self) -> dict[str, Any]:
        """The condition of a statement."""
        if self.organization:
            return {"StringEquals": {"aws:PrincipalOrgID": self.organization, "aws:ResourceOrgID": self.organization}}
        accounts = list(self.accounts)
        return {"StringEquals": {"aws:PrincipalAccount": accounts, "aws:ResourceAccount": accounts}}


def granted(statements: Iterable[Statement], prefix: str) -> list[Resource] | None:
    """The resources granted for the actions of a service; None where they are not named one by one."""
    found: dict[Resource, None] = {}
    for statement in statements:
        if not any(_is_of(text, prefix) for text in statement.actions) and not statement.not_action:
            continue
        if statement.not_action or statement.not_resource or not statement.resources:
            return None
        if any(resource.everything or not resource.text for resource in statement.resources):
            return None
        found.update(dict.fromkeys(statement.resources))
    return list(found)


def _is_of(text: str | None, prefix: str) -> bool:
    action = parse_action(text) if text else None
    return action is None or action.everything or action.prefix == prefix


def policy_document(service: str, resources: Sequence[str] | None, trust: Trust) -> dict[str, Any]:
    """The policy of one endpoint.

    Args:
        service: one of `PREFIXES`.
        resources: ARNs, possibly tokens. None: all of the account; empty: nothing passes.
        trust: the accounts that pass.
    """
    statement: dict[str, Any] = {
        "Sid": "WhatFunctionsAreGranted",
        "Effect": "Allow",
        "Principal": "*",
        "Action": f"{PREFIXES[service]}:*",
        "Resource": "*" if resources is None else list(resources),
        "Condition": trust.condition(),
    }
    if resources is not None and not resources:
        statement = {"Sid": "NothingIsGranted", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def service_in(name: Any) -> str:
    """The last part of an endpoint's resolved service name: `s3` of `com.amazonaws.eu-west-1.s3`; empty if unknown."""
    found = _SERVICE.fullmatch(text_of(name))
    return found[1] if found else ""
