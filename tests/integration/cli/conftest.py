"""A log as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.cli.alert_logs import log

PROMISE = "cli.commands"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(log()) + "\n")
    return path
