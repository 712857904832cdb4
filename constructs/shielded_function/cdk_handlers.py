"""How to tell the CDK's own functions, the handlers of its custom resources: one table for the app and for the checks.

By CDK's marks where there are some, else by the type of the parent, else by the fixed ids of its singletons: never by
a name that a user would choose.
"""

from __future__ import annotations

from typing import Final

MARK: Final = "aws:cdk:is-custom-resource-handler-"
"""Metadata that the CDK puts on its handlers begins with this."""

# Constructs whose functions carry no mark, by type: the ids of these functions, and what they are.
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
"""Types that a user makes; the singletons below are none of them."""

# Singletons without a mark, by the id that the CDK gives them; the digits are a UUID.
SINGLETONS: Final = {
    "BucketNotificationsHandler050a0587b7544547bf325f094a3db834": "the notifications of a bucket",
    "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a": "LogRetention",
}
