"""The targets of a resolved value: secrets, which an environment must not contain, and constructs of other stages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

import aws_cdk as cdk

from shielded_function_monitoring.cfn.parts import references, texts
from shielded_function_monitoring.cfn.template import ref_of

from ...hosts.types import type_names

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html. `{{resolve:ssm:...}}` names no
# secret.
_SECRET: Final = re.compile(r"\{\{resolve:(?:secretsmanager|ssm-secure)[^}]*\}{0,2}")
_PSEUDO: Final = "AWS::"


class Place:
    """The place of a function, requested once from Node.js at its first use."""

    def __init__(self, function: Any) -> None:
        self._function = function

    @cached_property
    def stack(self) -> cdk.Stack:
        return self._function.stack

    @cached_property
    def path(self) -> str:
        return self._function.node.path

    @cached_property
    def stage(self) -> str:
        return _stage_of(self._function)


def problems_of(text: str, tree: Any, function: Place) -> list[str]:
    """The reasons why a function's environment cannot contain a text.

    Args:
        text: with the CDK's tokens.
        tree: its resolved value in the function's stack.
        function: its place.
    """
    if secret := _SECRET.search("".join(texts(tree))):
        return [
            f"it holds a secret ({secret[0]}), which would stand in the function's environment: write the host as "
            "text, or keep it in a plain SSM parameter"
        ]
    refers = any(not ref_of(each).startswith(_PSEUDO) for each in references(tree))
    targets = _targets_of(text, function.stack) if refers else ()
    hidden = [
        f"the parameter {target.path} has no_echo, and its value would stand in the function's environment: "
        "take it from a parameter without"
        for target in targets
        if target.no_echo
    ]
    far = [
        f"{target.path} is in {_name(target.stage)} and the function in {_name(function.stage)}: they are deployed "
        "apart, so nothing refers from one to the other. Give the value as text, or through an SSM parameter "
        "(ssm.StringParameter.value_for_string_parameter)"
        for target in targets
        if target.stage != function.stage
    ]
    return [*hidden, *far]


@dataclass(frozen=True)
class Target:
    """A construct that a text refers to.

    Attributes:
        path: its construct path.
        stage: the path of its stage; empty for the app itself.
        no_echo: whether it is a parameter whose value CloudFormation hides.
    """

    path: str
    stage: str
    no_echo: bool


def _stage_of(construct: Any) -> str:
    """The path of a construct's stage; empty for the app itself."""
    stage = cdk.Stage.of(construct)
    return stage.node.path if stage else ""


_targets: Final[dict[str, tuple[Target, ...]]] = {}
"""Cached by text: tokens keep their number for the life of the process, and functions share policies."""


def _targets_of(text: str, scope: Any) -> tuple[Target, ...]:
    """The constructs that a text refers to, also within `Fn.join` and the like."""
    if text not in _targets:
        seen = Recorder()
        # Only the recorded references are needed, not the result, which is joined plainly.
        cdk.Tokenization.resolve([text], scope=scope, resolver=cast("cdk.ITokenResolver", seen), preparing=False)
        _targets[text] = tuple(dict.fromkeys(_target(found) for found in seen.references))
    return _targets[text]


def _target(reference: cdk.Reference) -> Target:
    construct = reference.target
    is_parameter = "CfnParameter" in type_names(construct)
    return Target(construct.node.path, _stage_of(construct), is_parameter and bool(cast("Any", construct).no_echo))


class Recorder(cdk.DefaultTokenResolver):
    """Resolves like the CDK, and records references."""

    def __init__(self) -> None:
        super().__init__(cast("Any", cdk.StringConcat()))
        self.references: list[Any] = []  # of cdk.Reference

    def resolve_token(
        self, t: cdk.IResolvable, context: cdk.IResolveContext, post_processor: cdk.IPostProcessor
    ) -> Any:
        """Called by the CDK for each token."""
        if "Reference" in type_names(t) and not cast("cdk.Reference", t).display_name.startswith(_PSEUDO):
            self.references.append(t)
        return super().resolve_token(t, context, post_processor)


def _name(stage: str) -> str:
    return f"the stage {stage}" if stage else "the app itself"
