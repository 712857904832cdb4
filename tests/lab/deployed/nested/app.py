"""What the deployment of any app has to cope with: two stacks, one nested, a custom resource, a composite alarm."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from shielded_function import ShieldedFunction


def code() -> lambda_.Code:
    """The same folder, for one stack: the CDK wants an object for each."""
    return lambda_.Code.from_asset(str(Path(__file__).parent / "src"), exclude=["**/__pycache__"])


def shielded(scope: Construct, name: str, **environment: str) -> ShieldedFunction:
    """A function with the default policy."""
    return ShieldedFunction(
        scope,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=code(),
        environment=environment,
    )


app = cdk.App()
outer = cdk.Stack(app, "Outer")
queue = sqs.Queue(outer, "Queue")
first = shielded(outer, "First", QUEUE=queue.queue_url)
inner = cdk.NestedStack(outer, "Inner")
second = shielded(inner, "Second", QUEUE=queue.queue_url)
assert first.shield.alarm is not None
rule = cloudwatch.AlarmRule.from_alarm(first.shield.alarm, cloudwatch.AlarmState.ALARM)
cloudwatch.CompositeAlarm(outer, "Any", alarm_rule=rule)
answering = lambda_.Function(
    outer, "Answering", runtime=lambda_.Runtime.PYTHON_3_13, handler="app.handler", code=code()
)
cdk.CustomResource(outer, "Custom", service_token=answering.function_arn, resource_type="Custom::Answered")
shielded(cdk.Stack(app, "Other"), "Third")
app.synth()
