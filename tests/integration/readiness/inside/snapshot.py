"""A function under SnapStart: its hooks read its own source, before the snapshot and after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snapshot_restore_py import register_after_restore, register_before_snapshot

SEEN: dict[str, object] = {}


def _reads(file: str) -> object:
    try:
        return bool(Path(file).read_text())
    except PermissionError:
        return "denied"


def _look(when: str) -> None:
    SEEN[when] = _reads(__file__)


SEEN["import"] = _reads(__file__)
register_before_snapshot(_look, "before snapshot")
register_after_restore(_look, "after restore")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    import later

    return {**SEEN, "invocation": _reads(__file__), "later": later.NAME}
