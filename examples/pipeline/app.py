"""A pipeline: beta, where the shield reports and stops nothing, then production, where it blocks.

In between, `shielded-function audit` looks at what is about to be deployed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import pipelines
from constructs import Construct

from shielded_function import AlarmOptions, LogOptions, Shield, ShieldPolicy

# Made once, by hand: https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-create-github.html
CONNECTION = "arn:aws:codeconnections:us-east-1:111122223333:connection/12345678-1234-1234-1234-123456789012"

POLICY = ShieldPolicy(allow_outbound=["api.payments.example:443"], allow_aws="granted")


class Shop(cdk.Stage):
    """What is deployed, with a policy for all the functions in it."""

    def __init__(self, scope: Construct, id: str, policy: ShieldPolicy) -> None:
        super().__init__(scope, id)
        shop = ShopStack(self, "Shop")
        alarms = AlarmOptions(granularity="fleet", actions=[cloudwatch_actions.SnsAction(shop.alarms)])
        Shield.everywhere(self, policy, alarms=alarms, logs=LogOptions(existing=False))


class ShopStack(cdk.Stack):
    """One function, for all that a shop has."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.alarms: Any = sns.Topic(self, "Alarms", enforce_ssl=True)
        cloudwatch: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        self.alarms.grant_publish(cloudwatch)  # a topic with a policy of its own lets nobody publish who is not named
        lambda_.Function(
            self,
            "Charges",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="app.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "handler"), exclude=["__pycache__"]),
            timeout=cdk.Duration.seconds(30),
            memory_size=256,
            # A new libc or interpreter comes with a deployment, to beta first, and not by itself.
            runtime_management_mode=lambda_.RuntimeManagementMode.FUNCTION_UPDATE,
        )


class PipelineStack(cdk.Stack):
    """Synthesizes, audits, deploys to beta, and after somebody's approval to production."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        synth = pipelines.ShellStep(
            "Synth",
            input=pipelines.CodePipelineSource.connection("shop/checkout", "main", connection_arn=CONNECTION),
            install_commands=["npm install -g aws-cdk", "pip install -r requirements.txt"],
            commands=["cdk synth"],
        )
        pipeline = pipelines.CodePipeline(self, "Pipeline", synth=synth, pipeline_type=codepipeline.PipelineType.V2)
        audit = pipelines.ShellStep(
            "Audit",
            input=synth,  # its output, cdk.out, is this step's working directory
            install_commands=["pip install 'shielded-function[cli]'"],
            commands=["shielded-function audit . --strict --production Pipeline/Production"],
        )
        pipeline.add_stage(Shop(self, "Beta", POLICY.with_mode("alert")), pre=[audit])
        approve = pipelines.ManualApprovalStep("Approve")
        pipeline.add_stage(Shop(self, "Production", POLICY), pre=[approve])


app = cdk.App()
PipelineStack(app, "Pipeline")
app.synth()
