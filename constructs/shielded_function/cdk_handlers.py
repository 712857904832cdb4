"""Tables that identify the CDK's own functions, the handlers of its custom resources, for the app and for the checks.

They match by the CDK's marks, else by the type of the parent, else by the fixed ids of singletons, never by a name that
a user would choose.
"""

from __future__ import annotations

from typing import Final

MARK: Final = "aws:cdk:is-custom-resource-handler-"
"""The prefix of metadata on the CDK's handlers."""

# Constructs whose functions have no mark, by type: the ids of these functions, and their descriptions.
PARENTS: Final = {
    "aws-cdk-lib.custom_resources.Provider": (
        ("framework-onEvent", "framework-isComplete", "framework-onTimeout"),
        "the provider framework",
    ),
    "aws-cdk-lib.aws_eks_v2.KubectlProvider": (("Handler",), "kubectl of an EKS cluster"),
}
# The same for a construct without a specific type: by its id within a construct of such a type.
GRANDPARENTS: Final = {
    ("aws-cdk-lib.aws_autoscaling.AutoScalingGroup", "DrainECSHook"): (
        ("Function",),
        "the drain hook of an ECS cluster",
    )
}

USERS: Final = ("aws-cdk-lib.aws_lambda.Function", "aws-cdk-lib.aws_lambda.CfnFunction")
"""Types that a user creates; the singletons below have other types."""

# Singletons without a mark, by their id in the CDK; the digits are a UUID.
SINGLETONS: Final = {
    "BucketNotificationsHandler050a0587b7544547bf325f094a3db834": "the notifications of a bucket",
    "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a": "LogRetention",
}
