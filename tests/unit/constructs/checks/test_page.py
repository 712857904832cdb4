"""docs/guide/checks.md: its blocks run, and its table is that of the rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from shielded_function.checks.rules import OF_NO_FUNCTION, RULES

PAGE = (Path(__file__).parents[4] / "docs" / "guide" / "checks.md").read_text()


def test_the_table() -> None:
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (error|warning) \|", PAGE, re.MULTILINE))
    assert listed == {**{rule.id: rule.severity for rule in RULES}, **dict.fromkeys(OF_NO_FUNCTION, "warning")}


def test_the_python_blocks() -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "checks.md", "exec"), names)
    names["app"].synth(force=True)
