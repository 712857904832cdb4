"""The command line as a user has it: a program of its own, with nothing of this machine's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def command(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs `shielded-function`; `environment` is added to this process's, without its AWS and SHIELD variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHIELD_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", "shielded_function.cli", *map(str, arguments)],
        env={**kept, "COLUMNS": "200", **(environment or {})},
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def says(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that could not do its work."""
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert done.stderr.startswith("shielded-function: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("shielded-function: ").rstrip("\n")
