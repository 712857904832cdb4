"""The code in docs/guide/aws.md runs as it stands, and its table has every id that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from shielded_function import granted

GUIDE = Path(__file__).parents[4] / "docs" / "guide" / "aws.md"


def test_the_examples() -> None:
    names: dict[str, Any] = {}
    examples = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 4
    for code in examples:
        exec(compile(code, str(GUIDE), "exec"), names)


def test_every_finding_is_in_the_table() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in Path(granted.__file__).parent.glob("*.py"))
    made = set(re.findall(r'_(?:warn|problem)\(\s*"(\w+)"', source)) | set(re.findall(r'\{_ID\}(\w+)"', source))
    assert len(made) > 10
    assert set(re.findall(r"`granted(\w+)`", GUIDE.read_text(encoding="utf-8"))) == made
