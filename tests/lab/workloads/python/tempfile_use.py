# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Makes temporary files and folders of the standard library."""

import tempfile
from pathlib import Path

from outcome import told


def use():
    with tempfile.NamedTemporaryFile(suffix=".csv") as named, tempfile.TemporaryDirectory() as folder:
        named.write(b"a")
        Path(folder, "file").write_text("b")
    return "kept nothing"


handler = told(use)
