"""How a query writes names and values."""

from __future__ import annotations

import re
from typing import Any, Final

from ..errors import ShieldError

PLAIN: Final = re.compile(r"@?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
"""A field that needs no backticks: letters, digits, `_`, dots and a leading `@`. An array's elements are fields too,
named by their numbers: `caller.through.1`."""

_WORDS: Final = frozenset(("and", "as", "asc", "by", "desc", "in", "ispresent", "like", "not", "or")) | frozenset(
    ("fields", "filter", "limit", "sort", "stats", "count", "earliest", "latest", "max", "min", "sum")
)


class QueryError(ShieldError):
    """A query that Logs Insights would not take, or that is outside the subset kept here."""


def write_name(name: str) -> str:
    """A field as a query has it: in backticks where it is a word of the language, or holds other characters.

    >>> write_name("details.host"), write_name("count")
    ('details.host', '`count`')
    """
    if PLAIN.fullmatch(name) and name not in _WORDS:
        return name
    if "`" in name or not name.isprintable() or not name:
        raise QueryError(f"the field name {name!r} cannot be written in a query")
    return f"`{name}`"


def write_value(value: str | int) -> str:
    """A value as a query has it: a number, or a text in the quotes that it does not hold itself."""
    if isinstance(value, int):
        return str(value)
    if not value.isprintable():
        raise QueryError(f"{value!r} cannot be written in a query: it has a character that does not print")
    if '"' in value and "'" not in value and "\\" not in value:
        return f"'{value}'"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


Record = dict[str, Any]
"""A log line as Insights sees it: its JSON fields, and `@message`, `@timestamp` (seconds since the epoch), ..."""


def read_field(name: str) -> Any:
    """A function that reads a field of a record.

    Nested fields and the elements of arrays are found by their dotted names. An object, an array and null are None, as
    an absent field is. Booleans are 1 and 0, as Insights shows them.
    """
    steps = () if name.startswith("@") else tuple(name.split("."))

    if len(steps) <= 1:

        def read(record: Record) -> Any:
            value = record.get(name)
            return value if value.__class__ in SCALARS else scalar_of(value)

        return read

    first, *rest = steps

    def read_nested(record: Record) -> Any:
        value = record.get(first)
        for step in rest:
            if value.__class__ is dict:
                value = value.get(step)  # pyright: ignore[reportOptionalMemberAccess]
            elif value.__class__ is list and step.isdecimal() and int(step) < len(value):  # pyright: ignore[reportArgumentType]
                value = value[int(step)]  # pyright: ignore[reportOptionalSubscript]
            else:
                return None
        return value if value.__class__ in SCALARS else scalar_of(value)

    return read_nested


SCALARS: Final = frozenset((str, int, float, type(None)))


def scalar_of(value: Any) -> Any:
    """A value that is not of SCALARS: booleans are numbers, anything else is absent."""
    return int(value) if isinstance(value, bool) else None
