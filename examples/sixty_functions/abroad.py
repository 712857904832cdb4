"""Two regions, and a central stack for the topic and the key: what an app of several teams has."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from functions import NODE, PYTHON, Row, make_functions

ACCOUNT, HOME, AWAY = "111122223333", "eu-west-1", "us-east-1"
VENDOR = f"arn:aws:lambda:{HOME}:444455556666:layer:vendor-tracer:12"

ROWS = (
    Row("TellAway", PYTHON, "send away"),
    Row("OnlyAudited", PYTHON),
    Row("Traced", NODE),
)


class Central(cdk.Stack):
    """One topic and one key for all teams."""

    def __init__(self, scope: Construct, id: str, env: cdk.Environment) -> None:
        super().__init__(scope, id, env=env)
        self.alarms: Any = sns.Topic(self, "Alarms", enforce_ssl=True)
        told: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        self.alarms.grant_publish(told)
        self.key: Any = kms.Key(self, "Logs", enable_key_rotation=True)
        # An export stays while others import it: without these, a deployment without shields would be refused.
        self.export_value(self.alarms.topic_arn)
        self.export_value(self.key.key_arn)


class Home(cdk.Stack):
    """The functions."""

    def __init__(self, scope: Construct, id: str, env: cdk.Environment, away: sqs.IQueue) -> None:
        super().__init__(scope, id, env=env, cross_region_references=True)
        self.away = away
        self.functions = make_functions(self, self, ROWS)
        audited = cdk.CfnParameter(self, "Audited", default="no", allowed_values=["yes", "no"])
        wanted = cdk.CfnCondition(self, "IsAudited", expression=cdk.Fn.condition_equals(audited.value_as_string, "yes"))
        only = self.functions["OnlyAudited"].node.default_child
        only.cfn_options.condition = wanted
        # The bank's role: its statements are another team's, and cover the log groups that Lambda makes.
        own: Any = iam.ServicePrincipal("lambda.amazonaws.com")
        role = iam.Role(self, "Bank", assumed_by=own)
        logs = self.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/lambda/*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        role.add_to_policy(iam.PolicyStatement(actions=["logs:*"], resources=[logs]))
        fixed = Row("Fixed", PYTHON, options={"role": role.without_policy_updates()})
        self.functions |= make_functions(self, self, [fixed])


class Abroad(cdk.Stage):
    """A queue in one region, and functions in another that send to it."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        home, away = (cdk.Environment(account=ACCOUNT, region=region) for region in (HOME, AWAY))
        mirror = cdk.Stack(self, "Mirror", env=away, cross_region_references=True)
        self.central = Central(self, "Central", home)
        self.home = Home(self, "Home", home, sqs.Queue(mirror, "Moves", enforce_ssl=True))

    def add_vendor_layer(self, shield: lambda_.ILayerVersion) -> None:
        """As vendors' guides do it: an override of all layers, which has to keep the shield's."""
        function = self.home.functions["Traced"].node.default_child
        function.add_property_override("Layers", [self.home.resolve(shield.layer_version_arn), VENDOR])
