"""How the engine's tests run programs: in which sandbox, by which paths, with which settings, and with what in /tmp."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shielded_function_emulator.languages import python
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.sandbox import Completed, Sandbox, shield_lines

PYTHON = "/var/lang/bin/python3"
SHIELD = "/opt/shielded-function/shield"
NO_MOUNTS: Mapping[str, Path] = {}
POLICIES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")


def policy(**settings: str) -> dict[str, str]:
    """SHIELD_* settings: every policy allows unless it is given. A start that fails is refused."""
    merged = dict.fromkeys(POLICIES, "allow") | {"executable_memory": "allow", "on_failure": "refuse"} | settings
    return {f"SHIELD_{name.upper()}": value for name, value in merged.items()}


@contextmanager
def whole_sandbox(
    task: Path,
    layer: Path,
    *,
    mounts: Mapping[str, Path] = NO_MOUNTS,
    runtime: Runtime = python.THIS,
    filtered: bool = True,
) -> Iterator[Sandbox]:
    """A sandbox with `task`, which everyone may read from now on, at /var/task. Skips where none can be had."""
    for path in (task, *task.rglob("*"), *task.parents[:3]):
        path.chmod(0o755)
    with Sandbox(task=task, layers=layer, mounts=mounts, runtime=runtime, filtered=filtered) as sandbox:
        yield sandbox


def run_inside(
    box: Sandbox, program: str, *arguments: str, settings: Mapping[str, str], shield: bool = True, **options: Any
) -> Completed:
    """Runs one of the programs of harness/inside, which has to end well. `options` are those of `run_command`."""
    command = [*([SHIELD] if shield else []), PYTHON, f"/var/task/{program}.py", *arguments]
    done = box.run_command(command, environment=settings, **options)
    assert done.returncode == 0, f"{done.returncode}: {done.stdout} {done.stderr[-3000:]}"
    return done


def last_line(done: Completed) -> Any:
    """What a program printed last, which is JSON."""
    return json.loads(done.stdout.splitlines()[-1])


def alerts(done: Completed) -> list[dict[str, Any]]:
    """The violations that it logged, of all its lines."""
    return [line for line in done.shield_lines if "policy" in line]


def alerts_by_way(log: str) -> dict[str, list[dict[str, Any]]]:
    """The violations of each way, for programs that write its name in front."""
    parts = (part.partition("\n") for part in log.split("--- ")[1:])
    return {way: [line for line in shield_lines(text.splitlines()) if "policy" in line] for way, _, text in parts}


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


@contextmanager
def listening(sandbox: Sandbox, address: str, port: int) -> Iterator[socket.socket]:
    """A server of the sandbox's network, which only takes connections."""
    with sandbox.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen(16)
        yield server


def heard_outside(sandbox: Sandbox, run: Callable[[], Completed]) -> tuple[bytes, Completed]:
    """What a server at 203.0.113.9:80 was sent, at most 16 bytes, while a program ran."""
    with listening(sandbox, "203.0.113.9", 80) as server:
        done = run()
        server.settimeout(0.01)
        try:
            return server.accept()[0].recv(16), done
        except TimeoutError:
            return b"", done
