"""Kinds of constructs: a function to shield, a function of the CDK, or a construct that only looks like one.

Types and the CDK's metadata decide, never a name that a user could choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from shielded_function_monitoring.cfn.template import STACK

from .cdk_handlers import USERS, cdk_handler
from .other_code import FUNCTIONS, NO_CODE, OTHER_CODE, PREFIXES, other_code
from .paths import find_constructs, path_of

_FUNCTION, _SAM_FUNCTION = FUNCTIONS
_SAM_TYPE: Final = "aws-cdk-lib.aws_sam.CfnFunction"

_INSTEAD: Final[tuple[tuple[str, str], ...]] = (
    ("aws-cdk-lib.aws_lambda.Alias", "an alias points at a version of a function: shield the function"),
    ("aws-cdk-lib.aws_lambda.Version", "a version is a copy of a function: shield the function"),
    (
        "aws-cdk-lib.aws_cloudfront.experimental.EdgeFunction",
        "Lambda@Edge takes neither layers nor environment variables, so it cannot be shielded",
    ),
    (
        "aws-cdk-lib.aws_lambda.FunctionBase",
        "it is imported, and its code and settings are another app's: shield it there",
    ),
)


# Classes of the CDK that a shield looks for.
CLASSES: Final = ("Stage", "Stack", "aws_lambda.FunctionBase")


_OTHER_TYPES: Final = (*OTHER_CODE, *PREFIXES, *(f"!{kind}" for kind in (*FUNCTIONS, *NO_CODE)))


def find_relevant(scope: IConstruct) -> list[Any]:
    """The constructs in a scope that a shield may change, or that contain these: stages, stacks, functions.

    Each construct from the CDK takes time, and most of an app's are irrelevant.
    """
    return find_constructs(scope, CLASSES, FUNCTIONS)


def find_other_code(scope: IConstruct) -> list[Any]:
    """The resources in a scope other than functions that run code, or contain functions."""
    return [each for each in find_constructs(scope, (), _OTHER_TYPES) if _is_other_code(each, path_of(each)[1])]


def owner_of(construct: IConstruct) -> lambda_.Function | lambda_.CfnFunction | None:
    """The function to shield for a construct; None where it is no function.

    For a `CfnFunction` in a `Function` it is the `Function`, for a `SingletonFunction` the function behind it.
    """
    if isinstance(construct, lambda_.Function):
        return construct
    if isinstance(construct, lambda_.CfnFunction):
        parent = construct.node.scope
        return parent if isinstance(parent, lambda_.Function) else construct
    if isinstance(construct, lambda_.SingletonFunction):
        behind = construct.stack.node.try_find_child(construct.permissions_node.id)
        return behind if isinstance(behind, lambda_.Function) else None
    return None


def why_not(construct: IConstruct) -> str:
    """The reason why a construct without a function in `owner_of` cannot be shielded."""
    names = jsii_types(construct)
    for name, reason in _INSTEAD:
        if name in names:
            return reason
    if is_sam_function(construct):
        return "it is a function of SAM's: make it an aws_lambda.Function, or see `shielded-function render`"
    if is_untyped_function(construct):
        return "it is a plain CfnResource: make it an aws_lambda.CfnFunction, which can be shielded"
    if other := other_code(path_of(construct)[1]):
        return f"{other.why}: {other.fix}"
    return "only a Lambda function can be shielded: an aws_lambda.Function, SingletonFunction or CfnFunction"


def is_untyped_function(construct: IConstruct) -> bool:
    """Whether it is a Lambda function written as a plain `CfnResource`."""
    return type(construct) is cdk.CfnResource and construct.cfn_resource_type == _FUNCTION


def is_sam_function(construct: IConstruct) -> bool:
    """Whether it is a SAM function, which CloudFormation transforms to a Lambda function."""
    if type(construct) is cdk.CfnResource:
        return construct.cfn_resource_type == _SAM_FUNCTION
    return _SAM_TYPE in jsii_types(construct)


def is_imported_function(construct: IConstruct) -> bool:
    """Whether it is a function of another app."""
    known = (lambda_.Function, lambda_.SingletonFunction, lambda_.Alias, lambda_.Version)
    return isinstance(construct, lambda_.FunctionBase) and not isinstance(construct, known)


def is_alias_or_import(construct: IConstruct) -> bool:
    """Whether it only refers to a function: an alias, a version, a function of another app or of the edge."""
    return any(name in jsii_types(construct) for name, _ in _INSTEAD) and owner_of(construct) is None


def is_of_cdk(construct: IConstruct) -> bool:
    """Whether its class is from the CDK's library, and no stack, stage or app."""
    own: str = vars(type(construct)).get("__jsii_type__", "")
    return own.startswith("aws-cdk-lib.") and not isinstance(construct, (cdk.Stack, cdk.Stage))


def holds_no_function(construct: IConstruct) -> bool:
    """Whether it is a construct of the CDK, no stack, that contains no function of any kind."""
    return is_of_cdk(construct) and not find_constructs(construct, ["aws_lambda.FunctionBase"], FUNCTIONS)


def _is_other_code(construct: Any, kind: str) -> bool:
    """Whether a resource is of this kind: it has the needed property, and is no nested stack of the app."""
    other = other_code(kind)
    needed = re.sub("([a-z])([A-Z])", r"\1_\2", other.needs).lower() if other else ""
    if needed and getattr(construct, needed, None) is None:
        return False
    above = construct.node.scope if kind == STACK else None
    beside = above.node.scope.node.children if above and above.node.scope else []
    resources = (each.nested_stack_resource for each in beside if isinstance(each, cdk.NestedStack))
    return path_of(construct) not in [path_of(resource) for resource in resources]


def edge_problem(path: str, parent: IConstruct | None) -> str | None:
    """The reason why a function of Lambda@Edge cannot be shielded; None for other functions.

    Args:
        path: the function's construct path.
        parent: its parent construct.
    """
    edge = "aws-cdk-lib.aws_cloudfront.experimental.EdgeFunction"
    if edge in jsii_types(parent) or _parent_id(path).startswith("edge-lambda-stack-"):
        return dict(_INSTEAD)[edge]
    return None


def is_cdk_handler(marks: Iterable[str], path: str, parent: IConstruct | None) -> bool:
    """Whether it is a function of the CDK: the handler of one of its custom resources.

    Args:
        marks: the types of the metadata of a function.
        path: its construct path.
        parent: its parent construct.
    """
    above = path.rpartition("/")[0]

    def types_of(place: str) -> list[str]:
        if place == path:
            return [*USERS]
        if place == above or parent is None:
            return jsii_types(parent)
        return jsii_types(parent.node.scope) if place == above.rpartition("/")[0] else []

    # A stack has no such mark, and most functions are directly in one, so the request is skipped.
    more = () if parent is None or isinstance(parent, cdk.Stack) else parent.node.metadata
    return bool(cdk_handler(path, (*marks, *(entry.type for entry in more)), types_of))


def _parent_id(path: str) -> str:
    return path.rpartition("/")[0].rpartition("/")[2]


def jsii_types(construct: IConstruct | None) -> list[str]:
    """The names of its classes in the CDK, which need no import of their modules."""
    types: list[Any] = [getattr(kind, "__jsii_type__", None) for kind in type(construct).__mro__]
    return [name for name in types if isinstance(name, str)]
