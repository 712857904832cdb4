"""Which functions are the CDK's own: its custom resources' handlers, which are left out unless asked for.

By CDK's marks where there are some, else by the type of the parent, else by the fixed ids of its singletons: never by
a name that a user would choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

MARK: Final = "aws:cdk:is-custom-resource-handler-"
"""Metadata that the CDK puts on its handlers begins with this."""

PROVIDER: Final = "aws-cdk-lib.custom_resources.Provider"
"""The construct whose functions, the framework's, carry no mark."""

_FRAMEWORK: Final = ("framework-onEvent", "framework-isComplete", "framework-onTimeout")

# Singletons without a mark, by the id that the CDK gives them; the digits are a UUID.
SINGLETONS: Final = {
    "BucketNotificationsHandler050a0587b7544547bf325f094a3db834": "the notifications of a bucket",
    "Evalda2d1181604e4a4586941a6abd7fe42d": "EvaluateExpression of Step Functions",
    "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a": "LogRetention",
}


def is_cdk_handler(path: str, marks: Callable[[str], Iterable[str]], type_of: Callable[[str], str]) -> str:
    """Which handler of the CDK's own a function is; empty when it is none.

    Args:
        path: the construct path of the function's resource, `Shop/Prov/framework-onEvent/Resource`.
        marks: the types of the metadata of a construct, by its path.
        type_of: the type of a construct, `aws-cdk-lib.aws_lambda.Function`, by its path; empty when it is not known.
    """
    parts = path.split("/")
    for construct in (path, "/".join(parts[:-1])):
        if any(mark.startswith(MARK) for mark in marks(construct)):
            return "a custom resource of the CDK's"
    for depth in range(max(len(parts) - 2, 0), len(parts)):  # the function, or its resource
        if parts[depth] in SINGLETONS:
            return SINGLETONS[parts[depth]]
        if parts[depth] in _FRAMEWORK and type_of("/".join(parts[:depth])) == PROVIDER:
            return "the provider framework"
    return ""
