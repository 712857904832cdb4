"""Fixtures: a stack in a known place, a VPC of two zones, and a shielded function in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from shielded_function import ShieldedFunction, ShieldPerimeter, ShieldPolicy

PROMISE = "perimeter.names"

Make = Callable[..., ShieldedFunction]
Walls = Callable[..., "dict[str, Any]"]
Refused = Callable[..., str]
POLICY = ShieldPolicy(allow_outbound=["tcp://api.stripe.com:443", "tcp://10.0.0.0/16:5432"], allow_aws=["sqs"])
# The prefix lists of gateway endpoints, and their networks.
LISTS = {"s3": "pl-s3", "dynamodb": "pl-tables"}
NETWORKS = {"pl-s3": ["3.5.64.0/21", "52.218.0.0/17"], "pl-tables": ["52.94.5.0/24"]}
PLACE = cdk.Environment(account="111122223333", region="eu-west-1")


@pytest.fixture
def shop(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "Shop", env=PLACE)


@pytest.fixture
def vpc(shop: cdk.Stack) -> ec2.Vpc:
    return ec2.Vpc(shop, "Vpc", max_azs=2)


@pytest.fixture
def make(shop: cdk.Stack, vpc: ec2.Vpc, props: dict[str, Any]) -> Make:
    """A shielded function, in the VPC unless `vpc=None`."""

    def build(name: str = "Checkout", policy: ShieldPolicy = POLICY, **more: Any) -> ShieldedFunction:
        given = {"vpc": vpc, **props, **more}
        scope = given.pop("scope", shop)
        return ShieldedFunction(scope, name, policy=policy, **{k: v for k, v in given.items() if v is not None})

    return build


@pytest.fixture
def isolated(shop: cdk.Stack) -> dict[str, Any]:
    """A VPC without a way out, as arguments of a function."""
    vpc = ec2.Vpc(shop, "Isolated", max_azs=2, nat_gateways=0)
    return {"vpc": vpc, "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)}


@pytest.fixture
def walls(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc) -> Walls:
    """Puts a perimeter around the VPC, and returns the template of the stack."""

    def build(*construct_id: str, **options: Any) -> dict[str, Any]:
        ShieldPerimeter(shop, *construct_id, **{"vpc": vpc, **options})
        return synthesize(app)

    return build


@pytest.fixture
def refused(walls: Walls) -> Callable[..., str]:
    """What the synthesis says of a perimeter that cannot be."""

    def build(**options: Any) -> str:
        with pytest.raises(RuntimeError) as caught:
            walls("Perimeter", **options)
        return str(caught.value)

    return build


def synthesize(app: cdk.App, stack: str = "Shop") -> dict[str, Any]:
    """The template of a stack. Each of the app's own stacks is written, and validated as a deployment has it."""
    return json.loads((Path(app.synth().directory) / f"{stack}.template.json").read_text())


def warnings(app: cdk.App, stack: str = "Shop") -> list[str]:
    """What the CDK would show."""
    return [str(message.entry.data) for message in app.synth().get_stack_by_name(stack).messages]


def provider(stack: cdk.Stack, vpc: ec2.Vpc) -> lambda_.CapacityProvider:
    """A capacity provider in the VPC, with the security group `Instances`."""
    group: Any = ec2.SecurityGroup(stack, "Instances", vpc=vpc)
    subnets: Any = vpc.private_subnets
    return lambda_.CapacityProvider(stack, "Capacity", security_groups=[group], subnets=subnets)
