"""Opens on read-only mounts, once the function is ready: `read_only_mounts.py WHAT`, prints JSON."""

from __future__ import annotations

import os
import sys

from changing import Told, main
from ways import ask_for_work, refusal

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


def handed_down() -> Told:
    """By a descriptor of a folder that this user could not have come to: argument 2 is its number."""
    folder = int(sys.argv[2])
    return {name: opened(name, folder) for name in ("x", "missing")}


if __name__ == "__main__":
    ask_for_work()
    main(spellings, writing, handed_down)
