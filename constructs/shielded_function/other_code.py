"""Resources other than functions that run code, or that bring functions from elsewhere: one table for the app and for
the checks. Needs no CDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class OtherCode:
    """A CloudFormation type.

    Attributes:
        why: what is not shielded, or not seen: a clause that can follow the construct's path and a colon.
        fix: what to do: a clause that can follow that and a colon.
        runs_code: the resource itself runs code of the app's; otherwise its functions are in a template elsewhere.
        needs: the property that makes it one; empty for any resource of the type.
    """

    why: str
    fix: str
    runs_code: bool = False
    needs: str = ""

    def is_meant(self, properties: Mapping[str, Any]) -> bool:
        """Whether a resource with these properties, by CloudFormation's names, is one."""
        return not self.needs or self.needs in properties


_NETWORK: Final = "give it a network that lets out what it needs"
STACK: Final = "AWS::CloudFormation::Stack"
"""A nested stack whose template is in the app is none of them: its functions are seen."""

OTHER_CODE: Final[Mapping[str, OtherCode]] = {
    "AWS::Lambda::WebFunctionRevision": OtherCode(
        "a web function takes no layers, so it cannot be shielded",
        f"{_NETWORK} (EgressNetworkConnectorArn), and acknowledge this",
        runs_code=True,
    ),
    "AWS::Lambda::MicrovmImage": OtherCode(
        "a MicroVM runs an image without layers, so it cannot be shielded",
        f"{_NETWORK} (EgressNetworkConnectors), and acknowledge this",
        runs_code=True,
    ),
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
    STACK: OtherCode(
        "the functions of a stack whose template is not in this app are not seen here",
        "make it a cdk.NestedStack, shield them in that template, or acknowledge this",
        needs="TemplateURL",
    ),
}
