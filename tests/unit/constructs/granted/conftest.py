"""A stack whose functions' grants are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from shielded_function.granted import Grants, read_grants

from .rows import another

PROMISE = "construct.granted"

MakeFunction = Callable[..., lambda_.Function]
Allow = Callable[..., None]
Read = Callable[..., Grants]
Ids = Callable[[Grants], "list[str]"]


@pytest.fixture
def make_function(stack: cdk.Stack) -> MakeFunction:
    def make(name: str = "Checkout", scope: Construct | None = None, **props: Any) -> lambda_.Function:
        return another(scope or stack, name, **props)

    return make


@pytest.fixture
def checkout(make_function: MakeFunction) -> lambda_.Function:
    return make_function()


@pytest.fixture
def allow(checkout: lambda_.Function) -> Allow:
    """Adds a statement to the function's role: actions, then resources."""

    def add(actions: str | list[str], *resources: str, **options: Any) -> None:
        checkout.add_to_role_policy(
            iam.PolicyStatement(
                actions=[actions] if isinstance(actions, str) else actions,
                resources=list(resources) or ["*"],
                **options,
            )
        )

    return add


@pytest.fixture
def read(app: cdk.App, checkout: lambda_.Function) -> Read:
    """Reads one function's grants; by default checkout's."""

    def of(function: lambda_.Function | lambda_.CfnFunction | None = None, **options: Any) -> Grants:
        function = function or checkout
        (grants,) = read_grants(app, [function], **options).values()
        return grants

    return of


@pytest.fixture
def ids() -> Ids:
    """What is said of grants: the ids of their findings, without the common prefix."""
    return lambda grants: [
        finding.id.removeprefix("shielded-function:granted") for finding in (*grants.problems, *grants.warnings)
    ]
