"""Opens on read-only mounts, once the function is ready: `read_only_mounts.py WHAT`, prints JSON."""

from __future__ import annotations

import fcntl
import os
import sys

from behaviour import refusal, request, serve_runtime_api
from changing import Told, main, open_while_the_path_changes, told_by_a_copy

TASK = "/var/task"


def opened(path: str, directory: int | None = None, flags: int = os.O_RDONLY) -> int | None:
    return refusal(lambda: os.close(os.open(path, flags, dir_fd=directory)))


def spellings() -> Told:
    os.chdir(f"{TASK}/sub")
    here, above = os.open(".", os.O_RDONLY), os.open(TASK, os.O_PATH)
    handlers = {
        "absolute": (f"{TASK}/app.py", None),
        "doubled slash": (f"{TASK}//app.py", None),
        "more slashes": ("//var/task///./app.py", None),
        "up and down": (f"{TASK}/sub/../app.py", None),
        "out and in": (f"{TASK}/../task/app.py", None),
        "relative": ("../app.py", None),
        "by a descriptor": ("app.py", above),
        "by one below": ("../app.py", here),
        "absolute beside a descriptor": (f"{TASK}/app.py", here),
        "by a link": (f"{TASK}/link.txt", None),
        "by a link of a folder": (f"{TASK}/sub/up/app.py", None),
        "where a link leads": (f"{TASK}/sub/linked_from_app.py", None),
        "by another mount": ("/var/again/app.py", None),
        "by procfs": ("/proc/self/cwd/../app.py", None),
    }
    others = {
        "plain": (f"{TASK}/sub/data.txt", None),
        "relative, plain": ("data.txt", None),
        "by a descriptor, plain": ("sub/data.txt", above),
        "by a link, plain": (f"{TASK}/sub/up/sub/data.txt", None),
        "layer": ("/opt/shielded-function/shield", None),
        "folder": (f"{TASK}/sub/", None),
        "missing": (f"{TASK}/sub/missing", None),
        "no folder": (f"{TASK}/sub/data.txt/x", None),
        "of the handler's name": (f"{TASK}/sub/app.py", None),
    }
    return {name: opened(*way) for name, way in {**handlers, **others}.items()}


def writing() -> Told:
    ways = {"write": os.O_WRONLY, "create": os.O_RDONLY | os.O_CREAT, "truncate": os.O_RDONLY | os.O_TRUNC}
    told: Told = {n: opened(f"{TASK}/sub/data.txt", None, flags) for n, flags in ways.items()}
    return told | {"reference": opened(f"{TASK}/app.py", None, os.O_PATH)}


def forked() -> Told:
    paths = {"handler": f"{TASK}/app.py", "plain": f"{TASK}/sub/data.txt"}
    return told_by_a_copy(lambda: {name: opened(path) for name, path in paths.items()})


def locks() -> Told:
    """A record lock on a folder is kept while files are opened beside it (fcntl(2): a close ends it)."""
    folder = os.open(f"{TASK}/sub", os.O_RDONLY)
    fcntl.lockf(folder, fcntl.LOCK_SH)
    told: Told = {
        "opened": opened("data.txt", folder),
        "no folder": opened("data.txt/x", folder),
    }
    with open("/proc/locks") as file:
        return told | {"lock": str(f":{os.fstat(folder).st_ino} " in file.read())}


def handed_down() -> Told:
    """By a descriptor of a folder that this user could not have come to: argument 2 is its number."""
    folder = int(sys.argv[2])
    return {name: opened(name, folder) for name in ("x", "missing")}


def raced() -> Told:
    """The path changes while it is being opened."""
    inode = os.stat(f"{TASK}/app.py").st_ino
    read, others = open_while_the_path_changes(b"/var/task/sub/data.txt", b"/var/task/./././app.py", inode)
    return {"handler was read": read, "others were": str(others > 100)}


if __name__ == "__main__":
    request(serve_runtime_api(), b"GET /2018-06-01/runtime/invocation/next")
    main(spellings, writing, forked, locks, handed_down, raced)
