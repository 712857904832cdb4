"""Opens on read-only mounts, once the function is ready: `read_only_mounts.py WHAT`, prints JSON."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
import time

from behaviour import refusal, request, serve_runtime_api
from changing import close_and_lay_over, open_while

TASK = "/var/task"


def opened(path: str, directory: int | None = None, flags: int = os.O_RDONLY) -> int | None:
    return refusal(lambda: os.close(os.open(path, flags, dir_fd=directory)))


def spellings() -> dict[str, int | str | None]:
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


def writing() -> dict[str, int | str | None]:
    ways = {"write": os.O_WRONLY, "create": os.O_RDONLY | os.O_CREAT, "truncate": os.O_RDONLY | os.O_TRUNC}
    told: dict[str, int | str | None] = {n: opened(f"{TASK}/sub/data.txt", None, flags) for n, flags in ways.items()}
    return told | {"reference": opened(f"{TASK}/app.py", None, os.O_PATH)}


def forked() -> dict[str, int | str | None]:
    """A copy of the process, which closes all that it may and lays something else over all numbers."""
    read, write = os.pipe()
    tmp = os.open("/var/task/sub", os.O_RDONLY)
    if os.fork() == 0:
        close_and_lay_over(write)
        told = {"handler": opened(f"{TASK}/app.py"), "plain": opened(f"{TASK}/sub/data.txt")}
        os.write(write, json.dumps(told).encode())
        os._exit(0)
    os.close(tmp)
    os.wait()
    return json.loads(os.read(read, 4096))


def locks() -> dict[str, int | str | None]:
    """A record lock on a folder is kept while files are opened beside it (fcntl(2): a close ends it)."""
    folder = os.open(f"{TASK}/sub", os.O_RDONLY)
    fcntl.lockf(folder, fcntl.LOCK_SH)
    told: dict[str, int | str | None] = {
        "opened": opened("data.txt", folder),
        "no folder": opened("data.txt/x", folder),
    }
    with open("/proc/locks") as file:
        return told | {"lock": str(f":{os.fstat(folder).st_ino} " in file.read())}


def handed_down() -> dict[str, int | str | None]:
    """By a descriptor of a folder that this user could not have come to: argument 2 is its number."""
    folder = int(sys.argv[2])
    return {name: opened(name, folder) for name in ("x", "missing")}


def raced() -> dict[str, int | str | None]:
    """The path changes while it is being opened: in memory that another thread writes to."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    harmless, handler = b"/var/task/sub/data.txt\0", b"/var/task/./././app.py\0"
    assert len(harmless) == len(handler)
    path = ctypes.create_string_buffer(harmless, len(harmless))

    def flip() -> None:
        path.raw = handler
        path.raw = harmless

    inode = os.stat(f"{TASK}/app.py").st_ino
    read, others = open_while(flip, lambda: libc.open(path, os.O_RDONLY), inode)
    return {"handler was read": read, "others were": str(others > 100)}


if __name__ == "__main__":
    if "threads" in sys.argv:  # from now on there are several threads
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    request(serve_runtime_api(), b"GET /2018-06-01/runtime/invocation/next")
    print(
        json.dumps({f.__name__: f for f in (spellings, writing, forked, locks, handed_down, raced)}[sys.argv[1]]()),
        flush=True,
    )
    os._exit(0)
