"""Resources of statements: texts with parts known only at deployment.

A resource is a sequence of pieces: literal text, and unknown parts. Pure; roles.py creates the pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from shielded_function_monitoring.cfn.template import REF

from ..names import l2_path

__all__ = [
    "Arn",
    "Element",
    "Field",
    "Piece",
    "Resource",
    "Target",
    "Unknown",
    "l2_path",
    "literal",
    "parse_arn",
    "target_of",
    "text_of",
    "words",
]


class Element(Protocol):
    """A resource, or another part of a stack that has a name.

    Attributes:
        path: its construct path.
        properties: as in a template.
        region: its stack's, where known.
        account: its stack's, where known.
    """

    @property
    def path(self) -> str: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...
    @property
    def region(self) -> str: ...
    @property
    def account(self) -> str: ...


@dataclass(frozen=True)
class Target:
    """The construct that a reference leads to.

    Attributes:
        path: its construct path.
        type: its CloudFormation type; empty for a parameter and other non-resources.
        attribute: the attribute, or `Ref`.
        element: the resource itself.
    """

    path: str
    type: str
    attribute: str
    element: Element = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """Its readable name."""
        return l2_path(self.path)

    @property
    def region(self) -> str:
        """Its stack's, where known."""
        return self.element.region


@dataclass(frozen=True)
class Unknown:
    """A piece known only at deployment.

    Attributes:
        note: stable between reads: `AWS::Region`, or its intrinsic as JSON.
        target: the construct that it refers to, if it does.
        inner: constructs inside its functions, such as a selection.
        make: makes its text, which takes a request.
    """

    note: str
    target: Target | None = None
    inner: tuple[Target, ...] = ()
    make: Callable[[], str] = field(default=str, compare=False, repr=False)

    @cached_property
    def text(self) -> str:
        """Its text for an entry: a token, for the CDK."""
        return self.make()


Piece: TypeAlias = "str | Unknown"
Field: TypeAlias = "tuple[Piece, ...]"


def join_pieces(pieces: Iterable[Piece]) -> Field:
    """Joins neighbouring texts."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece:
            joined.append(piece)
    return tuple(joined)


def text_of(pieces: Sequence[Piece]) -> str:
    """Pieces as a text for an entry, possibly with tokens."""
    return "".join(piece if isinstance(piece, str) else piece.text for piece in pieces)


def target_of(pieces: Sequence[Piece]) -> Target | None:
    """The target of a value that begins with a reference."""
    first = pieces[0] if pieces else None
    return first.target if isinstance(first, Unknown) else None


def words(pieces: Sequence[Piece]) -> str:
    """Pieces in words, stable between reads."""
    return "".join(_word(piece) for piece in pieces)


def _word(piece: Piece) -> str:
    if isinstance(piece, str):
        return piece
    if piece.target:
        attribute = piece.target.attribute
        return piece.target.name if attribute == REF else f"{piece.target.name}.{attribute}"
    return f"${{{piece.note}}}"


def literal(pieces: Sequence[Piece]) -> str | None:
    """The text, where it is fully known."""
    return "".join(p for p in pieces if isinstance(p, str)) if all(isinstance(p, str) for p in pieces) else None


@dataclass(frozen=True)
class Arn:
    """An ARN's fields (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html)."""

    service: Field
    region: Field
    account: Field
    resource: Field


@dataclass(frozen=True)
class Resource:
    """A resource of a statement.

    Attributes:
        pieces: its parts.
    """

    pieces: Field

    @cached_property
    def text(self) -> str:
        """Its text, possibly with tokens."""
        return text_of(self.pieces)

    @cached_property
    def name(self) -> str:
        """Its text in words, stable between reads."""
        return words(self.pieces)

    @property
    def everything(self) -> bool:
        return literal(self.pieces) in ("*", "**")

    @property
    def targets(self) -> tuple[Target, ...]:
        """The constructs that it refers to."""
        unknown = [piece for piece in self.pieces if isinstance(piece, Unknown)]
        return tuple(target for p in unknown for target in ((p.target,) if p.target else p.inner))

    @property
    def whole(self) -> Unknown | None:
        """The token at its beginning that is a whole ARN."""
        first = self.pieces[0] if self.pieces else None
        return first if isinstance(first, Unknown) else None

    @property
    def tail(self) -> str:
        """The text after a whole token, as far as known."""
        return "".join(piece if isinstance(piece, str) else "\0" for piece in self.pieces[1:])


def parse_arn(pieces: Sequence[Piece]) -> Arn | None:
    """The fields of a text that begins with `arn:`; None otherwise, and for too few fields."""
    if not (pieces and isinstance(pieces[0], str) and pieces[0].lower().startswith("arn:")):
        return None
    fields: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, str):
            first, *rest = piece.split(":", 6 - len(fields)) if len(fields) < 6 else [piece]
            fields[-1] += [first] if first else []
            fields.extend([*([part] if part else ())] for part in rest)
        else:
            fields[-1].append(piece)
    if len(fields) < 6:
        return None
    _, _, service, region, account, resource = (tuple(field) for field in fields)
    return Arn(service, region, account, resource)
