"""What a vfork child, a copy or another thread does in the midst of a guarded call."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.compiling import EFFORT, SOURCES, compile_c
from harness.running import POLICIES, PYTHON, SHIELD, policy, prepare_tmp
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox

pytestmark = pytest.mark.promise("shield.judged-is-used")

BLOCKED = policy(**dict.fromkeys(POLICIES, "block"), executable_memory="block")
CHILDREN = BLOCKED | {"SHIELD_CREATE_CHILD_PROCESS": "allow"}
LISTED = BLOCKED | {"SHIELD_ALLOW_CHILD_PROCESS": "/usr/bin/true"}
FOLDER = BLOCKED | {"SHIELD_ALLOW_TMP": "/tmp/allowed/**"}
REFUSED = "/tmp/there"
CHANGED_PATH = (PYTHON, "-S", "/var/task/changed_path.py")


def fill_task(task: Path) -> None:
    compile_c([SOURCES / "vfork_child.c"], task / "vfork_child", target=f"{architecture()}-linux-gnu")
    compile_c([SOURCES / "leave_mark.c"], task / "leave_mark", "-static", target=f"{architecture()}-linux-musl")


def run(box: Sandbox, settings: Mapping[str, str], *command: str) -> Completed:
    """Runs it with a folder in /tmp that may be opened to it."""
    prepare_tmp(box)
    tmp = box.path("/tmp")
    (tmp / "allowed").mkdir()
    shutil.chown(tmp / "allowed", tmp.stat().st_uid, tmp.stat().st_gid)
    return box.run_command([SHIELD, *command], environment={**settings, "RACE_SECONDS": str(EFFORT)})


def counted(done: Completed) -> tuple[int, int]:
    """What the program got, or what went wrong, and how often it tried."""
    assert done.returncode == 0, f"{done.returncode}: {done.stdout} {done.stderr[-3000:]}"
    got, tries = map(int, done.stdout.splitlines()[-1].split())
    return got, tries


ATTEMPTS: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "exec_in_a_vfork_child": (LISTED, ("/var/task/vfork_child", "program", "/usr/bin/true", "/var/task/leave_mark")),
    "path_of_a_copy": (policy(create_child_process="block"), (*CHANGED_PATH, "text", REFUSED)),
    "path_in_proc": (CHILDREN, (*CHANGED_PATH, "text", REFUSED)),
}


@pytest.mark.race
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_is_used_that_was_not_judged(box: Sandbox, attempt: str) -> None:
    settings, command = ATTEMPTS[attempt]
    done = run(box, settings, *command)
    got, tries = counted(done)
    assert tries > 0, f"nothing was tried: {done.stderr[-2000:]}"
    left = {path.name for path in box.path("/tmp").iterdir()}
    assert (got, left) == (0, {"allowed", "folder", "link", "there"}), f"after {tries} attempts"


@pytest.mark.race
def test_a_socket_in_a_folder_that_is_renamed(box: Sandbox) -> None:
    """Left open: its file, which is empty, is made where the name leads."""
    got, _ = counted(run(box, FOLDER, *CHANGED_PATH, "name", "/tmp/allowed", "/tmp"))
    assert (got, (box.path("/tmp") / "socket").is_socket()) == (1, True)
