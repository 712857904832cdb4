"""Exports that stay while nothing imports them.

CloudFormation refuses to delete an export that a deployed stack imports, and it updates the exporting stack first. So a
policy goes in two deployments: the importing stacks lose the reference, then the exporting ones the export.
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.Stack.html#exportwbrvalueexportedvalue-options
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import aws_cdk as cdk

from .references import Recorder

__all__ = ["keep_exports"]


def keep_exports(texts: Iterable[str], *importing: cdk.Stack) -> None:
    """Exports what texts refer to, as the CDK does where one of these stacks, which are of one stage, has the texts.

    References to other accounts and regions are left out: these are no exports.
    """
    seen = Recorder()
    # The result is of no use: what is wanted is the references.
    cdk.Tokenization.resolve(list(texts), scope=importing[0], resolver=cast(Any, seen), preparing=False)
    homes = [_top(stack) for stack in importing]
    for reference in seen.references:
        producer = _top(cdk.Stack.of(reference.target))
        if any(producer.node.path != home.node.path and producer.environment == home.environment for home in homes):
            is_list = reference.type_hint == cdk.ResolutionTypeHint.STRING_LIST
            (producer.export_string_list_value if is_list else producer.export_value)(reference)


def _top(stack: cdk.Stack) -> cdk.Stack:
    """The stack itself, or the one that it is nested in."""
    while stack.nested_stack_parent:
        stack = stack.nested_stack_parent
    return stack
