"""Output of the commands for people. An attacker may choose a cell's text: unprintable characters are escaped."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shielded_function_monitoring.visible import visible

_WORDS: Final = {
    "bold red": "critical error refused unshielded lost-shield looser new-unshielded",
    "red": "block deny passed",
    "yellow": "alert warning unknown partly",
    "green": "allow stopped",
    "dim": "left-out stricter new removed",
}
STYLES: Final = {word: style for style, words in _WORDS.items() for word in words.split()}
MOST: Final = 50
"""Rows of a listing that are shown without `--all`."""
_WIDTH_WITHOUT_TERMINAL: Final = 160
_NARROW: Final = 100
"""Columns of a terminal below which rows that do not fit are cards."""
_BORDERS: Final = 3
"""The width that a table adds to each column."""
_GAP: Final = "   "


def console() -> Console:
    """A console on stdout, as wide as the terminal; wide without a terminal."""
    is_known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if is_known else _WIDTH_WITHOUT_TERMINAL, highlight=False)


def cell(text: str) -> Text:
    """Text without markup and terminal escapes. A word that has a style gets it."""
    return Text(visible(text), STYLES.get(text, ""), overflow="fold")


Cells = Sequence[str | Text]
"""One row."""


def stacked(texts: Iterable[str | Text]) -> Text:
    """One cell of several lines."""
    return Text("\n", overflow="fold").join(each if isinstance(each, Text) else cell(each) for each in texts)


def table(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Cells],
    numbers: Sequence[str] = (),
    *,
    lines: bool = False,
) -> Table:
    """A table of texts; the columns `numbers` are right-aligned, and `lines` are drawn between the rows."""
    made = Table(title=cell(title), title_justify="left", show_lines=lines)
    for heading in headings:  # a word too long for its column goes on in the next line
        right = heading in numbers
        made.add_column(heading, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        made.add_row(*(each if isinstance(each, Text) else cell(each) for each in row))
    return made


@dataclass(frozen=True)
class Listing:
    """Rows for the given width: a table, or a card for each row where a table is too wide.

    The first line of a card has the cells in front of the first number, the others follow with their headings.

    Attributes:
        title: the heading.
        headings: one for each column.
        rows: the texts.
        numbers: the headings of columns of numbers.
        most: how many rows to show; None for all.
        rest: the text about the others.
        of: how many rows there are, where `rows` is cut.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[str] = ()
    most: int | None = None
    rest: str = "--all shows all"
    of: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Called by rich."""
        shown = self.rows[: self.most]
        width, columns = options.max_width, len(self.headings)
        cells = list(zip(self.headings, *shown, strict=True))
        words = [" ".join(each).split() for each in cells]
        fits, words_fit = (
            sum(max(map(cell_len, each)) for each in texts) + _BORDERS * columns + 1 <= width
            for texts in (cells, words)
        )
        if fits or (words_fit and width >= _NARROW):
            yield table(self.title, self.headings, shown, self.numbers)
        else:
            yield Text(visible(self.title), "italic")
            for row in shown:
                yield from self._card(row, width)
        total = max(self.of, len(self.rows))
        if len(shown) < total:
            yield cell(f"{len(shown):,} of {total:,}: {self.rest}")

    def _card(self, row: Sequence[str], width: int) -> Iterator[RenderableType]:
        named = list(takewhile(lambda heading: heading not in self.numbers, self.headings))
        yield Text("  ", overflow="fold").join(cell(text) for text in row[: len(named)] if text)
        line = Text(overflow="fold")
        for heading, text in zip(self.headings[len(named) :], row[len(named) :], strict=True):
            if not text:
                continue
            piece = Text.assemble((f"{heading} ", "dim"), cell(text))
            if line and line.cell_len + len(_GAP) + piece.cell_len > width - 2:
                yield Padding(line, (0, 0, 0, 2), expand=False)
                line = Text(overflow="fold")
            line.append_text(Text.assemble(_GAP if line else "", piece))
        if line:
            yield Padding(line, (0, 0, 0, 2), expand=False)


def flat(record: Any, **more: Any) -> dict[str, Any]:
    """The fields of a dataclass for JSON, with those of its place in front."""
    fields = {name: value for name, value in vars(record).items() if name != "place"}
    return {**vars(record.place), **fields, **more}


def print_json(value: Any) -> None:
    """The result of a command, on stdout."""
    print(json.dumps(value, indent=2))


def note(*texts: str) -> None:
    """Lines on stderr."""
    for text in texts:
        print(f"shielded-function: {visible(text)}", file=sys.stderr)
