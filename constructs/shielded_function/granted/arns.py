"""Resources of statements: texts with parts known only at deployment.

A resource is a sequence of pieces: literal text, and unknown parts. Pure; tokens.py and template_reader.py create the
pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from ..names import l2_path

__all__ = [
    "Arn",
    "Field",
    "Piece",
    "Resource",
    "Target",
    "TargetReader",
    "Unknown",
    "l2_path",
    "literal",
    "parse_arn",
    "words",
]


class Target:
    """The construct that a token refers to. Each attribute is requested from the CDK at its first use.

    Attributes:
        attribute: the attribute, or `Ref`.
        construct: the L1 itself.
        path: its construct path.
        type: its CloudFormation type; empty for a parameter and other non-resources.
        region: its stack's, where known.
    """

    def __init__(self, reader: TargetReader, token: Any, attribute: str) -> None:
        self._reader = reader
        self._token = token
        self._attribute = attribute

    @cached_property
    def attribute(self) -> str:
        return self._attribute or self._reader.attribute(self._token)

    @cached_property
    def construct(self) -> Any:
        return self._reader.construct(self._token)

    @cached_property
    def path(self) -> str:
        return self._reader.path(self.construct)

    @cached_property
    def type(self) -> str:
        return self._reader.type(self.construct)

    @cached_property
    def region(self) -> str:
        return self._reader.region(self.path)

    @property
    def name(self) -> str:
        """Its readable name."""
        return l2_path(self.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and (self.path, self.attribute) == (other.path, other.attribute)

    def __hash__(self) -> int:
        return hash((self.path, self.attribute))


class TargetReader(Protocol):
    """The questions that a `Target` asks about its token."""

    def attribute(self, token: Any) -> str: ...
    def construct(self, token: Any) -> Any: ...
    def path(self, construct: Any) -> str: ...
    def type(self, construct: Any) -> str: ...
    def region(self, path: str) -> str: ...


@dataclass(frozen=True)
class Unknown:
    """A piece known only at deployment.

    Attributes:
        text: the CDK's text for it; empty where only a value around it has one.
        note: stable between reads: `AWS::Region`, or its intrinsic as JSON.
        target: the construct that it refers to, if it does.
        inner: constructs inside its functions, such as Fn::Select.
    """

    text: str
    note: str
    target: Target | None = None
    inner: tuple[Target, ...] = ()


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


def words(pieces: Sequence[Piece]) -> str:
    """Pieces in words, stable between reads."""
    return "".join(_word(piece) for piece in pieces)


def _word(piece: Piece) -> str:
    if isinstance(piece, str):
        return piece
    if piece.target:
        attribute = piece.target.attribute
        return piece.target.name if attribute == "Ref" else f"{piece.target.name}.{attribute}"
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
        text: the CDK's text, possibly with tokens.
        pieces: its parts.
    """

    text: str
    pieces: Field = field(compare=False)

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
