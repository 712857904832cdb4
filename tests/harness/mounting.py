"""Runs programs where the maker of a container has mounted something before (inside/other_root.py)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness.running import PYTHON, prepare_tmp
from shielded_function_emulator import kernel
from shielded_function_emulator.sandbox import Completed, Sandbox

_NOT_TO_BE_HAD = re.compile(r"(OSError|PermissionError): \[Errno \d+\] (unshare|mount (proc|tmpfs|overlay) )")


def make_places(task: Path) -> None:
    """What that program needs in the function's code: what it mounts over, and what it mounts by."""
    package = task / "shielded_function_emulator"
    package.mkdir()
    shutil.copy(kernel.__file__, package)
    for folder in ("mounted", "etc"):
        (task / folder).mkdir()
    for file in ("memory", "alone.py"):
        (task / file).touch()


def run_mounted(kind: str, box: Sandbox, layer: Path, command: list[str], settings: dict[str, str]) -> Completed:
    """Runs a command where it is mounted in that way, in a sandbox of the same code, which has `make_places`.

    Skips where there are no namespaces.
    """
    with Sandbox(task=box.task, layers=layer, filtered=False) as unfiltered:
        prepare_tmp(unfiltered)
        done = unfiltered.run_command([PYTHON, "/var/task/other_root.py", kind, *command], environment=settings)
    last = (done.stderr.splitlines() or [""])[-1]
    if _NOT_TO_BE_HAD.match(last):
        pytest.skip(f"no namespaces of its own here: {last}")
    return done
