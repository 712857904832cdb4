# pyright: basic, reportMissingImports=false
"""Makes every kind of temporary file and folder that the standard library has."""

import tempfile
from pathlib import Path


def handler(event: object, context: object) -> dict[str, object]:
    with tempfile.TemporaryFile() as unnamed, tempfile.NamedTemporaryFile(suffix=".csv") as named:
        unnamed.write(b"a")
        named.write(b"b")
    with tempfile.SpooledTemporaryFile(max_size=1) as spooled:
        spooled.write(b"more than that")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "file").write_text("c")
        (Path(folder, "inner")).mkdir()
    return {"done": "kept nothing"}
