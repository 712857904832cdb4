"""Runs the demo and draws its output: `python docs/draw_demo.py` writes docs/images/demo.svg."""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from shielded_function_emulator import demo

PICTURE: Final = Path(__file__).parent / "images" / "demo.svg"
_COLUMNS: Final = 118


def draw() -> int:
    """Writes the picture; the demo's exit status."""
    drawn = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True)

    def console(**options: Any) -> Console:
        return Console(stderr=True) if options.get("stderr") else drawn

    setattr(demo, "Console", console)  # noqa: B010
    status = demo.run()
    svg = drawn.export_svg(title="make demo")
    # rich names a font of another host; the reader's own monospace is used instead.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "monospace")
    PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(draw())
