"""Derives the policy entries for a construct.

    entries_of(database).outbound   # (Entry(text="${Token[...]}:${Token[...]}", longest=142), ...)

`table` has the known constructs, and `refused` those that users list by mistake.
"""

from __future__ import annotations

from ..errors import ShieldPolicyError
from .entry import Entries, Entry, Row, Unreadable
from .hosts_by_type import ROWS
from .refused import REFUSED
from .types import type_names

__all__ = [
    "ROWS",
    "Entries",
    "Entry",
    "Row",
    "accepted",
    "check_construct",
    "describe",
    "entries_of",
    "path_of",
]

_FIELDS = ("allow_outbound", "allow_buckets")
_BY_TYPE = {kind: row for row in ROWS for kind in row.types}


def entries_of(construct: object, field: str = "allow_outbound") -> Entries:
    """The entries for a construct; their unknown parts are tokens. A bucket's are for `allow_buckets`.

    Args:
        construct: a construct of a known type.
        field: the list that contains it, for errors.

    Raises:
        ShieldPolicyError: it is unknown, belongs to another list, or has no known host.
    """
    row = check_construct(construct, field)
    try:
        entries = tuple(dict.fromkeys(row.read(construct)))
    except Unreadable as reason:
        raise ShieldPolicyError(field, f"{describe(construct)}: {reason}") from None
    except RuntimeError as fault:  # of jsii: an import lacks the attribute
        raise ShieldPolicyError(
            field, f"{describe(construct)} does not tell its host ({str(fault).strip()}): list the host as text"
        ) from fault
    return Entries(buckets=entries) if row.field == "allow_buckets" else Entries(outbound=entries)


def describe(construct: object) -> str:
    """The name of a construct in an error: its path and class. For errors only, as it needs requests to Node.js."""
    names = type_names(construct)
    # An import's class has no name, but its interface has.
    kind = next((name for name in names if name not in ("Resource", "constructs.Construct")), type(construct).__name__)
    path = path_of(construct)
    return f"{path} ({kind})" if path else kind


def path_of(construct: object) -> str:
    """A construct's path; empty for objects without one, such as an endpoint."""
    return getattr(getattr(construct, "node", None), "path", "")


def accepted(field: str = "allow_outbound") -> list[str]:
    """The kinds of constructs that a list accepts, in words."""
    return [row.name for row in ROWS if field == "allow_outbound" or row.field == field]


def check_construct(construct: object, field: str) -> Row:
    """The row of a construct that a list accepts, by its type alone, without a request to Node.js.

    Raises:
        ShieldPolicyError: it does not; the message names accepted kinds, or an alternative.
    """
    if field not in _FIELDS:
        raise ShieldPolicyError(field, f"{describe(construct)} is a construct: write texts")
    names = type_names(construct)
    row = next((row for name in names if (row := _BY_TYPE.get(name))), None)
    if row and field in (row.field, "allow_outbound"):
        return row
    if row:
        raise ShieldPolicyError(field, f"{describe(construct)} is not a bucket: list it in {row.field}")
    sentence = next((REFUSED[name] for name in names if name in REFUSED), None)
    if sentence:
        raise ShieldPolicyError(field, f"{describe(construct)}: {sentence}")
    raise ShieldPolicyError(
        field, f"{describe(construct)} is not known: list its host as text, or one of {', '.join(accepted(field))}"
    )
