"""The policy entries of a construct, and functions that read an entry from a construct's attributes.

An attribute of a construct is a token: a text that CloudFormation replaces. Its longest length is declared beside it,
because the environment's 4 KB must be checked before a deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import aws_cdk as cdk

Field = Literal["allow_outbound", "allow_buckets"]

REGION: Final = 16
"""Bytes of a region's name: the longest today is `ap-northeast-1`, 14
(https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html)."""
SUFFIX: Final = 16
"""Bytes of AWS's domain: `amazonaws.com.cn`, 16."""
PORT: Final = 6
"""Bytes of a colon and a port."""
BUCKET: Final = 63
"""Bytes of a bucket's name (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)."""
IPV4_NETWORK: Final = 18
IPV6_NETWORK: Final = 43
HOST: Final = 253
"""Bytes of a host name (RFC 1035, section 2.3.4, without the root)."""


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
        types: jsii names of its classes and interfaces, without `aws-cdk-lib.`. Subclasses match by their base; imports
            match by an interface or an abstract base.
        read: its entries.
        document: the AWS page that defines the attributes or the form of the name.
        field: the list of its entries.
    """

    name: str
    types: tuple[str, ...]
    read: Read
    document: str
    field: Field = "allow_outbound"


def known_port(port: Any, default: int) -> str:
    """A property's port, with its colon; empty, which means any port, where it is known only at deployment.

    For resources whose port attribute is a number, which CloudFormation does not join to a text.
    """
    if port is None:
        return f":{default}"
    return "" if cdk.Token.is_unresolved(port) else f":{int(port)}"


def host(attribute: str, longest: int = HOST, *, port: str | int | None = None) -> Read:
    """The host in an attribute; with the port in another one, or a fixed port."""

    def read(construct: Any) -> Iterator[Entry]:
        text = getattr(construct, attribute)
        if port is None:
            yield Entry(text, longest)
        else:
            number = getattr(construct, port) if isinstance(port, str) else port
            yield Entry(f"{text}:{number}", longest + PORT)

    return read


def endpoint(attribute: str, longest: int = HOST) -> Read:
    """The host and port in an attribute that is an `Endpoint` of the CDK."""

    def read(construct: Any) -> Iterator[Entry]:
        yield Entry(getattr(construct, attribute).socket_address, longest + PORT)

    return read


def url(attribute: str, longest: int = HOST) -> Read:
    """The host of a URL in an attribute; HTTPS only."""

    def read(construct: Any) -> Iterator[Entry]:
        yield Entry(f"{cdk.Fn.select(2, cdk.Fn.split('/', getattr(construct, attribute)))}:443", longest + PORT)

    return read


def if_supplied(read: Read) -> Read:
    """No entry where an import lacks the attribute: the CDK raises an error for it."""

    def read_or_nothing(construct: Any) -> list[Entry]:
        try:
            return list(read(construct))
        except RuntimeError:
            return []

    return read_or_nothing


def each(*reads: Read) -> Read:
    """The entries of several readers."""
    return lambda construct: [entry for read in reads for entry in read(construct)]
