"""The policy entries of a construct, and the rows of the table of constructs.

An attribute of a construct is a token: a text that CloudFormation replaces. Its longest length is declared beside it,
because the environment's 4 KB must be checked before a deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import aws_cdk as cdk

from .types import types_in

Field = Literal["allow_outbound", "allow_buckets"]


@dataclass(frozen=True)
class Entry:
    """One entry of a list.

    Attributes:
        text: an entry of `ShieldPolicy`; its unknown parts are tokens of the CDK.
        longest: its most bytes after replacement of the tokens.
    """

    text: str
    longest: int


@dataclass(frozen=True)
class Entries:
    """The entries that a construct adds to a policy: for `allow_outbound` and for `allow_buckets`."""

    outbound: tuple[Entry, ...] = ()
    buckets: tuple[Entry, ...] = ()


Read = Callable[[Any], Iterable[Entry]]
"""Entries from a construct. A row's module is not imported, which would take up to two seconds, hence Any."""


class Unreadable(Exception):
    """A construct of a known type has no entries; the message gives the reason and an alternative."""


@dataclass(frozen=True)
class Row:
    """One kind of construct.

    Attributes:
        name: its name in errors.
        kinds: its classes and interfaces, for `types_in`. Subclasses match by their base; imports match by an interface
            or an abstract base.
        read: its entries.
        field: the list of its entries.
    """

    name: str
    kinds: str
    read: Read
    field: Field = "allow_outbound"

    @property
    def types(self) -> tuple[str, ...]:
        """The jsii names of its classes and interfaces, without `aws-cdk-lib.`."""
        return types_in(self.kinds)


def hosts(longest: int, *forms: str, of: str = "") -> Read:
    """The entries that have these forms.

    Args:
        longest: their most bytes.
        forms: such as `{0.attr_address}:443`, of the construct's attributes. One that begins with `?` is left out where
            an import lacks the attribute: the CDK raises an error for it.
        of: the attribute with the construct that is meant; empty for the construct itself.
    """

    def read(construct: Any) -> Iterator[Entry]:
        meant = getattr(construct, of) if of else construct
        for form in forms:
            try:
                yield Entry(form.removeprefix("?").format(meant), longest)
            except RuntimeError:
                if not form.startswith("?"):
                    raise

    return read


def url(longest: int, attribute: str) -> Read:
    """The host of a URL in an attribute; HTTPS only."""
    return lambda construct: [
        Entry(f"{cdk.Fn.select(2, cdk.Fn.split('/', getattr(construct, attribute)))}:443", longest)
    ]
