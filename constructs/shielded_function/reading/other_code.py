"""Types of resources: functions, other types that run code or contain external functions, and types that run none.

One table for the app and for the checks. It needs no CDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shielded_function_monitoring.cfn.template import STACK


@dataclass(frozen=True)
class OtherCode:
    """A CloudFormation type.

    Attributes:
        why: the unshielded or unseen part: a clause that can follow the construct's path and a colon.
        fix: the fix: a clause that can follow `why` and a colon.
        runs_code: whether the resource runs code of the app; otherwise its functions are in an external template.
        needs: the property that a resource must have; empty for any resource of the type.
    """

    why: str
    fix: str
    runs_code: bool = False
    needs: str = ""

    def is_meant(self, properties: Mapping[str, Any]) -> bool:
        """Whether a resource with these properties, by CloudFormation's names, is of this kind."""
        return not self.needs or self.needs in properties


_NETWORK: Final = "give it a network that admits only the needed hosts"

_WEB: Final = OtherCode(
    "a web function takes no layers, so it cannot be shielded",
    f"{_NETWORK} (EgressNetworkConnectorArn), see docs/guide/other-kinds.md, and acknowledge this",
    runs_code=True,
)
_MICROVM: Final = OtherCode(
    "a MicroVM runs an image without layers, so it cannot be shielded",
    f"{_NETWORK} (EgressNetworkConnectors), see docs/guide/other-kinds.md, and acknowledge this",
    runs_code=True,
)

OTHER_CODE: Final[Mapping[str, OtherCode]] = {
    "AWS::Lambda::WebFunctionRevision": _WEB,
    "AWS::Serverless::WebFunction": _WEB,
    "AWS::Lambda::MicrovmImage": _MICROVM,
    "AWS::Serverless::MicrovmImage": _MICROVM,
    "AWS::Synthetics::Canary": OtherCode(
        "CloudWatch Synthetics makes a canary's function, with its own layer",
        f"{_NETWORK} (VPCConfig), and acknowledge this",
        runs_code=True,
    ),
    "AWS::Serverless::Application": OtherCode(
        "the functions of an application in a repository are not seen here",
        "write your own function in its place, or acknowledge this",
    ),
    "AWS::SecretsManager::RotationSchedule": OtherCode(
        "the rotation function that Secrets Manager makes is not seen here",
        "rotate by a function of this app (rotation_lambda=), or acknowledge this",
        needs="HostedRotationLambda",
    ),
    # A nested stack whose template is in the app does not count: its functions are seen.
    STACK: OtherCode(
        "the functions of a stack whose template is not in this app are not seen here",
        "make it a cdk.NestedStack, shield them in that template, or acknowledge this",
        needs="TemplateURL",
    ),
}

FUNCTIONS: Final = ("AWS::Lambda::Function", "AWS::Serverless::Function")
PREFIXES: Final = ("AWS::Lambda::", "AWS::Serverless::")
"""Prefixes of the types that run code on Lambda, or belong to such types."""

NO_CODE: Final = frozenset(
    (
        "AWS::Lambda::Alias",
        "AWS::Lambda::CapacityProvider",
        "AWS::Lambda::CodeSigningConfig",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::LayerVersionPermission",
        "AWS::Lambda::NetworkConnector",
        "AWS::Lambda::Permission",
        "AWS::Lambda::ResourcePolicy",
        "AWS::Lambda::Url",
        "AWS::Lambda::Version",
        "AWS::Lambda::WebFunction",  # its code is in its revisions
        "AWS::Lambda::WebFunctionEndpoint",
        "AWS::Serverless::Api",
        "AWS::Serverless::CapacityProvider",
        "AWS::Serverless::Connector",
        "AWS::Serverless::GraphQLApi",
        "AWS::Serverless::HttpApi",
        "AWS::Serverless::LayerVersion",
        "AWS::Serverless::NetworkConnector",
        "AWS::Serverless::SimpleTable",
        "AWS::Serverless::StateMachine",
        "AWS::Serverless::WebSocketApi",
    )
)
"""The types with such a prefix that run no code on Lambda
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html,
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-resources-and-properties.html)."""


def other_code(kind: str) -> OtherCode | None:
    """The kind of a type other than a function; None for one that runs no code, and for functions.

    A type of Lambda that is in no list here may run code, as AWS adds types.
    """
    if kind in OTHER_CODE:
        return OTHER_CODE[kind]
    if not kind.startswith(PREFIXES) or kind in NO_CODE or kind in FUNCTIONS:
        return None
    return OtherCode(
        f"this version does not know {kind}, which may run code",
        "upgrade shielded-function, or acknowledge this",
        runs_code=True,
    )


_OUT_OF_SCOPE: Final[Mapping[str, str]] = {
    "AWS::AppRunner::Service": "a service of App Runner",
    "AWS::Batch::JobDefinition": "a job of Batch",
    "AWS::BedrockAgentCore::Runtime": "an agent's runtime of Bedrock AgentCore",
    "AWS::CloudFront::Function": "a CloudFront function, which runs at the edge and reaches nothing",
    "AWS::CodeBuild::Project": "a build of CodeBuild",
    "AWS::ECS::TaskDefinition": "containers of ECS",
    "AWS::Glue::Job": "a job of Glue",
}
"""Types that run code outside Lambda, without a possible shield, in words."""

_EDGE: Final = "a function of Lambda@Edge, which takes neither layers nor environment variables"


def out_of_scope(kind: str, properties: Mapping[str, Any]) -> str:
    """The code that a resource runs outside Lambda, in words; empty for none.

    Args:
        kind: its CloudFormation type.
        properties: its properties, by CloudFormation's names.
    """
    if kind == "AWS::CloudFront::Distribution":
        return _EDGE if _has_edge_function(properties.get("DistributionConfig")) else ""
    return _OUT_OF_SCOPE.get(kind, "")


def _has_edge_function(config: Any) -> bool:
    if not isinstance(config, Mapping):
        return False
    behaviors = [config.get("DefaultCacheBehavior"), *(config.get("CacheBehaviors") or ())]
    return any(isinstance(each, Mapping) and each.get("LambdaFunctionAssociations") for each in behaviors)
