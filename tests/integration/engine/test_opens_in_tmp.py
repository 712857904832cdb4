"""What is allowed in /tmp opens as without the shield, in every way, and nothing that is not allowed does."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from harness.compiling import EFFORT
from harness.running import alerts, last_line, policy, prepare_tmp, run_inside
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("tmp.spellings")

LISTED = {"read_write_tmp": "block", "allow_tmp": "/tmp/ok,/tmp/ok/**"}
ALLOWED = {"read_write_tmp": "allow"}
PLACES = {"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": "/var/task", "RACE_SECONDS": str(EFFORT)}
THREADS = {"one thread": [], "several threads": ["threads"]}
# Not of /tmp/ok: what the policy refuses.
REFUSED = ("secret", "tmp")


def fill_task(task: Path) -> None:
    (task / "secret.txt").write_text("of the task")


@pytest.fixture(autouse=True)
def prepared(box: Sandbox) -> None:
    prepare_tmp(box)
    run(box, {}, "prepare", shield=False)


def run(box: Sandbox, settings: dict[str, str], *arguments: str, shield: bool = True) -> tuple[dict[str, object], int]:
    """What it tells, and how many lines it was worth."""
    environment = PLACES | policy(read_handler="block", **settings)
    done = run_inside(box, "opens_in_tmp", *arguments, settings=environment, shield=shield, timeout=120)
    return last_line(done) or {}, len(alerts(done))


@pytest.mark.parametrize("settings", [LISTED, ALLOWED], ids=["listed", "allowed"])
@pytest.mark.parametrize("threads", THREADS.values(), ids=THREADS)
def test_listed_paths_open_and_no_spelling_of_others(
    box: Sandbox, settings: dict[str, str], threads: list[str]
) -> None:
    plain, _ = run(box, {}, "spellings", *threads, shield=False)
    found, lines = run(box, settings, "spellings", *threads)
    assert len(plain) == 26 * 11
    denied = {name for name in plain if name.startswith(REFUSED)} if settings is LISTED else set[str]()
    assert [name for name in denied if found[name] not in {errno.EACCES, plain[name]}] == []
    assert [name for name in denied if found[name] is None] == []
    others = {name: (found[name], plain[name]) for name in plain if name not in denied and found[name] != plain[name]}
    assert not others
    assert (lines > 0) == (settings is LISTED)


def test_a_copy_opens_what_is_listed_and_nothing_else(box: Sandbox) -> None:
    assert run(box, LISTED, "forked")[0] == {"secret": errno.EACCES, "file": None}


@pytest.mark.race
def test_a_path_in_tmp_that_changes_while_it_is_opened(box: Sandbox) -> None:
    inode = box.path("/tmp/secret/file").stat().st_ino
    assert run(box, LISTED, "raced_paths", str(inode))[0] == {"secret was read": 0, "others were": "True"}


@pytest.mark.race
def test_a_folder_that_changes_while_it_is_used(box: Sandbox) -> None:
    secret = box.path("/tmp/secret.txt")
    secret.write_text("secret")
    secret.chmod(0o644)
    found, _ = run(box, {"read_write_tmp": "block", "allow_tmp": "/tmp"}, "raced_folders", str(secret.stat().st_ino))
    assert found == {"secret was read": 0, "others were": "True"}
