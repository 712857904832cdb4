"""Values and checks that the CDK evaluates when every construct is known: after the aspects, at synthesis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import jsii
from constructs import IConstruct, IValidation


def late_list(make: Callable[[], list[str] | None]) -> list[str]:
    """A list of texts, as a token."""
    return cdk.Token.as_list(late_any(make))


def late_any(make: Callable[[], Any]) -> Any:
    """Any value except a text, as a token. A property with the value None is omitted."""
    return cdk.Lazy.uncached_any(_Any(lambda _: make()))


def late_mapping(value: cdk.IResolvable, added: Mapping[str, str], within: str | None = None) -> cdk.IResolvable:
    """A lazy mapping with more entries, as a token.

    Args:
        value: the mapping; None counts as empty.
        added: its new entries.
        within: the member of `value` that is the mapping, where it is not `value` itself.
    """

    def join(context: cdk.IResolveContext) -> Any:
        found = context.resolve(value) or {}
        return {**(found.get(within) or {} if within else found), **added}

    return cdk.Lazy.uncached_any(_Any(join))


def late_text(make: Callable[[], str]) -> str:
    """A text, as a token."""
    return cdk.Lazy.uncached_string(_Text(lambda _: make()))


def check_late(construct: IConstruct, problems: Callable[[], list[str]]) -> None:
    """Fails the synthesis where there are problems."""
    construct.node.add_validation(_Check(problems))


class _Late:
    def __init__(self, make: Callable[[cdk.IResolveContext], Any]) -> None:
        self._make = make

    def produce(self, context: cdk.IResolveContext) -> Any:
        """Called by the CDK."""
        return self._make(context)


@jsii.implements(cdk.IAnyProducer)
class _Any(_Late):
    pass


@jsii.implements(cdk.IStringProducer)
class _Text(_Late):
    pass


@jsii.implements(IValidation)
class _Check:
    def __init__(self, problems: Callable[[], list[str]]) -> None:
        self._problems = problems

    def validate(self) -> list[str]:
        """Called by the CDK."""
        return self._problems()


def references_in(text: str) -> list[Any]:
    """The references (`aws_cdk.Reference`) in a text with tokens, each with its construct as `target`."""
    return [token for token in cdk.Tokenization.reverse_string(text).tokens if cdk.Reference.is_reference(token)]
