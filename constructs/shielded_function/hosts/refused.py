"""Constructs that users list by mistake, as they are not hosts, with alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .types import types_in

_SERVICES: Final[Mapping[str, str]] = {
    "appconfig": "aws_appconfig: Application IApplication",
    "athena": "aws_athena: CfnWorkGroup",
    "bedrock": "aws_bedrock: CfnAgent FoundationModel",
    "cognito-idp": "aws_cognito: UserPool IUserPool",
    "dynamodb": "aws_dynamodb: TableBase TableBaseV2 ITable ITableV2 CfnTable CfnGlobalTable",
    "ecr": "aws_ecr: RepositoryBase IRepository",
    "ecs": "aws_ecs: Cluster ICluster",
    "events": "aws_events: EventBus IEventBus CfnEventBus",
    "firehose": "aws_kinesisfirehose: DeliveryStream IDeliveryStream CfnDeliveryStream",
    "kinesis": "aws_kinesis: Stream IStream CfnStream",
    "kms": "aws_kms: Key Alias IKey CfnKey",
    "logs": "aws_logs: LogGroup ILogGroup CfnLogGroup",
    "sns": "aws_sns: TopicBase ITopic CfnTopic",
    "sqs": "aws_sqs: QueueBase IQueue CfnQueue",
    "stepfunctions": "aws_stepfunctions: StateMachine IStateMachine CfnStateMachine",
}

_SENTENCES: Final[Mapping[str, str]] = {
    "aws_msk: CfnCluster CfnServerlessCluster, @aws-cdk/aws-msk-alpha: Cluster ICluster": (
        "CloudFormation does not tell an MSK cluster's brokers: list their names as text, as "
        "`aws kafka get-bootstrap-brokers` prints them"
    ),
    "aws_dax: CfnCluster": (
        "a DAX cluster's clients connect to its nodes' addresses: list the VPC, or the subnets of its subnet group"
    ),
    "SecretValue, aws_secretsmanager: Secret SecretTargetAttachment ISecret CfnSecret": (
        "a secret is not a host, and its value would stand in the function's environment: list `secretsmanager` in "
        "allow_aws to read it, and write the host as text"
    ),
    "aws_ssm: StringParameter StringListParameter IParameter IStringParameter IStringListParameter": (
        "a parameter is not a host: list its string_value, or `ssm` in allow_aws to read it in the function"
    ),
    "CfnParameter": "a CloudFormation parameter is not a host: list its value_as_string (value_as_list)",
    "aws_lambda: FunctionBase Alias Version IFunction CfnFunction, aws_cloudfront.experimental: EdgeFunction": (
        "a function has no host: list its URL (fn.add_function_url()), or `lambda` in allow_aws to invoke it"
    ),
    "aws_ec2: IInterfaceVpcEndpoint GatewayVpcEndpoint IGatewayVpcEndpoint": (
        "an imported or gateway VPC endpoint has no DNS name here: list the name as text (a gateway needs none)"
    ),
    "aws_elasticloadbalancingv2: BaseListener TargetGroupBase, aws_ecs: BaseService, "
    "aws_ecs_patterns: ApplicationLoadBalancedServiceBase NetworkLoadBalancedServiceBase": (
        "a listener, target group or service is not a host: list its load balancer"
    ),
    "aws_ec2: SecurityGroup ISecurityGroup": (
        "a security group is not a network: list the VPC, a subnet or the construct behind it"
    ),
    "aws_rds: Endpoint, aws_docdb: Endpoint": "list its text, endpoint.socket_address",
}

REFUSED: Final[Mapping[str, str]] = {
    kind: sentence
    for kinds, sentence in (
        *((kinds, f"it is an AWS service: list `{service}` in allow_aws") for service, kinds in _SERVICES.items()),
        *_SENTENCES.items(),
    )
    for kind in types_in(kinds)
}
"""The message for a construct, by type."""

SERVICES: Final = tuple(_SERVICES)
