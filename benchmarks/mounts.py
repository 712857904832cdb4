"""The mounts of the benchmark's place: a layer's and the handler's, read-only and each its own, as in Lambda.

The handler's is not at /var/task, which is no folder of most machines: the shield goes by LAMBDA_TASK_ROOT.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# Also in calls.h.
LAYER, TASK = Path("/opt"), Path("/mnt/task")
_COVERED = (LAYER, TASK.parent)
LAYER_PYTHON = LAYER / "python"
TMP = Path("/tmp/bench")
_HANDLER = "app.py"
_DATA = "data.txt"
# What `import boto3` reads.
_MODULES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")

HANDLER_ENVIRONMENT: Mapping[str, str] = {"LAMBDA_TASK_ROOT": str(TASK), "_HANDLER": "app.handler"}


def can_be_hidden(*paths: Path) -> bool:
    """Whether nothing of what runs lies below the folders that the mounts cover."""
    below = {parent for path in paths for parent in path.resolve().parents}
    return all(folder.is_dir() for folder in _COVERED) and not below.intersection(_COVERED)


def make() -> bool:
    """Makes the mounts, in a mount namespace of this process's own; False where that is refused."""
    used = (Path(__file__), Path(sys.prefix), Path(sys.base_prefix))
    if not can_be_hidden(*used) or not _mount_memory(TASK.parent):
        return False
    TASK.mkdir()
    for folder in (LAYER, TASK):
        if not _mount_memory(folder):
            return False
        (folder / _DATA).write_text("a regular file\n")
    (TASK / _HANDLER).write_text("def handler(event, context):\n    return event\n")
    for name in _MODULES:
        _copy_module(name)
    return all(_mount("-o", "remount,ro", str(folder)) for folder in (LAYER, TASK))


def make_tmp() -> None:
    """The file of the row that opens one in /tmp."""
    TMP.mkdir(exist_ok=True)
    (TMP / _DATA).write_text("a regular file\n")


def _copy_module(name: str) -> None:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        return
    origin = Path(found.origin)
    if found.submodule_search_locations:
        shutil.copytree(origin.parent, LAYER_PYTHON / name)
    else:
        LAYER_PYTHON.mkdir(exist_ok=True)
        shutil.copy2(origin, LAYER_PYTHON)


def _mount_memory(folder: Path) -> bool:
    return _mount("-t", "tmpfs", "tmpfs", str(folder))


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
