"""The promise of the tests here that name no other, and logs in files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.cli.insights_account import Account, account

PROMISE = "cli.commands"


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    """A file of these lines."""

    def write(*lines: str, name: str = "log") -> Path:
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path / name

    return write


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An empty account."""
    with account(monkeypatch) as made:
        yield made
