"""The mounts of the benchmark's place: a layer's and the handler's, read-only and each its own, as in Lambda.

Not at /opt and /var/task, which may be in use here: a mount's path says nothing to the shield, what lies on it does.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# Also in calls.h.
ROOT = Path("/mnt")
LAYER, TASK = ROOT / "opt", ROOT / "task"
LAYER_PYTHON = LAYER / "python"
TMP = Path("/tmp/bench")
_HANDLER = "app.py"
_DATA = "data.txt"
# What `import boto3` reads.
_MODULES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")

HANDLER_ENVIRONMENT: Mapping[str, str] = {"LAMBDA_TASK_ROOT": str(TASK), "_HANDLER": "app.handler"}


def can_be_hidden(*paths: Path) -> bool:
    """Whether nothing of what runs lies below the folder that the mounts cover."""
    return ROOT.is_dir() and not any(ROOT in path.resolve().parents for path in paths)


def make() -> bool:
    """Makes the mounts, in a mount namespace of this process's own; False where that is refused."""
    if not can_be_hidden(Path(__file__), Path(sys.prefix), Path(sys.base_prefix)) or not _mount_memory(ROOT):
        return False
    for folder in (LAYER, TASK):
        folder.mkdir()
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
