"""Finds the shields below a construct."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

import aws_cdk as cdk

from ..paths import find_constructs, path_of
from ..stage_shields import StageShields, stage_shields

_OUTERMOST: Final[WeakKeyDictionary[cdk.Stack, cdk.Stack]] = WeakKeyDictionary()


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
