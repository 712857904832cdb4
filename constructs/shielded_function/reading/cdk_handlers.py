"""Recognizes the CDK's own functions, the handlers of its custom resources, in the app and in an assembly.

They match by the CDK's marks, else by the type of the parent, else by the fixed ids of singletons, never by a name that
a user would choose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
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
_OWN_IDS: Final = {own for ids, _ in (*PARENTS.values(), *GRANDPARENTS.values()) for own in ids}


def cdk_handler(path: str, marks: Iterable[str], types_of: Callable[[str], Collection[str]]) -> str:
    """The name of the CDK's handler that a function is; empty for other functions.

    Args:
        path: the construct path of the function, or of its resource, `Shop/Prov/framework-onEvent/Resource`.
        marks: the types of the metadata on it, and on its parent.
        types_of: the types of a construct, `aws-cdk-lib.aws_lambda.Function`, by its path; empty where unknown.
    """
    if any(mark.startswith(MARK) for mark in marks):
        return "a custom resource of the CDK"
    parts = path.split("/")
    for depth in range(max(len(parts) - 2, 0), len(parts)):
        above, own = "/".join(parts[:depth]), parts[depth]
        if own in SINGLETONS and not any(kind in USERS for kind in types_of("/".join(parts[: depth + 1]))):
            return SINGLETONS[own]
        if own not in _OWN_IDS:
            continue  # the types of constructs are in the app's tree, which few apps need
        hooks = ((kind, parts[depth - 1]) for kind in types_of("/".join(parts[: depth - 1])))
        known = (*(PARENTS.get(kind) for kind in types_of(above)), *(GRANDPARENTS.get(hook) for hook in hooks))
        if handler := next((name for ids, name in filter(None, known) if own in ids), ""):
            return handler
    return ""
