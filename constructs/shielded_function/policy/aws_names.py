"""Common names of AWS services, and botocore's, which `allow_aws` takes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shielded_function_runtime import core

# By the name in lower case without blanks, hyphens and a leading Amazon or AWS: consoles, IAM prefixes, CDK modules.
_MEANT: Mapping[str, str] = {
    "applicationautoscaling": "application-autoscaling",
    "appsyncgraphql": "appsync",
    "bedrockagents": "bedrock-agent",
    "bedrockconverse": "bedrock-runtime",
    "bedrockconversestream": "bedrock-runtime",
    "bedrockinvokemodel": "bedrock-runtime",
    "bedrockinvokemodelwithresponsestream": "bedrock-runtime",
    "certificatemanager": "acm",
    "cloudmap": "servicediscovery",
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "cognito": "cognito-idp",
    "cognitoidentity": "cognito-identity",
    "cognitouserpools": "cognito-idp",
    "databasemigrationservice": "dms",
    "ddb": "dynamodb",
    "dynamo": "dynamodb",
    "elasticcontainerregistry": "ecr",
    "elasticcontainerservice": "ecs",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticmapreduce": "emr",
    "elasticsearch": "es",
    "eventbridge": "events",
    "eventbridgepipes": "pipes",
    "eventbridgescheduler": "scheduler",
    "identityandaccessmanagement": "iam",
    "keymanagementservice": "kms",
    "kinesisfirehose": "firehose",
    "kinesisstreams": "kinesis",
    "lambdafunction": "lambda",
    "lex": "lexv2-runtime",
    "loadbalancing": "elbv2",
    "managedgrafana": "grafana",
    "managedstreamingforapachekafka": "kafka",
    "mobiletargeting": "pinpoint",
    "monitoring": "cloudwatch",
    "msk": "kafka",
    "opensearchservice": "opensearch",
    "parameterstore": "ssm",
    "relationaldatabaseservice": "rds",
    "securitytokenservice": "sts",
    "secretmanager": "secretsmanager",
    "secrets": "secretsmanager",
    "sfn": "stepfunctions",
    "simpleemailservice": "ses",
    "simplenotificationservice": "sns",
    "simplequeueservice": "sqs",
    "simplestorageservice": "s3",
    "simplesystemsmanager": "ssm",
    "states": "stepfunctions",
    "stepfunction": "stepfunctions",
    "systemsmanager": "ssm",
    "tagging": "resourcegroupstaggingapi",
    "tag": "resourcegroupstaggingapi",
}
_NOT_ENDPOINTS: Mapping[str, str] = {
    "executeapi": "the hosts of your APIs are not AWS's own: list them in allow_outbound",
    "rdsdb": "databases are hosts of your own: list their endpoints in allow_outbound",
    "aoss": "collections are hosts of your own: list their endpoints in allow_outbound",
}


def is_service(name: str) -> bool:
    """Whether the core has endpoints of a service of this name."""
    try:
        core.parse(f"SHIELD_ALLOW_AWS={name}\n")
    except core.PolicyError:
        return False
    return True


def service_meant(name: str) -> str:
    """The fix for a name that is no service: the probable service, in words; empty where unknown.

    Examples:
        >>> service_meant("EventBridge"), service_meant("bedrock:InvokeModel"), service_meant("dynamodb:GetItem")
        ('use "events"', 'use "bedrock-runtime"', 'use "dynamodb"')
    """
    plain = re.sub("[^a-z0-9]", "", re.sub("^(amazon|aws)[ :_-]*", "", name.strip().lower()))
    if plain in _NOT_ENDPOINTS:
        return _NOT_ENDPOINTS[plain]
    for candidate in (_MEANT.get(plain, ""), name.strip().lower(), plain, re.sub("[ _]", "-", name.strip().lower())):
        if candidate and is_service(candidate):
            return f'use "{candidate}"'
    return service_meant(name.partition(":")[0]) if ":" in name else ""  # an action, as IAM has it
