"""The command line as a user has it: a process of its own, with nothing of this machine's settings."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest.mock import patch

COMMAND = "shielded_function.cli"
_WIDE = {"COLUMNS": "200"}


@lru_cache(maxsize=1)
def _forks() -> ForkServerContext:
    """Starts the process that the commands are forked from; it ends with this one."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["integration.cli.forking"])
    with patch.dict(os.environ, {"PYTHONPATH": os.pathsep.join(sys.path), **_WIDE}):
        forkserver.ensure_running()
    return context


def _take_over(arguments: Sequence[str], environment: Mapping[str, str], cwd: str, folder: str) -> None:
    """In the forked process: as if it had been started so."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        opened = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)  # multiprocessing has closed it
    sys.argv = [COMMAND, *arguments]
    runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)


def _anew(*arguments: str, environment: Mapping[str, str], cwd: Path | None) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", COMMAND, *arguments]
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
        given = [*map(str, arguments)]
        started = (given, {**kept, **_WIDE, **(environment or {})}, str(cwd or Path.cwd()), folder)
        run = _forks().Process(target=_take_over, args=started)
        run.start()
        run.join()
        assert run.exitcode is not None
        stdout, stderr = ((Path(folder) / name).read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(given, run.exitcode, stdout, stderr)


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
