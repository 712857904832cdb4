"""The command line as a user has it: a process of its own, with nothing of this machine's settings."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TextIO

_FORKING = Path(__file__).with_name("forking.py")
_WIDE = {"COLUMNS": "200"}


@lru_cache(maxsize=1)
def _server() -> TextIO:
    """The process that the commands are forked from; it ends with this one."""
    ours, theirs = socket.socketpair()
    with theirs:
        arguments = [sys.executable, str(_FORKING), str(theirs.fileno())]
        subprocess.Popen(arguments, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env={**os.environ, **_WIDE})
    return ours.makefile("rw")


def _anew(*arguments: str, environment: Mapping[str, str], cwd: Path | None) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "shielded_function.cli", *arguments]
    return subprocess.run(program, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def command(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs `shielded-function`; `environment` is added to this process's, without its AWS and SHIELD variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHIELD_", "AWS_"))}
    if any(name.startswith("PYTHON") for name in environment or {}):  # which Python reads as it starts
        return _anew(*map(str, arguments), environment={**kept, **_WIDE, **(environment or {})}, cwd=cwd)
    with tempfile.TemporaryDirectory(prefix="command-") as folder:
        (Path(folder) / "stdin").write_text(stdin)
        request = {
            "arguments": [*map(str, arguments)],
            "environment": {**kept, **_WIDE, **(environment or {})},
            "cwd": str(cwd or Path.cwd()),
            "folder": folder,
        }
        _server().write(json.dumps(request) + "\n")
        _server().flush()
        status = int(_server().readline())
        stdout, stderr = ((Path(folder) / name).read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(request["arguments"], status, stdout, stderr)


def says(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that could not do its work."""
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert done.stderr.startswith("shielded-function: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("shielded-function: ").rstrip("\n")


def shell(script: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs what a reader types, in bash: this environment's command is on PATH, and the first failure ends it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIELD_")}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program, quiet = ["bash", "-euo", "pipefail", "-c", script], subprocess.DEVNULL
    return subprocess.run(program, cwd=folder, env={**kept, **settings}, stdin=quiet, capture_output=True, text=True)
