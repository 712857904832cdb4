"""What lies where: /tmp, /proc and the handler as the maker of a container mounted them, and links that lead there."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from harness.mounting import make_places, run_mounted
from harness.running import POLICIES, PYTHON, SHIELD, policy, prepare_tmp
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("tmp.mounts")

REFUSED = errno.EACCES
ALL_BLOCKED = policy(**dict.fromkeys(POLICIES, "block"))
TMP_BLOCKED = policy(read_write_tmp="block")
PROGRAM = (PYTHON, "-c", "import os, sys; sys.path.insert(0, '/var/task')\nfrom ways import *\nexec(sys.argv[1])")


def fill_task(task: Path) -> None:
    make_places(task)


def test_links_on_the_root_mount_lead_nowhere_unjudged(layer: Path, box: Sandbox, tmp_path: Path) -> None:
    """Opens that stay on the mount of / are not looked at: what leads away from it must be noticed all the same."""
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "to_tmp").symlink_to("/tmp/there")
    (folder / "to_folder").symlink_to("/tmp")
    (folder / "to_handler").symlink_to("/var/task/app.py")
    for path in (folder, *tmp_path.parents[:2], tmp_path):
        path.chmod(0o755)
    assert box.task is not None
    settings = policy(read_write_tmp="block", read_handler="block") | {"_HANDLER": "app.handler"}
    code = """
ask_for_work()
for _ in range(40): open("/etc/passwd").close()
paths = ["/var/links/to_tmp", "/var/links/to_folder/there", "/var/links/to_handler", "/proc/self/root/tmp/there"]
print([refusal(lambda p=p: open(p)) for p in paths for _ in range(20)] == [13] * 80)
"""
    with Sandbox(task=box.task, layers=layer, mounts={"/var/links": folder}) as linked:
        prepare_tmp(linked)
        done = linked.run_command([SHIELD, *PROGRAM, code], environment=settings)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_what_was_mounted_before_the_start_is_judged_too(layer: Path, box: Sandbox) -> None:
    """Whoever makes a container may lay something over files and folders of /proc, or show a second procfs."""
    code = """
os.symlink("/proc/self/mem", "/proc/fs/link")
paths = ["/proc/cpuinfo", "/var/task/mounted/self/mem", "/var/task/mounted/self/../self/task/1/mem", "/proc/fs/link"]
print([refusal(lambda p=p: open(p, mode).close()) for p in paths for mode in ("rb", "r+b")])
"""
    for wrapper, results in (([], [None] * 8), ([SHIELD], [REFUSED, REFUSED, *[None, REFUSED] * 3])):
        done = run_mounted("laid_over", box, layer, [*wrapper, *PROGRAM, code], ALL_BLOCKED)
        assert done.stdout == f"{results}\n", done.stderr


@pytest.mark.parametrize(
    ("root", "handler"), [("/var/task/etc", "there"), ("/var/task", "etc/there"), ("/var/task", "alone")]
)
def test_a_handler_that_has_a_path_on_the_mount_of_root(layer: Path, box: Sandbox, root: str, handler: str) -> None:
    """As its folder of code is mounted, a folder in that, or the file alone."""
    code = """
ask_for_work()
print([refusal(lambda: open("/elsewhere/there").close()) for _ in range(40)])
"""
    settings = ALL_BLOCKED | {"LAMBDA_TASK_ROOT": root, "_HANDLER": f"{handler}.handler"}
    for wrapper, result in (([], None), ([SHIELD], REFUSED)):
        done = run_mounted("code", box, layer, [*wrapper, *PROGRAM, code], settings)
        assert done.stdout == f"{[result] * 40}\n", done.stderr


LOOK = """
print([refusal(lambda: open(path).close()) for path in ("/tmp/there", "/elsewhere/there")])
"""


@pytest.mark.parametrize("kind", ["nothing", "link"])
def test_without_a_folder_at_tmp_it_does_not_start(kind: str, layer: Path, box: Sandbox) -> None:
    unshielded = run_mounted(kind, box, layer, [*PROGRAM, LOOK], TMP_BLOCKED)
    assert unshielded.stdout == f"{[2 if kind == 'nothing' else None, None]}\n", unshielded.stderr
    shielded = run_mounted(kind, box, layer, [SHIELD, *PROGRAM, LOOK], TMP_BLOCKED)
    assert (shielded.returncode, shielded.stdout) == (78, "")
    assert "read_write_tmp: there is no directory, but a link or nothing, at /tmp" in shielded.stderr
    allowing = run_mounted(kind, box, layer, [SHIELD, *PROGRAM, LOOK], policy())
    assert allowing.stdout == unshielded.stdout, allowing.stderr


def test_all_of_the_file_system_of_tmp_is_tmp(layer: Path, box: Sandbox) -> None:
    for wrapper, result in (([], None), ([SHIELD], REFUSED)):
        done = run_mounted("disk", box, layer, [*wrapper, *PROGRAM, LOOK], TMP_BLOCKED)
        assert done.stdout == f"{[result, result]}\n", done.stderr
