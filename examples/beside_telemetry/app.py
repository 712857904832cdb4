"""Two functions that are watched by somebody else as well: by AWS's OpenTelemetry, and by Datadog.

Each has an exec wrapper already. Lambda runs one; the shield takes its place, and starts the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from shielded_function import AlarmOptions, ShieldedFunction, ShieldPolicy

# https://docs.datadoghq.com/serverless/libraries_integrations/extension/ and .../aws_lambda/installation/python/
DATADOG_ACCOUNT = "464622532012"
DATADOG_LAYERS = ("Datadog-Python313:112", "Datadog-Extension:82")


class Function(TypedDict):
    """What both functions are."""

    runtime: lambda_.Runtime
    handler: str
    code: lambda_.Code
    timeout: cdk.Duration
    memory_size: int


class TelemetryStack(cdk.Stack):
    """The functions."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        alarms: Any = sns.Topic(self, "Alarms", enforce_ssl=True)
        cloudwatch: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        alarms.grant_publish(cloudwatch)  # a topic with a policy of its own lets nobody publish who is not named
        actions = AlarmOptions(actions=[cloudwatch_actions.SnsAction(alarms)])
        function = Function(
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="app.handler",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "handler"), exclude=["__pycache__"]),
            timeout=cdk.Duration.seconds(30),
            memory_size=512,
        )
        # The layer's collector is an extension, a process beside the function: the function sends to it on loopback,
        # and it sends to X-Ray. The shield watches the function, so nothing has to be listed for either.
        python = lambda_.AdotLambdaLayerPythonSdkVersion.LATEST
        ShieldedFunction(
            self,
            "Traced",
            policy=ShieldPolicy(allow_outbound=["api.payments.example:443"], allow_aws="none"),
            alarms=actions,
            tracing=lambda_.Tracing.ACTIVE,
            adot_instrumentation=lambda_.AdotInstrumentationConfig(
                exec_wrapper=lambda_.AdotLambdaExecWrapper.INSTRUMENT_HANDLER,
                layer_version=lambda_.AdotLayerVersion.from_python_sdk_layer_version(python),
            ),
            **function,
        )
        # The same: the function tells Datadog's extension on loopback, and the extension fetches the key and sends.
        key = secretsmanager.Secret.from_secret_name_v2(self, "DatadogKey", "datadog-api-key")
        watched = ShieldedFunction(
            self,
            "Watched",
            policy=ShieldPolicy(allow_outbound=["api.payments.example:443"], allow_aws="none"),
            alarms=actions,
            layers=[self._datadog(name) for name in DATADOG_LAYERS],
            environment={
                "AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper",
                "DD_SITE": "datadoghq.eu",
                "DD_API_KEY_SECRET_ARN": key.secret_arn,
            },
            **function,
        )
        key.grant_read(watched)

    def _datadog(self, name: str) -> lambda_.ILayerVersion:
        arn = f"arn:aws:lambda:{self.region}:{DATADOG_ACCOUNT}:layer:{name}"
        return lambda_.LayerVersion.from_layer_version_arn(self, name.partition(":")[0], arn)


app = cdk.App()
TelemetryStack(app, "Telemetry")
app.synth()
