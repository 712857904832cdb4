"""The handler of the workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import workers


def _reads() -> object:
    try:
        return bool(Path(__file__).read_text())
    except PermissionError:
        return "denied"


AT_LOAD = _reads()
workers.pass_gate(f"ask-{workers.NAME}")
BEFORE_ASKING = _reads()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    workers.pass_gate("answer")
    return {"worker": workers.NAME, "load": AT_LOAD, "before": BEFORE_ASKING, "invocation": _reads()}
