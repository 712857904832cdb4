"""docs/guide/first-quarter.md: its files are written, its commands run, and their output is that on the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from integration.docs.pages import ROOT, read_page
from shielded_function_emulator.sandbox import Sandbox

PAGE = ROOT / "docs" / "guide" / "first-quarter.md"
HERE = Path(__file__).relative_to(ROOT).as_posix()


def in_order(text: str) -> re.Pattern[str]:
    """Matches output that has these lines or parts of lines in order; `...` stands for any text."""
    parts = [re.escape(part) for part in re.split(r"(?:^|(?<= ))\.\.\.(?=\s)", text.strip(), flags=re.MULTILINE)]
    return re.compile(r".*".join(parts), re.DOTALL)


@pytest.mark.promise("package.docs")
def test_a_reader_follows_the_page(tmp_path: Path) -> None:
    with Sandbox():
        pass  # skips where this machine gives no namespaces
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "80", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
    output, shown = "", 0
    for block in read_page(PAGE).blocks:
        if block.language == "text":
            assert in_order(block.text).search(output), f"{block.place}\n{output}"
            shown += 1
        elif block.elsewhere == HERE and block.language == "python":
            name, _, code = block.text.partition("\n")
            file = tmp_path / name.removeprefix("# ")
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{name}\n{code}")
        elif block.elsewhere == HERE:
            done = subprocess.run(
                ["bash", "-c", block.text], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert "Traceback" not in done.stderr, done.stderr
            output = done.stdout
    assert shown == 6
