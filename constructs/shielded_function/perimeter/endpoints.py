"""The policies of a VPC's endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from ..granted.stage_reader import Reader
from ..late import late_any
from ..paths import path_of
from .covered import Covered
from .grants import LONGEST, PREFIXES, Trust, granted, policy_document, service_in
from .options import EndpointPolicy
from .residents import Resource

_UNKNOWN = ("ImportedRole", "ManagedPolicy", "AssumedRole", "Undisclosed")
"""Findings after which not all that a role is granted is known."""


class EndpointPolicies:
    """Gives endpoints their policies, once the grants are known.

    Attributes:
        warnings: what is not narrowed, and why, by the endpoint's path.
    """

    def __init__(
        self, covered: Callable[[], Sequence[Covered]], trust: Trust, narrowing: Callable[[], EndpointPolicy]
    ) -> None:
        """
        Args:
            covered: the functions.
            trust: whose requests and resources pass.
            narrowing: what passes, once it is known who is in the VPC.
        """
        self._covered = covered
        self._trust = trust
        self._narrowing = narrowing
        self._reader: Reader | None = None
        self._documents: dict[str, Any] = {}
        self.warnings: dict[str, str] = {}

    def narrow(self, endpoint: Resource, construct: ec2.CfnVPCEndpoint) -> None:
        """Puts a policy on an endpoint, unless it has one."""
        service = service_in(endpoint.properties.get("serviceName"))
        if service not in PREFIXES:
            self.warnings[endpoint.name] = (
                f"its service ({service or 'not known before deployment'}) has no resources of an account that its "
                "policy could name: write one by hand, such as one that requires aws:PrincipalAccount"
            )
            return
        before: Any = construct.policy_document
        construct.policy_document = late_any(lambda: self._document(endpoint, construct, service, before))

    def _document(self, endpoint: Resource, construct: ec2.CfnVPCEndpoint, service: str, before: Any) -> Any:
        """The policy, in the CDK's last steps."""
        if endpoint.path not in self._documents:
            stack = cdk.Stack.of(construct)
            own = stack.resolve({"policy": before}).get("policy") if before is not None else None
            stays = self._narrowing() == "none"
            if own is not None:
                self.warnings[endpoint.name] = "it has its own policy, which stays: see that it is as narrow"
            elif stays:
                self.warnings[endpoint.name] = (
                    "others are in the VPC, who may need buckets of AWS's, so it stays as it is: "
                    'endpoint_policies="account" admits what your accounts own and no more'
                )
            self._documents[endpoint.path] = (
                before if own is not None or stays else self._narrow(endpoint, stack, service)
            )
        return self._documents[endpoint.path]

    def _narrow(self, endpoint: Resource, stack: cdk.Stack, service: str) -> dict[str, Any]:
        document = policy_document(service, self._resources(endpoint, stack, service), self._trust)
        if len(json.dumps(stack.resolve(document))) > LONGEST:
            self.warnings[endpoint.name] = (
                f"what is granted does not fit the {LONGEST:,} characters of its policy, so it names the account alone"
            )
            document = policy_document(service, None, self._trust)
        return document

    def _resources(self, endpoint: Resource, stack: cdk.Stack, service: str) -> list[str] | None:
        """ARNs that the functions are granted; None where they are unknown, or must not appear in this stack."""
        if self._narrowing() == "account":
            return None
        if service == "logs" and any(covered.on_provider for covered in self._covered()):
            self.warnings[endpoint.name] = (
                "the instances of a capacity provider write logs through it, so any log group of the account's passes"
            )
            return None
        if self._reader is None:
            stage = cdk.Stage.of(stack)
            assert stage is not None, "a stack is in a stage: the app, at least"
            self._reader = Reader(stage, [covered.attached.handle for covered in self._covered()])
        home = path_of(stack)[0]
        found: dict[str, None] = {}
        for path, _, caller in self._reader.callers():
            unknown = [finding for finding in caller.findings if finding.id.endswith(_UNKNOWN)]
            resources = None if unknown else granted(caller.statements, PREFIXES[service])
            if resources is None:
                self.warnings[endpoint.name] = (
                    f"what {path} is granted of {service} is not named, so any of the account's pass: name it "
                    "in its role (a role of another account that it assumes: that account in accounts=)"
                )
                return None
            for resource in resources:
                away = next((target.name for target in resource.targets if self._stack_of(target.path) != home), None)
                if away:
                    self.warnings[endpoint.name] = (
                        f"{away} is in another stack, which this one cannot refer to in all cases, so any of the "
                        "account's pass: make the endpoint in the stack of what is granted"
                    )
                    return None
                found[resource.text] = None
        return list(found)

    def _stack_of(self, path: str) -> str | None:
        place = self._reader.tokens.place_of(path) if self._reader else None
        return place.path if place else None
