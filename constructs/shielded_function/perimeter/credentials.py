"""Locks the keys of functions' roles to a VPC: denies the code's actions from other networks."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ..granted.actions import Action, parse_action, services_of
from ..granted.origins import may_be_lambdas, reason_of_use
from ..granted.resources import Resource, l2_path, literal, parse_arn
from ..granted.statements import LAMBDAS_ALONE, Caller
from ..names import LOCK
from ..reading.late import late_any, references_in
from ..reading.paths import path_of
from .covered import Covered, Grants
from .granted_actions import PREFIXES
from .residents import Resource as AppResource

_EVERY: Final = Resource(("*",))
_ENDPOINTS: Final = {prefix: endpoint for endpoint, prefix in PREFIXES.items()}
_LONGEST: Final = 10_240
"""Characters of a role's inline policies (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""
_UNREAD: Final = ("ImportedRole", "ManagedPolicy", "Undisclosed")


def condition(vpc_id: str, addresses: Sequence[str]) -> dict[str, Any]:
    """Holds for a request from elsewhere. IAM joins the operators with "and", and an operator with IfExists holds where
    the key is missing (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
    """
    elsewhere: dict[str, Any] = {
        "StringNotEqualsIfExists": {"aws:SourceVpc": vpc_id},
        "BoolIfExists": {"aws:ViaAWSService": "false"},
    }
    return {**elsewhere, "NotIpAddressIfExists": {"aws:SourceIp": list(addresses)}} if addresses else elsewhere


def locked(
    caller: Caller, endpoints: Collection[str], by_address: bool
) -> tuple[dict[str, list[str]], dict[str, None]]:
    """The actions to deny, by the text of their resource, and the grants that stay open, with the reason."""
    found: dict[str, dict[str, None]] = {}
    left: dict[str, None] = {}
    every = [resource for statement in caller.statements for resource in statement.resources]
    for statement in caller.statements:
        where = f"{l2_path(statement.policy)}, statement {statement.label}"
        if statement.role or statement.not_action:
            own = f"the keys of {l2_path(statement.role)}, which it may assume, are others"
            left[f"{where}: {own if statement.role else 'NotAction names no service: write Action'}"] = None
            continue
        resources = (_EVERY,) if statement.not_resource or not statement.resources else statement.resources
        for text in statement.actions:
            action = parse_action(text) if text else None
            if action is None or action.everything:
                left[f"{where}: {text or 'an action that is known at deployment'} names no service"] = None
                continue
            if action.prefix in LAMBDAS_ALONE:
                continue
            for resource in resources:
                reason = (
                    reason_of_use(action, resource, statement.conditions, caller.lambda_use, every)
                    or ("Lambda may call it itself" if may_be_lambdas(action, resource, caller.lambda_use) else "")
                    or _other_way(action, resource, caller.region, endpoints, by_address)
                )
                if reason:
                    left[f"{where}: {action.text} on {resource.name}: {reason}"] = None
                else:
                    found.setdefault(resource.text, {})[action.text] = None
    return {resource: list(actions) for resource, actions in found.items()}, left


def _other_way(action: Action, resource: Resource, own: str, endpoints: Collection[str], by_address: bool) -> str:
    """Why its requests do not come from the VPC; empty where they do."""
    arn = parse_arn(resource.pieces)
    regions = {target.region for target in resource.targets} | {(literal(arn.region) if arn else "") or ""}
    if not by_address and own and (away := regions - {"", "*", own}):
        return f"it is in {min(away)}, to which no endpoint of the VPC leads: give lock_credentials the NAT's addresses"
    prefix = action.prefix
    needed = (_ENDPOINTS[prefix],) if prefix in _ENDPOINTS else services_of(prefix, action.name) or (prefix,)
    missing = [service for service in needed if service not in endpoints]
    if by_address or not missing:
        return ""
    return f"the VPC has no endpoint of {missing[0]}: add it, or give lock_credentials the NAT's addresses"


class CredentialLock:
    """The policies that lock the keys of a perimeter's functions.

    Attributes:
        warnings: for each function that has some, its grants that stay open.
        problems: errors, found with the documents.
    """

    def __init__(
        self,
        vpc_id: str,
        addresses: Sequence[str],
        grants: Grants,
        endpoints: Callable[[], Collection[str]],
    ) -> None:
        """
        Args:
            vpc_id: the VPC.
            addresses: networks of its NAT gateways.
            grants: those of the functions.
            endpoints: the services that have an endpoint in the VPC.
        """
        self._condition = condition(vpc_id, addresses)
        self._by_address = bool(addresses)
        self._grants = grants
        self._endpoints = endpoints
        self._roles: dict[str, str] = {}
        self._documents: dict[str, Any] = {}
        self.warnings: dict[str, list[str]] = {}
        self.problems: dict[str, None] = {}

    def lock(self, covered: Covered) -> None:
        """Attaches a policy to the role of a function. Nothing depends on it, so it is in no circle."""
        resource = covered.attached.handle.resource
        role: Any = next((each.target for each in references_in(resource.role)), None)
        if role is None or path_of(role)[1] != "AWS::IAM::Role":
            text = json.dumps({key: value for key, value in self._condition.items() if "Vpc" not in str(value)})
            self.problems[
                f"lock_credentials: the role of {covered.path} is imported, so its grants are unknown: deny its code's "
                f"actions where the role is made, with StringNotEqualsIfExists of aws:SourceVpc and {text}, or leave "
                "the function out by functions="
            ] = None
            return
        self._roles[covered.path] = path_of(role)[0]
        name = cdk.Names.unique_resource_name(resource, max_length=100)
        iam.CfnPolicy(
            cdk.Stack.of(resource),
            f"{LOCK}{name}",
            policy_name=f"{LOCK}{name}",
            policy_document=late_any(lambda: self._document(covered)),
            roles=[role.ref],
        )

    def sharing(self, functions: Iterable[AppResource], ours: Collection[str]) -> Iterator[str]:
        """The errors of roles that a function outside of the perimeter has too.

        Args:
            functions: all functions.
            ours: the paths of the functions in the perimeter.
        """
        for each in functions:
            for function, role in self._roles.items():
                if each.path not in ours and role in each.references:
                    yield (
                        f"lock_credentials: {each.name} has the role of {function}, and is not in the perimeter: "
                        "the lock would deny its requests: give it its own role"
                    )

    def _document(self, covered: Covered) -> dict[str, Any]:
        """Made once, when the template is written."""
        if not self._documents:
            self._documents = {handle.path: self._of(handle.path, caller) for handle, caller in self._grants.callers}
        return self._documents[covered.path]

    def _of(self, path: str, caller: Caller) -> dict[str, Any]:
        found, left = locked(caller, self._endpoints(), self._by_address)
        unread = [finding.message for finding in caller.findings if finding.id.endswith(_UNREAD)]
        if left or unread:
            self.warnings[path] = [*left, *unread]
        together: dict[tuple[str, ...], list[str]] = {}
        for resource, actions in found.items():
            together.setdefault(tuple(actions), []).append(resource)
        if not together:  # a policy has a statement, so one of an action without a grant
            together[("sts:GetFederationToken",)] = ["*"]
        if sum(len(action) for actions in together for action in actions) + sum(map(len, found)) > _LONGEST:
            self.problems[
                f"lock_credentials: the lock of {path} exceeds the {_LONGEST:,} characters of inline policies: "
                "grant fewer resources, or leave the function out by functions="
            ] = None
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": f"OnlyFromTheVpc{number}",
                    "Effect": "Deny",
                    "Action": list(actions),
                    "Resource": resources,
                    "Condition": self._condition,
                }
                for number, (actions, resources) in enumerate(together.items(), start=1)
            ],
        }
