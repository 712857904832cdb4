"""A function that is a container image. Lambda gives images no layers, so the shield's files are in the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from shielded_function import AlarmOptions, Shield, ShieldChecks, ShieldPolicy


class ImageStack(cdk.Stack):
    """The function."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        alarms: Any = sns.Topic(self, "Alarms", enforce_ssl=True)
        cloudwatch: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        alarms.grant_publish(cloudwatch)  # a topic with a policy of its own lets nobody publish who is not named
        charges = lambda_.DockerImageFunction(
            self,
            "Charges",
            code=lambda_.DockerImageCode.from_image_asset(
                str(Path(__file__).parent / "image"), platform=ecr_assets.Platform.LINUX_AMD64
            ),
            architecture=lambda_.Architecture.X86_64,
            timeout=cdk.Duration.seconds(30),
            memory_size=256,
        )
        Shield(
            ShieldPolicy(allow_outbound=["api.payments.example:443"], allow_aws="none"),
            alarms=AlarmOptions(actions=[cloudwatch_actions.SnsAction(alarms)]),
            in_image=True,
        ).apply(charges)
        cdk.Validations.of(charges).acknowledge(
            cdk.Acknowledgment(id="shielded-function::image-unseen", reason="image/Dockerfile copies the layer to /opt")
        )


app = cdk.App()
ImageStack(app, "Image")
cdk.Validations.of(app).add_plugins(ShieldChecks())
app.synth()
