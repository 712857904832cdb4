"""A checkout: one Lambda function that takes payments, written down three times to compare.

`Unshielded` is a plain function. `Shielded` is the same code behind a policy. `Watched` is how one would roll the
policy out: nothing is stopped, everything is reported.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from shielded_function import AlarmOptions, ShieldedFunction, ShieldPolicy

# What a payment handler has to do, and nothing else.
POLICY = ShieldPolicy(allow_outbound=["api.payments.example:443"], allow_aws=["dynamodb"], read_handler="block")


class Checkout(TypedDict):
    """What the three functions have in common."""

    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    handler: str
    code: lambda_.Code
    timeout: cdk.Duration
    memory_size: int
    environment: dict[str, str]


class CheckoutStack(cdk.Stack):
    """The orders table, the functions that write to it, and the topic that their alarms call."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        orders = dynamodb.Table(
            self,
            "Orders",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        )
        checkout = Checkout(
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=self._architecture(),
            handler="app.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "handler"), exclude=["**/__pycache__"]),
            timeout=cdk.Duration.seconds(30),
            memory_size=256,
            environment={"ORDERS_TABLE": orders.table_name},
        )
        topic: Any = sns.Topic(self, "Alarms", enforce_ssl=True)
        cloudwatch: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        topic.grant_publish(cloudwatch)  # a topic with a policy of its own lets nobody publish who is not named
        alarms = AlarmOptions(actions=[cloudwatch_actions.SnsAction(topic)])
        functions = [
            lambda_.Function(self, "Unshielded", **checkout),
            ShieldedFunction(self, "Shielded", policy=POLICY, alarms=alarms, **checkout),
            ShieldedFunction(self, "Watched", policy=_only_watch(POLICY), alarms=alarms, **checkout),
        ]
        for function in functions:
            orders.grant_write_data(function)

    def _architecture(self) -> lambda_.Architecture:
        """x86_64, unless `cdk synth -c architecture=arm64` says otherwise."""
        name = self.node.try_get_context("architecture") or "x86_64"
        return {"x86_64": lambda_.Architecture.X86_64, "arm64": lambda_.Architecture.ARM_64}[name]


def _only_watch(policy: ShieldPolicy) -> ShieldPolicy:
    """The same policy in alert mode."""
    return replace(
        policy,
        outbound_connectivity="alert",
        read_write_tmp="alert",
        create_child_process="alert",
        read_handler="alert",
    )


app = cdk.App()
CheckoutStack(app, "Checkout")
app.synth()
