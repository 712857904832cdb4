"""Files of the mounts that hold code and layers are opened at once, but for the handler, whatever leads to it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import INSIDE
from harness.running import POLICIES, PYTHON, SHIELD, last_line, policy, run_inside, whole_sandbox
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("handler.spellings")

SETTINGS = policy(**dict.fromkeys(POLICIES, "block")) | {"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": "/var/task"}
HANDLERS = (
    *("absolute", "doubled slash", "more slashes", "up and down", "out and in", "relative", "by a descriptor"),
    *("by one below", "absolute beside a descriptor", "by a link", "by a link of a folder", "by another mount"),
    "by procfs",
)
PLAIN = ("plain", "relative, plain", "by a descriptor, plain", "by a link, plain", "layer", "folder")
OTHERS = dict.fromkeys(PLAIN) | {
    "missing": errno.ENOENT,
    "no folder": errno.ENOTDIR,
    "of the handler's name": None,
    "where a link leads": None,
}
THREADS = {"one thread": [], "several threads": ["threads"]}


def fill(task: Path) -> None:
    for file in INSIDE.glob("*.py"):
        shutil.copy(file, task)
    (task / "sub").mkdir()
    (task / "sub" / "data.txt").write_text("data")
    (task / "sub" / "app.py").write_text("another module of its name")
    (task / "sub" / "linked_from_app.py").write_text("source")
    (task / "sub" / "up").symlink_to("..")
    (task / "link.txt").symlink_to("app.py")


@pytest.fixture(scope="module")
def box(layer: Path, task: Path) -> Iterator[Sandbox]:
    fill(task)
    with whole_sandbox(task, layer, mounts={"/var/again": task}) as sandbox:
        yield sandbox


def told(box: Sandbox, *arguments: str, shield: bool = True) -> dict[str, object]:
    return last_line(run_inside(box, "read_only_mounts", *arguments, settings=SETTINGS, shield=shield))


@pytest.mark.parametrize("threads", THREADS.values(), ids=THREADS)
def test_no_spelling_leads_to_the_handler(box: Sandbox, threads: list[str]) -> None:
    assert told(box, "spellings", *threads, shield=False) == dict.fromkeys(HANDLERS) | OTHERS
    assert told(box, "spellings", *threads) == dict.fromkeys(HANDLERS, errno.EACCES) | OTHERS


@pytest.mark.parametrize("how", ["link", "second name"])
@pytest.mark.parametrize("threads", THREADS.values(), ids=THREADS)
def test_a_handler_by_another_name(layer: Path, tmp_path: Path, how: str, threads: list[str]) -> None:
    """What is protected is the file, which a link may lead to, or which may have two names."""
    fill(tmp_path)
    source = tmp_path / "sub" / "linked_from_app.py"
    if how == "link":
        (tmp_path / "app.py").unlink()
        (tmp_path / "app.py").symlink_to("sub/linked_from_app.py")
    else:
        source.unlink()
        source.hardlink_to(tmp_path / "app.py")
    with whole_sandbox(tmp_path, layer, mounts={"/var/again": tmp_path}) as other:
        found = told(other, "spellings", *threads)
    assert found == OTHERS | dict.fromkeys((*HANDLERS, "where a link leads"), errno.EACCES)


@pytest.mark.parametrize("threads", THREADS.values(), ids=THREADS)
def test_what_does_not_read_is_as_ever(box: Sandbox, threads: list[str]) -> None:
    plain = told(box, "writing", *threads, shield=False)
    assert {plain["write"], plain["truncate"]} <= {errno.EACCES, errno.EROFS}
    assert told(box, "writing", *threads) == plain | {"reference": errno.EACCES}


@pytest.mark.parametrize("shield", [False, True], ids=["unshielded", "shielded"])
def test_a_folder_that_was_handed_down(layer: Path, tmp_path: Path, shield: bool) -> None:
    """Its files open though the way to it is closed to this user."""
    fill(tmp_path)
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed" / "inner" / "x").write_text("data")
    with whole_sandbox(tmp_path, layer) as other:
        (tmp_path / "closed").chmod(0o700)
        folder = os.open(other.path("/var/task") / "closed" / "inner", os.O_RDONLY | os.O_DIRECTORY)
        command = [PYTHON, "/var/task/read_only_mounts.py", "handed_down", str(folder)]
        process = other.start([SHIELD, *command] if shield else command, environment=SETTINGS, keep=[folder])
        os.close(folder)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert json.loads(stdout) == {"x": None, "missing": errno.ENOENT}
