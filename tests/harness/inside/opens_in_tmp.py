"""Opens in /tmp by every spelling, in every way: `opens_in_tmp.py WHAT`, prints JSON. Of /tmp, /tmp/ok is listed."""

from __future__ import annotations

import itertools
import os
import sys

from changing import Told, main, open_while, open_while_the_path_changes, told_by_a_copy
from ways import refusal

OK, SECRET = "/tmp/ok", "/tmp/secret"
WAYS = {
    "read": os.O_RDONLY,
    "write": os.O_RDWR,
    "truncate": os.O_WRONLY | os.O_TRUNC,
    "append": os.O_WRONLY | os.O_APPEND,
    "create": os.O_RDWR | os.O_CREAT,
    "create anew": os.O_RDWR | os.O_CREAT | os.O_EXCL,
    "folder": os.O_RDONLY | os.O_DIRECTORY,
    "folder, create": os.O_RDONLY | os.O_DIRECTORY | os.O_CREAT,
    "no link": os.O_RDONLY | os.O_NOFOLLOW,
    "unnamed": os.O_RDWR | os.O_TMPFILE,
    "reference": os.O_PATH,
}


def fill() -> None:
    """What a test finds there, each time."""
    for folder in (OK, f"{OK}/sub"):
        os.makedirs(folder, exist_ok=True)
    for name in os.listdir(OK):
        if name not in {"sub", "out", "in", "to"}:
            os.unlink(f"{OK}/{name}")
    with open(f"{OK}/file", "w") as file:
        file.write("content")


def prepare() -> None:
    """Unshielded: the rest."""
    fill()
    os.makedirs(SECRET, exist_ok=True)
    with open(f"{SECRET}/file", "w") as file:
        file.write("secret")
    os.symlink(SECRET, f"{OK}/out")
    os.symlink(f"{OK}/file", f"{OK}/in")
    os.symlink(f"{SECRET}/file", f"{OK}/to")


def opened(path: str, flags: int, directory: int | None = None) -> int | None:
    return refusal(lambda: os.close(os.open(path, flags, 0o640, dir_fd=directory)))


def opened_anew(path: str, flags: int, directory: int | None = None) -> int | None:
    fill()
    return opened(path, flags, directory)


def spellings() -> Told:
    os.chdir(OK)
    here = os.open(OK, os.O_RDONLY)
    paths = {
        "file": (f"{OK}/file", None),
        "new": (f"{OK}/new", None),
        "new, below": (f"{OK}/sub/new", None),
        "nowhere": (f"{OK}/none/new", None),
        "below a file": (f"{OK}/file/x", None),
        "folder": (f"{OK}/sub", None),
        "folder, slash": (f"{OK}/sub/", None),
        "file, slash": (f"{OK}/file/", None),
        "long": (f"{OK}/{'x' * 300}", None),
        "by a link within": (f"{OK}/in", None),
        "relative": ("file", None),
        "by a descriptor": ("file", here),
        "dots": (f"{OK}/./sub/../file", None),
        "slashes": ("//tmp//ok///file", None),
        "secret": (f"{SECRET}/file", None),
        "secret, new": (f"{SECRET}/new", None),
        "secret, dots": (f"{OK}/../secret/file", None),
        "secret, dots below": (f"{OK}/sub/../../secret/new", None),
        "secret, by a folder's link": (f"{OK}/out/file", None),
        "secret, by a file's link": (f"{OK}/to", None),
        "secret, relative": ("../secret/file", None),
        "secret, by a descriptor": ("../secret/file", here),
        "secret, slashes": ("//tmp//secret/file", None),
        "tmp itself": ("/tmp", None),
        "tmp, slash": ("/tmp/", None),
        "tmp, dot": ("/tmp/.", None),
    }
    told: Told = {}
    for name, (path, directory) in paths.items():
        for way, flags in WAYS.items():
            told[f"{name}: {way}"] = opened_anew(path, flags, directory)
            for made in (f"{SECRET}/new", f"{OK}/sub/new"):
                refusal(lambda made=made: os.unlink(made))
    return told


def forked() -> Told:
    fill()
    paths = {"secret": f"{SECRET}/file", "file": f"{OK}/file"}
    return told_by_a_copy(lambda: {name: opened_anew(path, os.O_RDONLY) for name, path in paths.items()})


def counts(of_the_secret: int, others: int) -> Told:
    return {"secret was read": of_the_secret, "others were": str(others > 100)}


def raced_paths() -> Told:
    fill()
    return counts(*open_while_the_path_changes(b"/tmp/ok/file", b"/tmp/secret/file", int(sys.argv[2])))


def raced_folders() -> Told:
    """A folder's number, and the working directory, stand for another folder by turns."""
    number, task = (os.open("/var/task", os.O_RDONLY) for _ in "12")
    secret = os.open("/tmp", os.O_PATH)

    def change() -> None:
        os.dup2(secret, number)
        os.chdir("/tmp")
        os.dup2(task, number)
        os.chdir("/var/task")

    turns = itertools.cycle((number, None))

    def attempt() -> int:
        try:
            return os.open("secret.txt", os.O_RDONLY, dir_fd=next(turns))
        except OSError:
            return -1

    return counts(*open_while(change, attempt, int(sys.argv[2])))


if __name__ == "__main__":
    main(prepare, spellings, forked, raced_paths, raced_folders)
