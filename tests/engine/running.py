"""How the engine's tests run programs: in which sandbox, by which paths, with which settings, and with what in /tmp."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulated_lambda.sandbox import Completed, Sandbox

PYTHON = "/var/lang/bin/python3"
SHIELD = "/opt/shielded-function/shield"
POLICIES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")


def policy(**settings: str) -> dict[str, str]:
    """SHIELD_* settings: every policy allows unless it is given."""
    merged = dict.fromkeys(POLICIES, "allow") | {"executable_memory": "allow"} | settings
    return {f"SHIELD_{name.upper()}": value for name, value in merged.items()}


def make_places(task: Path) -> None:
    """What laid_over.py and other_root.py mount over, in the function's code."""
    for folder in ("mounted", "etc"):
        (task / folder).mkdir()
    for file in ("memory", "alone.py"):
        (task / file).touch()


def run_mounted(
    layout: list[str], box: Sandbox, layer: Path, command: list[str], settings: dict[str, str]
) -> Completed:
    """Runs a command behind laid_over.py or other_root.py, in a sandbox that has `make_places`.

    Skips where there are no namespaces.
    """
    with Sandbox(task=box.task, layers=layer, filtered=False) as unfiltered:
        prepare_tmp(unfiltered)
        first, *kind = layout
        line = [PYTHON, f"/var/task/{first}.py", *kind, *command]
        done = unfiltered.run_command(line, environment=settings)
    last = (done.stderr.splitlines() or [""])[-1]
    if last.startswith(("OSError", "PermissionError")) and last.endswith(("unshare", "proc", "tmpfs", "overlay")):
        pytest.skip(f"no namespaces of its own here: {last}")
    return done


@contextmanager
def whole_sandbox(task: Path, layer: Path) -> Iterator[Sandbox]:
    """A sandbox with `task`, which everyone may read from now on, at /var/task. Skips where none can be had."""
    for path in (task, *task.rglob("*"), *task.parents[:3]):
        path.chmod(0o755)
    with Sandbox(task=task, layers=layer) as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(f"needs a sandbox with a network and /tmp of its own: {sandbox.isolation.note}")
        yield sandbox


def prepare_tmp(sandbox: Sandbox) -> None:
    """/tmp as the tests expect it: a file, a folder, and a link out of /tmp; all else is taken away.

    Done from outside, which costs no process: it happens before every one of them.
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
