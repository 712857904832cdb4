"""Finds the shields below a construct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_logs as logs

from ..reading.late import references_in
from ..reading.paths import find_constructs, path_of
from ..tokens import has_token
from .stage import StageShields, stage_shields

if TYPE_CHECKING:
    from .function_shield import FunctionShield

_OUTERMOST: Final[WeakKeyDictionary[cdk.Stack, cdk.Stack]] = WeakKeyDictionary()
_PREFIXES: Final[WeakKeyDictionary[FunctionShield, str | None]] = WeakKeyDictionary()


def stages_in(scope: Any) -> list[StageShields]:
    """The shields of a construct's stage, and of existing stages within it."""
    here = stage_shields(scope)
    if not isinstance(scope, cdk.Stage):
        return [here]
    below = [stage for stage in find_constructs(scope, ["Stage"]) if path_of(stage) != path_of(scope)]
    return [here, *(stage_shields(stage) for stage in below)]


def is_within(path: str, scope: Any) -> bool:
    """Whether a construct path equals that of a construct, or is below it."""
    above = path_of(scope)[0]
    return not above or path == above or path.startswith(f"{above}/")


def outermost(stack: cdk.Stack) -> cdk.Stack:
    """The root stack of a nested stack; a stack that is not nested itself."""
    if stack not in _OUTERMOST:
        parent = stack.nested_stack_parent
        _OUTERMOST[stack] = stack if parent is None else outermost(parent)
    return _OUTERMOST[stack]


def log_group_in_app(attached: FunctionShield) -> logs.CfnLogGroup | None:
    """The resource of a function's log group; None where it is not of this app."""
    own = target_of(attached.log_group_name) or attached.log_group.node.default_child
    return own if isinstance(own, logs.CfnLogGroup) else None


def target_of(name: str) -> Any:
    """The resource that a name refers to; None for a literal name."""
    return next((each.target for each in references_in(name)), None) if has_token(name) else None


def log_group_name(attached: FunctionShield) -> tuple[str | None, cdk.Stack | None]:
    """The name of a function's log group, if it is known, or else the stack in which CloudFormation chooses it."""
    name = attached.log_group_name
    if not has_token(name):
        return name, None
    resource = log_group_in_app(attached)
    if resource is None:
        return None, None
    given = resource.stack.resolve(resource.log_group_name)
    return (given if isinstance(given, str) else None), (resource.stack if given is None else None)


def log_group_prefix(attached: FunctionShield) -> str | None:
    """The name of a function's log group, or the prefix of the names that CloudFormation chooses in its stack."""
    if attached not in _PREFIXES:  # it does not change, and a dashboard has many texts
        name, stack = log_group_name(attached)
        _PREFIXES[attached] = f"{outermost(stack).stack_name}-" if stack is not None else name
    return _PREFIXES[attached]
