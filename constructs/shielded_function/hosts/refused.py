"""Constructs that users list by mistake, as they are not hosts, with alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "appconfig": ("aws_appconfig.Application", "aws_appconfig.IApplication"),
    "athena": ("aws_athena.CfnWorkGroup",),
    "bedrock": ("aws_bedrock.CfnAgent", "aws_bedrock.FoundationModel"),
    "cognito-idp": ("aws_cognito.UserPool", "aws_cognito.IUserPool"),
    "dynamodb": (
        "aws_dynamodb.TableBase",
        "aws_dynamodb.TableBaseV2",
        "aws_dynamodb.ITable",
        "aws_dynamodb.ITableV2",
        "aws_dynamodb.CfnTable",
        "aws_dynamodb.CfnGlobalTable",
    ),
    "ecr": ("aws_ecr.RepositoryBase", "aws_ecr.IRepository"),
    "ecs": ("aws_ecs.Cluster", "aws_ecs.ICluster"),
    "events": ("aws_events.EventBus", "aws_events.IEventBus", "aws_events.CfnEventBus"),
    "firehose": (
        "aws_kinesisfirehose.DeliveryStream",
        "aws_kinesisfirehose.IDeliveryStream",
        "aws_kinesisfirehose.CfnDeliveryStream",
    ),
    "kinesis": ("aws_kinesis.Stream", "aws_kinesis.IStream", "aws_kinesis.CfnStream"),
    "kms": ("aws_kms.Key", "aws_kms.Alias", "aws_kms.IKey", "aws_kms.CfnKey"),
    "logs": ("aws_logs.LogGroup", "aws_logs.ILogGroup", "aws_logs.CfnLogGroup"),
    "sns": ("aws_sns.TopicBase", "aws_sns.ITopic", "aws_sns.CfnTopic"),
    "sqs": ("aws_sqs.QueueBase", "aws_sqs.IQueue", "aws_sqs.CfnQueue"),
    "stepfunctions": (
        "aws_stepfunctions.StateMachine",
        "aws_stepfunctions.IStateMachine",
        "aws_stepfunctions.CfnStateMachine",
    ),
}

_SENTENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "CloudFormation does not tell an MSK cluster's brokers: list their names as text, as "
    "`aws kafka get-bootstrap-brokers` prints them": (
        "aws_msk.CfnCluster",
        "aws_msk.CfnServerlessCluster",
        "@aws-cdk/aws-msk-alpha.Cluster",
        "@aws-cdk/aws-msk-alpha.ICluster",
    ),
    "a DAX cluster's clients connect to its nodes' addresses: list the VPC, or the subnets of its subnet group": (
        "aws_dax.CfnCluster",
    ),
    "a secret is not a host, and its value would stand in the function's environment: list `secretsmanager` in "
    "allow_aws to read it, and write the host as text": (
        "SecretValue",
        "aws_secretsmanager.Secret",
        "aws_secretsmanager.SecretTargetAttachment",
        "aws_secretsmanager.ISecret",
        "aws_secretsmanager.CfnSecret",
    ),
    "a parameter is not a host: list its string_value, or `ssm` in allow_aws to read it in the function": (
        "aws_ssm.StringParameter",
        "aws_ssm.StringListParameter",
        "aws_ssm.IParameter",
        "aws_ssm.IStringParameter",
        "aws_ssm.IStringListParameter",
    ),
    "a CloudFormation parameter is not a host: list its value_as_string (value_as_list)": ("CfnParameter",),
    "a function has no host: list its URL (fn.add_function_url()), or `lambda` in allow_aws to invoke it": (
        "aws_lambda.FunctionBase",
        "aws_lambda.Alias",
        "aws_lambda.Version",
        "aws_lambda.IFunction",
        "aws_lambda.CfnFunction",
        "aws_cloudfront.experimental.EdgeFunction",
    ),
    "an imported or gateway VPC endpoint has no DNS name here: list the name as text (a gateway needs none)": (
        "aws_ec2.IInterfaceVpcEndpoint",
        "aws_ec2.GatewayVpcEndpoint",
        "aws_ec2.IGatewayVpcEndpoint",
    ),
    "a listener, target group or service is not a host: list its load balancer": (
        "aws_elasticloadbalancingv2.BaseListener",
        "aws_elasticloadbalancingv2.TargetGroupBase",
        "aws_ecs.BaseService",
        "aws_ecs_patterns.ApplicationLoadBalancedServiceBase",
        "aws_ecs_patterns.NetworkLoadBalancedServiceBase",
    ),
    "a security group is not a network: list the VPC, a subnet or the construct behind it": (
        "aws_ec2.SecurityGroup",
        "aws_ec2.ISecurityGroup",
    ),
    "list its text, endpoint.socket_address": ("aws_rds.Endpoint", "aws_docdb.Endpoint"),
}

REFUSED: Final[Mapping[str, str]] = {
    **{
        kind: f"it is an AWS service: list `{service}` in allow_aws"
        for service, kinds in _SERVICES.items()
        for kind in kinds
    },
    **{kind: sentence for sentence, kinds in _SENTENCES.items() for kind in kinds},
}
"""The message for a construct, by type."""

SERVICES: Final = tuple(_SERVICES)
