"""Exports that stay without an import.

CloudFormation refuses to delete an export that a deployed stack imports, and it updates the exporting stack first. So a
policy is removed in two deployments: first the reference of the importing stack, then the export.
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.Stack.html#exportwbrvalueexportedvalue-options
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import aws_cdk as cdk

from .references import Recorder

__all__ = ["keep_exports"]


def keep_exports(texts: Iterable[str], *importing: cdk.Stack) -> None:
    """Exports the targets of texts, as the CDK does for texts in one of these stacks, which are of one stage.

    References to other accounts and regions are skipped: these are no exports.
    """
    seen = Recorder()
    # Only the recorded references are needed, not the result.
    cdk.Tokenization.resolve(list(texts), scope=importing[0], resolver=cast(Any, seen), preparing=False)
    homes = [_top(stack) for stack in importing]
    for reference in seen.references:
        producer = _top(cdk.Stack.of(reference.target))
        if any(producer.node.path != home.node.path and producer.environment == home.environment for home in homes):
            is_list = reference.type_hint == cdk.ResolutionTypeHint.STRING_LIST
            (producer.export_string_list_value if is_list else producer.export_value)(reference)


def _top(stack: cdk.Stack) -> cdk.Stack:
    """The stack itself, or its root stack."""
    while stack.nested_stack_parent:
        stack = stack.nested_stack_parent
    return stack
