"""/tmp as a case expects it, made from outside; and what it holds, looked at from outside."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from security.cases.task import task

Tree = dict[str, tuple[object, ...]]


def _code(tmp: Path) -> None:
    for source, name in (("mark", "program"), ("liblibrary.so", "library.so"), ("script.sh", "script.sh")):
        shutil.copy(Path(task()) / source, tmp / name)
        (tmp / name).chmod(0o755)
    (tmp / "dropped.py").write_text("VALUE = 'imported'\n")


def _allowed(tmp: Path) -> None:
    (tmp / "allowed").mkdir()
    (tmp / "allowed" / "data").write_text("data")
    (tmp / "allowed" / "other").write_text("other")


def _fifo(tmp: Path) -> None:
    _allowed(tmp)
    os.mkfifo(tmp / "allowed" / "fifo")


def _task(tmp: Path) -> None:
    (tmp / "task").mkdir()
    shutil.copy(Path(task()) / "app.py", tmp / "task" / "app.py")


def _deep(tmp: Path) -> None:
    """Directories whose path is longer than the kernel can name."""
    at = os.open(tmp, os.O_PATH)
    owner = tmp.stat()
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=at)
        os.chown("d" * 250, owner.st_uid, owner.st_gid, dir_fd=at)
        deeper = os.open("d" * 250, os.O_PATH, dir_fd=at)
        os.close(at)
        at = deeper
    os.close(at)


SCENES: dict[str, Callable[[Path], None]] = {
    "": lambda _: None,
    "code": _code,
    "allowed": _allowed,
    "fifo": _fifo,
    "task": _task,
    "deep": _deep,
}


def _entries(top: Path) -> Iterator[tuple[str, str]]:
    """Each thing under a directory: its path there, and one through which it can be reached however deep it lies."""
    at = os.open(top, os.O_RDONLY)
    try:
        for folder, folders, files, descriptor in os.fwalk(".", dir_fd=at):
            for name in (*folders, *files):
                yield os.path.normpath(f"{folder}/{name}"), f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(at)


def prepare(tmp: Path, scene: str) -> None:
    """Takes away what is there, and makes what every case expects, with one scene's own."""
    owner = tmp.stat()
    for entry in tmp.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    tmp.chmod(0o700)
    (tmp / "there").write_text("content")
    (tmp / "there").chmod(0o644)
    _set_attribute(tmp / "there")
    (tmp / "folder").mkdir()
    (tmp / "full").mkdir()
    (tmp / "full" / "inside").write_text("inside")
    (tmp / "link").symlink_to("/etc/resolv.conf")
    (tmp / "alias").symlink_to("there")
    (tmp / "dangling").symlink_to("/tmp/by_dangling_link")
    SCENES[scene](tmp)
    for _, path in _entries(tmp):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _set_attribute(path: Path) -> None:
    try:
        os.setxattr(path, "user.old", b"old value")
    except OSError as error:
        if error.errno != errno.ENOTSUP:  # a tmpfs before Linux 6.6: the cases about attributes say so
            raise


def _facts(path: str) -> tuple[object, ...]:
    """Type and mode, owner, links, content or target, attributes; then the times."""
    st = os.lstat(path)
    kind = stat.S_IFMT(st.st_mode)
    text = None
    if kind == stat.S_IFREG:
        text = Path(path).read_bytes()
    elif kind == stat.S_IFLNK:
        text = os.readlink(path)
    names = os.listxattr(path, follow_symlinks=False)
    attributes = [(name, os.getxattr(path, name, follow_symlinks=False)) for name in names]
    links = st.st_nlink if kind == stat.S_IFREG else 0
    return (oct(st.st_mode), st.st_uid, st.st_gid, links, text, str(attributes), st.st_mtime_ns, st.st_ctime_ns)


def look(tmp: Path) -> Tree:
    return {".": _facts(str(tmp))} | {name: _facts(path) for name, path in _entries(tmp)}


def changes(before: Tree, after: Tree) -> dict[str, object]:
    """What a case did to /tmp, in a form that does not depend on the time of day."""
    found: dict[str, object] = {}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if new is None:
            found[name] = "gone"
        elif old is None:
            found[name] = ("new", *new[:6])
        elif old[:6] != new[:6]:
            found[name] = ("changed", *new[:6])
        elif old[6:] != new[6:] and not str(new[0]).startswith("0o4"):
            found[name] = "touched"
    return found
