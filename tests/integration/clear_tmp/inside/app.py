"""A function that does what each event says, in Python, and answers with what that leaves in `result`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from snapshot_restore_py import register_after_restore

Path("/tmp/init").mkdir(exist_ok=True)
Path("/tmp/init/cache").write_text("initialization")
(STARTED := tempfile.NamedTemporaryFile(prefix="started-", delete=False)).close()
if "DEEP" in os.environ:
    Path("/tmp/init/deep").mkdir(mode=0o755)
register_after_restore(lambda: Path("/tmp/restored").write_text("after the restore"))


def handler(event: dict[str, Any], context: object) -> object:
    names: dict[str, Any] = {"result": None}
    exec(compile(event["code"], "<event>", "exec"), names)
    return names["result"]
