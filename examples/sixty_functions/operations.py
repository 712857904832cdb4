"""What a deployment does, and who is told: custom resources, a rotation, a test, the alarms' topic."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_deployment as s3_deployment
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import custom_resources as cr
from aws_cdk import triggers
from constructs import Construct
from data import Data
from functions import JAVA, NODE, PYTHON, Row, make_functions

ROWS = (
    Row("SeedTariffs", PYTHON, "write customers"),
    Row("AreSeeded", PYTHON, "read customers"),
    Row("MigrateSchema", PYTHON, options={"handler": "index.migrate_schema"}),
    Row("RotateCarrierKey", PYTHON),
    Row("SmokeTest", NODE, "read parcels", make=triggers.TriggerFunction),
    Row("GuardBudget", NODE, "ce:GetCostAndUsage", make=lambda_.SingletonFunction, options={"uuid": "9c1f3c0e"}),
    Row("OnLate", JAVA, "read parcels"),
)


class Operations(cdk.Stack):
    """The stack that is deployed last."""

    def __init__(self, scope: Construct, id: str, data: Data) -> None:
        super().__init__(scope, id)
        functions = make_functions(self, data, ROWS)
        self.alarms: Any = sns.Topic(self, "Alarms", enforce_ssl=True)
        told: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        self.alarms.grant_publish(told)  # a topic with a policy of its own lets nobody publish who is not named
        self.alarms.add_subscription(subscriptions.LambdaSubscription(functions["GuardBudget"]))
        age = data.letters.metric_approximate_age_of_oldest_message()
        late = cloudwatch.Alarm(self, "Late", metric=age, threshold=3600, evaluation_periods=1)
        act: Any = cloudwatch_actions.LambdaAction(functions["OnLate"])
        late.add_alarm_action(act)
        rotate = functions["RotateCarrierKey"]
        key: Any = data.carrier_key
        secretsmanager.RotationSchedule(self, "Monthly", secret=key, rotation_lambda=rotate)
        self._custom_resources(data, functions)

    def _custom_resources(self, data: Data, functions: dict[str, Any]) -> None:
        # CloudFormation asks one function, which answers it, and the CDK's provider framework, which asks two.
        cdk.CustomResource(self, "Schema", service_token=functions["MigrateSchema"].function_arn)
        seed, seeded = functions["SeedTariffs"], functions["AreSeeded"]
        provider = cr.Provider(self, "Seeding", on_event_handler=seed, is_complete_handler=seeded)
        cdk.CustomResource(self, "Tariffs", service_token=provider.service_token)
        # These bring functions of the CDK's own.
        template = s3_deployment.Source.data("templates/report.csv", "parcel\n")
        s3_deployment.BucketDeployment(self, "Templates", destination_bucket=data.reports, sources=[template])
        once = cr.PhysicalResourceId.of("texts")
        call = cr.AwsSdkCall(service="sns", action="getSMSAttributes", physical_resource_id=once)
        allowed = cr.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"])
        cr.AwsCustomResource(self, "Texts", on_update=call, policy=allowed, install_latest_aws_sdk=False)
        name, month = f"/old/{self.stack_name}", logs.RetentionDays.ONE_MONTH
        logs.LogRetention(self, "OldLog", log_group_name=name, retention=month)
