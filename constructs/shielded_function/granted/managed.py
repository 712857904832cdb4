"""AWS managed policies for functions, by name. Others are not read, as AWS changes them without the app.

From the AWS Managed Policy Reference
(https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .resources import Field, literal, parse_arn

__all__ = ["LAMBDAS_OWN", "STATEMENTS", "managed_name"]

LAMBDAS_OWN: Final[Mapping[str, str]] = {
    "AWSXRayDaemonWriteAccess": "Lambda's daemon sends the traces",
    "AWSXrayWriteOnlyAccess": "Lambda's daemon sends the traces",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy": "Lambda's daemon sends the traces",
    "CloudWatchLambdaInsightsExecutionRolePolicy": "the Insights extension writes the log",
    "service-role/AWSLambdaBasicExecutionRole": "Lambda writes the log",
    "service-role/AWSLambdaENIManagementAccess": "Lambda makes the network interfaces",
    "service-role/AWSLambdaVPCAccessExecutionRole": "Lambda makes the network interfaces",
}
"""Policies whose actions Lambda or an extension uses, not the function."""

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    # `config.CustomRule` of the CDK adds it.
    "service-role/AWSConfigRulesExecutionRole": (
        *("config:BatchGet*", "config:Describe*", "config:Get*", "config:List*", "config:Put*", "config:Select*"),
        "s3:GetObject",
    ),
    "service-role/AWSLambdaBasicDurableExecutionRolePolicy": (
        "lambda:CheckpointDurableExecution",
        "lambda:GetDurableExecutionState",
    ),
    "service-role/AWSLambdaDynamoDBExecutionRole": (
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    ),
    "service-role/AWSLambdaKinesisExecutionRole": (
        "kinesis:DescribeStream",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ),
    "service-role/AWSLambdaMSKExecutionRole": ("kafka:DescribeCluster", "kafka:GetBootstrapBrokers"),
    "service-role/AWSLambdaSQSQueueExecutionRole": (
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ),
}
"""Grants of AWS managed policies that a function's code may use."""


def managed_name(arn: Field) -> str:
    """`service-role/AWSLambdaBasicExecutionRole`, for an AWS managed policy; empty for another."""
    fields = parse_arn(arn)
    if fields is None or literal(fields.service) != "iam" or literal(fields.account) != "aws":
        return ""
    return (literal(fields.resource) or "").removeprefix("policy/")
