"""Runs the attempts of inside/attempts.py in a sandbox, with or without the shield."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulated_lambda.sandbox import Completed, Sandbox, shield_lines

PYTHON = "/var/lang/bin/python3"
SHIELD = "/opt/shielded-function/shield"
SOURCE = Path(__file__).parent / "inside" / "attempts.py"
POLICIES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")


@dataclass(frozen=True)
class Outcome:
    """What one attempt came to: `errno` is None when the thing was done; gaierror codes are 1000 + n."""

    errno: int | None
    alerts: tuple[dict[str, Any], ...]


def attempt_names(prefix: str) -> list[str]:
    marker = f"def {prefix}_"
    lines = SOURCE.read_text().split("\n")
    return [
        line.removeprefix("def ").split("(")[0]
        for before, line in itertools.pairwise(lines)
        if before == "@attempt" and line.startswith(marker)
    ]


def policy(**settings: str) -> dict[str, str]:
    """SHIELD_* settings: every policy allows unless it is given."""
    merged = dict.fromkeys(POLICIES, "allow") | {"executable_memory": "allow"} | settings
    return {f"SHIELD_{name.upper()}": value for name, value in merged.items()}


def prepare_tmp(sandbox: Sandbox) -> None:
    """/tmp as the attempts expect it: a file, a folder, and a link out of /tmp; all else is taken away.

    Done from outside, which costs no process: it happens before every attempt.
    """
    tmp = sandbox.path("/tmp")
    owner = tmp.stat()
    for entry in tmp.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    (tmp / "there").write_text("content")
    (tmp / "folder").mkdir()
    (tmp / "link").symlink_to("/etc/resolv.conf")
    for entry in tmp.iterdir():
        os.chown(entry, owner.st_uid, owner.st_gid, follow_symlinks=False)


def run_attempts(sandbox: Sandbox, names: Sequence[str], settings: Mapping[str, str] | None) -> dict[str, Outcome]:
    """Each attempt in a process of its own start-up (one for all): outcome and alerts by name."""
    command = [PYTHON, "/var/task/attempts.py", *names]
    if settings is not None:
        command = [SHIELD, *command]
    done = sandbox.run_command(command, environment=settings)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    return outcomes(done)


def outcomes(done: Completed) -> dict[str, Outcome]:
    results: dict[str, int | None] = json.loads(done.stdout)
    collected: dict[str, Outcome] = {}
    pending: list[str] = []
    for line in done.stderr.splitlines():
        if line.startswith("== "):
            name = line.removeprefix("== ")
            alerts = tuple(entry for entry in shield_lines(pending) if "policy" in entry)
            collected[name] = Outcome(results[name], alerts)
            pending = []
        else:
            pending.append(line)
    return collected
