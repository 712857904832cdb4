"""The building blocks of a report's page. Text of a line goes through `text`, and so is never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from shielded_function_monitoring.alert import MODES
from shielded_function_monitoring.filters import COUNTED, SEVERITIES
from shielded_function_monitoring.urgency import urgency
from shielded_function_monitoring.visible import visible

_CLASSES: Final = frozenset((*COUNTED, *MODES, *SEVERITIES, "armed", "refused", "unshielded", "not-seen"))
NUMBERS: Final = ("times", "cold starts", "not written")
"""Columns of numbers."""


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        html: its content.
        kind: its class: number, word (one line), wide, who.
        sort: the sort key, where it is not the text.
    """

    html: str = ""
    kind: str = ""
    sort: str = ""


def text(value: str) -> str:
    """Text of a line as text of the page: markup is escaped, and characters that do not print are shown."""
    return escape(visible(value), quote=True)


def code(values: Sequence[str], kind: str = "wide") -> Cell:
    """Texts of a line, as they are."""
    return Cell(f"<code>{text(', '.join(values))}</code>" if any(values) else "", kind)


def number(count: int) -> Cell:
    """A number."""
    return Cell(f"{count:,}", "number", str(count))


def class_of(name: str) -> str:
    """A class of the style sheet; text of a line cannot choose another."""
    name = name.replace(" ", "-")
    return name if name in _CLASSES else "start"


def tag(name: str) -> str:
    """A word in a frame of its colour."""
    return f'<span class="tag {class_of(name)}">{text(name)}</span>' if name else ""


def minute(time: str) -> str:
    """A time as people read it."""
    return time[:16].replace("T", " ")


def in_order(policies: Iterable[str]) -> list[str]:
    """Controls, the most urgent first."""
    return sorted(set(policies), key=lambda policy: (*urgency(policy, "block"), policy))


def table(identity: str, headings: Sequence[str], rows: Iterable[tuple[str, Mapping[str, Cell]]]) -> Iterable[str]:
    """A table that can be sorted by a click on a heading.

    Args:
        identity: its id.
        headings: of its columns.
        rows: the attributes of each, and its cells by heading.
    """
    yield f'<table id="{identity}" class="sorted"><thead><tr>'
    for name in headings:
        kind = ' class="number"' if name in NUMBERS or name in COUNTED else ""
        yield f'<th{kind}><button type="button">{text(name)}</button></th>'
    yield "</tr></thead><tbody>"
    for attributes, cells in rows:
        row = "".join(
            f'<td class="{cell.kind}" data-label="{text(name)}"'
            + (f' data-sort="{text(cell.sort)}"' if cell.sort else "")
            + f">{cell.html}</td>"
            for name, cell in ((name, cells.get(name, Cell())) for name in headings)
        )
        yield f"<tr {attributes}>{row}</tr>" if attributes else f"<tr>{row}</tr>"
    yield "</tbody></table>"
