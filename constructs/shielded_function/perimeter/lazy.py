"""Values that the CDK resolves when every policy is known: after the aspects, while templates are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import jsii


def late_list(make: Callable[[], list[str]]) -> list[str]:
    """A list of texts, or of one token that becomes a list."""
    return cdk.Token.as_list(late_any(make))


def late_any(make: Callable[[], Any]) -> Any:
    """Any other value."""
    return cdk.Lazy.uncached_any(_Any(make))


@jsii.implements(cdk.IAnyProducer)
class _Any:
    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def produce(self, context: cdk.IResolveContext) -> Any:
        """Called by the CDK."""
        del context
        return self._make()
