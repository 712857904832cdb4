"""`other_root.py KIND PROGRAM [ARGUMENT ...]`: runs a program, in namespaces of its own, in which the makers of
containers can mount. `laid_over`: where something lies over files and folders. Else its root is an overlay that can be
written, and /tmp is as KIND says; /elsewhere is what is there by another name, or lies beside it. Each of both holds a
file, `there`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from shielded_function_emulator import kernel

ROOT, UPPER = Path("/var/task/mounted"), Path("/var/task/etc")
TMP, ELSEWHERE, DISK, CODE = ROOT / "tmp", ROOT / "elsewhere", ROOT / "disk", ROOT / "var/task"
ELSEWHERE_IN_ITS_LAYER = UPPER / "upper" / ELSEWHERE.name


def enter() -> None:
    """Goes on as root, in the first process, of new namespaces."""
    kernel.new_user_namespace(0, 0, kernel.CLONE_NEWNS | kernel.CLONE_NEWPID)
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def bind(source: Path | str, target: Path | str) -> None:
    """Another name for what is there."""
    kernel.mount(str(source), str(target), "", kernel.MS_BIND | kernel.MS_REC)


def lay_over() -> None:
    """A file of /tmp over /proc/cpuinfo, folders that everyone may write to over /proc/fs and /tmp/folder, its memory
    over /var/task/memory; and a second procfs at /var/task/mounted."""
    kernel.mount("proc", str(ROOT), "proc")
    bind("/tmp/there", "/proc/cpuinfo")
    for folder in ("/proc/fs", "/tmp/folder"):
        kernel.mount("tmpfs", folder, "tmpfs", options="mode=777")
    bind("/proc/self/mem", "/var/task/memory")


def nothing() -> None:
    """There is no /tmp."""


def link() -> None:
    """It is a link to a folder."""
    TMP.symlink_to("/elsewhere")


def folder() -> None:
    """It is a folder of the root's, mounted there."""
    TMP.mkdir()
    bind(ELSEWHERE, TMP)


def folder_of_layer() -> None:
    """It is a folder of the root's upper layer, whose files have other numbers there."""
    TMP.mkdir()
    bind(ELSEWHERE_IN_ITS_LAYER, TMP)


def disk() -> None:
    """It lies on a file system that shows another folder elsewhere."""
    for place in (TMP, DISK):
        place.mkdir()
    kernel.mount("tmpfs", str(DISK), "tmpfs")
    for name, place in (("a", TMP), ("b", ELSEWHERE)):
        (DISK / name).mkdir()
        bind(DISK / name, place)


def apart() -> None:
    """It is a file system of its own."""
    TMP.mkdir()
    kernel.mount("tmpfs", str(TMP), "tmpfs")


def code() -> None:
    """So it is, and what is elsewhere is also the function's code: as a folder in it, and as a file."""
    apart()
    bind(ELSEWHERE, CODE / "etc")
    bind(ELSEWHERE / "there", CODE / "alone.py")


def code_of_layer() -> None:
    """The same of what is elsewhere in the root's upper layer."""
    apart()
    bind(ELSEWHERE_IN_ITS_LAYER, CODE / "etc")


KINDS: dict[str, Callable[[], None]] = {
    kind.__name__: kind for kind in (nothing, link, folder, folder_of_layer, disk, apart, code, code_of_layer)
}


def lay_root() -> None:
    """Of two file systems: a file of an overlay has the device of its layer then, a folder that of the whole."""
    parts = {"lowerdir": ROOT / "lower", "upperdir": UPPER / "upper", "workdir": UPPER / "work"}
    for place in (ROOT, UPPER):
        kernel.mount("tmpfs", str(place), "tmpfs", options="mode=755")
    for part in parts.values():
        part.mkdir()
    options = ",".join(f"{name}={path}" for name, path in parts.items())
    kernel.mount("overlay", str(ROOT), "overlay", options=f"{options},userxattr")


def change_root(kind: str) -> None:
    lay_root()
    for entry in os.scandir("/"):
        if entry.is_symlink():
            (ROOT / entry.name).symlink_to(os.readlink(entry.path))
        elif entry.is_dir() and entry.name not in ("tmp", "proc"):
            (ROOT / entry.name).mkdir()
            bind(entry.path, ROOT / entry.name)
    (ROOT / "proc").mkdir()
    kernel.mount("proc", str(ROOT / "proc"), "proc")
    ELSEWHERE.mkdir()
    (ELSEWHERE / "there").write_text("content")
    KINDS[kind]()
    for place in (TMP, ELSEWHERE):  # what was mounted may hold none
        if place.exists():
            (place / "there").write_text("content")
    os.chroot(ROOT)
    os.chdir("/")


if __name__ == "__main__":
    enter()
    if sys.argv[1] == "laid_over":
        lay_over()
    else:
        change_root(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
