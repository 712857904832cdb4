"""A function that does what each event says, in Python, and answers with what that leaves in `result`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from snapshot_restore_py import register_after_restore

# What the events use.
_ = (shutil, socket, sys, tempfile)

if os.environ.get("OPENS"):
    os.chmod("/tmp", 0o755)
os.makedirs(os.environ.get("DEEP", "/tmp/init"), exist_ok=True)
Path("/tmp/init/cache").write_text("initialization")
Path("/tmp/started").touch()
# A process of the function's own that makes a file as soon as there is another one.
ANSWER = "while [ ! -e /tmp/ask ]; do sleep 0.01; done; echo user > /tmp/asked; sleep 60"
if os.environ.get("BEFORE") == "program":
    subprocess.Popen(["/bin/sh", "-c", ANSWER])
if os.environ.get("BEFORE") == "fork" and not os.fork():
    while not Path("/tmp/ask").exists():
        time.sleep(0.01)
    Path("/tmp/asked").write_text("user")
    time.sleep(60)
register_after_restore(lambda: Path("/tmp/restored").write_text("after the restore"))


PROGRAM = "open('/tmp/by-a-program', 'w').close()"


def make(path: str) -> None:
    """A file."""
    open(path, "w").close()


def unnamed(folder: str) -> int:
    """A descriptor of a file without a name."""
    return os.open(folder, os.O_TMPFILE | os.O_RDWR)


def link_descriptor(descriptor: int, path: str) -> None:
    """With a descriptor, Python lets the kernel follow the link (linkat)."""
    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)


def shell(command: str) -> None:
    subprocess.run(["/bin/sh", "-c", command], check=True)


def handler(event: dict[str, Any], context: object) -> object:
    names: dict[str, Any] = {**globals(), "result": None}
    exec(compile(event["code"], "<event>", "exec"), names)
    return names["result"]
