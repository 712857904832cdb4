"""Runs the demo and draws its parts on the first screen: `python docs/draw_demo.py` writes docs/images/demo.svg."""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from shielded_function_emulator import demo
from shielded_function_emulator.verdicts import Verdicts

PICTURE: Final = Path(__file__).parent / "images" / "demo.svg"
_COLUMNS: Final = 82


def draw(verdicts: Verdicts, isolation: str) -> None:
    """Writes the picture: the six attempts in block mode, the line of the first one, and the alarm on it."""
    del isolation
    drawn = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True)
    rows = [row for row in verdicts.rows if row.mode == "block"]
    table = Table("a dependency's attempt", "unshielded", "shielded", "made by", expand=True)
    for row in rows:
        colors = ("[red]", "[green]") if row.is_as_expected else ("", "")
        made_by = f"{row.caller.get('package', '')}:{row.caller.get('line', '')}"
        table.add_row(row.attempt.title, f"{colors[0]}{row.unshielded}", f"{colors[1]}{row.shielded}", made_by)
    drawn.print(table, "", "The first attempt's line in the log:", rows[0].line, "", sep="\n")
    [alarm, *_] = verdicts.fired("block")
    drawn.print(f"{alarm.name} fired and would call", *alarm.actions, sep="\n  ", highlight=False)
    svg = drawn.export_svg(title="make demo")
    # rich names a font of another host; the reader's own monospace is used instead.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "monospace")
    PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    setattr(demo, "_print", draw)  # noqa: B010
    sys.exit(demo.run())
