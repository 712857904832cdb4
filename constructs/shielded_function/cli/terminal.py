"""What these commands print for people. Cells hold what an attacker chose: what does not print is shown as escapes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shielded_function_monitoring.visible import visible

STYLES: Final = {"block": "red", "alert": "yellow", "refused": "bold red", "unshielded": "bold red", "new": "bold cyan"}
_WIDTH_WITHOUT_TERMINAL: Final = 160


def console() -> Console:
    """On stdout, as wide as the terminal; wide where there is none."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return Console(highlight=False)
    return Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)


def cell(text: str) -> Text:
    """Text as it is: no markup, no escapes of a terminal. A word that has a style gets it."""
    return Text(visible(text), STYLES.get(text, ""))


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> Table:
    """A table of texts; the columns `numbers` are on the right."""
    made = Table(title=cell(title), title_justify="left")
    for heading in headings:
        right = heading in numbers
        made.add_column(heading, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        made.add_row(*map(cell, row))
    return made


def note(text: str) -> None:
    """One line on stderr."""
    print(f"shielded-function: {visible(text)}", file=sys.stderr)
