"""The policies of a VPC's endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from ..reading.late import late_any
from ..reading.paths import path_of
from .arguments import EndpointPolicy
from .covered import Covered, Grants
from .granted_actions import LONGEST, PREFIXES, Trust, granted, policy_document, service_in
from .residents import Resource

_UNKNOWN = ("ImportedRole", "ManagedPolicy", "AssumedRole", "Undisclosed")
"""Findings that leave grants of a role unknown."""


class EndpointPolicies:
    """Gives endpoints their policies, once the grants are known.

    Attributes:
        warnings: the reasons why endpoints are not narrowed, by path.
    """

    def __init__(
        self, covered: Mapping[str, Covered], grants: Grants, trust: Trust, narrowing: Callable[[], EndpointPolicy]
    ) -> None:
        """
        Args:
            covered: the functions.
            grants: their grants.
            trust: the accounts whose requests and resources pass.
            narrowing: decides the policies, once the residents of the VPC are known.
        """
        self._covered = covered
        self._grants = grants
        self._trust = trust
        self._narrowing = narrowing
        self._documents: dict[str, Any] = {}
        self.warnings: dict[str, str] = {}

    def narrow(self, endpoint: Resource, construct: ec2.CfnVPCEndpoint) -> None:
        """Gives an endpoint a policy, unless it has one."""
        service = service_in(endpoint.properties.get("ServiceName"))
        if service not in PREFIXES:
            self.warnings[endpoint.name] = (
                f"its service ({service or 'not known before deployment'}) has no resources of an account that its "
                "policy could name: write one by hand, such as one that requires aws:PrincipalAccount"
            )
            return
        before: Any = construct.policy_document
        construct.policy_document = late_any(lambda: self._document(endpoint, construct, service, before))

    def _document(self, endpoint: Resource, construct: ec2.CfnVPCEndpoint, service: str, before: Any) -> Any:
        """The policy, resolved at the end of the synthesis."""
        if endpoint.path not in self._documents:
            stack = cdk.Stack.of(construct)
            own = stack.resolve({"policy": before}).get("policy") if before is not None else None
            stays = self._narrowing() == "none"
            if own is not None:
                self.warnings[endpoint.name] = "it has its own policy, which stays: check that it is as narrow"
            elif stays:
                self.warnings[endpoint.name] = (
                    "the VPC has other residents, which may need buckets of AWS, so it stays unchanged: "
                    'endpoint_policies="account" admits only resources of your accounts'
                )
            self._documents[endpoint.path] = (
                before if own is not None or stays else self._narrow(endpoint, stack, service)
            )
        return self._documents[endpoint.path]

    def _narrow(self, endpoint: Resource, stack: cdk.Stack, service: str) -> dict[str, Any]:
        document = policy_document(service, self._resources(endpoint, stack, service), self._trust)
        if len(json.dumps(stack.resolve(document))) > LONGEST:
            self.warnings[endpoint.name] = (
                f"the granted resources exceed the {LONGEST:,} characters of its policy, so it names only the account"
            )
            document = policy_document(service, None, self._trust)
        return document

    def _resources(self, endpoint: Resource, stack: cdk.Stack, service: str) -> list[str] | None:
        """The ARNs granted to the functions; None where they are unknown, or must not appear in this stack."""
        if self._narrowing() == "account":
            return None
        if service == "logs" and any(covered.on_provider for covered in self._covered.values()):
            self.warnings[endpoint.name] = (
                "instances of a capacity provider write logs through it, so every log group of the account passes"
            )
            return None
        home = path_of(stack)[0]
        found: dict[str, None] = {}
        for handle, caller in self._grants.callers:
            unknown = [finding for finding in caller.findings if finding.id.endswith(_UNKNOWN)]
            resources = None if unknown else granted(caller.statements, PREFIXES[service])
            if resources is None:
                self.warnings[endpoint.name] = (
                    f"the grants of {handle.path} on {service} name no resources, so all of the account pass: name "
                    "them in its role (for an assumed role of another account: that account in accounts=)"
                )
                return None
            for resource in resources:
                stacks = ((target.name, self._grants.reader.stack_of(target.path)) for target in resource.targets)
                away = next((name for name, stack in stacks if stack is None or stack.path != home), None)
                if away:
                    self.warnings[endpoint.name] = (
                        f"{away} is in another stack, to which this one cannot refer in all cases, so all of the "
                        "account pass: create the endpoint in the stack of the granted resource"
                    )
                    return None
                found[resource.text] = None
        return list(found)
