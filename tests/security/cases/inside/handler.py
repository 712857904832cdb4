"""read_handler: every way to the handler's source once the runtime has asked for work.

main.py has imported the module, and sent the request line, before the first of these runs.
"""

from __future__ import annotations

import ctypes
import importlib
import inspect
import linecache
import os
import pkgutil
import shutil
import sys
import traceback
from collections.abc import Callable
from typing import Any

from common import Function, attempt, effects, unchanged
from tools import (
    AT_FDCWD,
    MARK,
    bytes_of,
    content,
    in_child,
    raw,
    read,
    reference,
    refused_if,
    refusing,
    run,
)
from ways import ask_for_work, each, ended

READ = "read_handler"
APP = "/var/task/app.py"
MOVABLE = {"LAMBDA_TASK_ROOT": "/tmp/task"}
SECRET = "SECRET_OF_THE_HANDLER"

# Opened before the handler was locked, as references only.
KEPT: dict[str, int] = {}


def become_ready() -> None:
    """What a runtime does: loads the handler, then asks for work."""
    importlib.import_module("app")
    KEPT["reference"] = os.open(APP, os.O_PATH)
    KEPT["folder"] = os.open("/var/task", os.O_PATH)
    ask_for_work()


def source(path: str, flags: int = os.O_RDONLY) -> bool:
    return SECRET in read(path, flags)


def told(text: str) -> bool:
    """For ways that fail softly: what they give instead of an error."""
    refused_if(SECRET not in text, "no source")
    return True


# ---- spellings (28, with 17)


each(
    attempt(READ),
    handler_open=lambda: source(APP),
    handler_o_path=lambda: reference(os.open(APP, os.O_PATH)),
    handler_no_access_time=lambda: source(APP, os.O_NOFOLLOW | os.O_NONBLOCK),
    handler_bytecode=lambda: len(bytes_of("/var/task/__pycache__/app.cpython-399.pyc")),
    # A reference that was there before the lock gives nothing to read now.
    handler_reference_opened_again=lambda: source(f"/proc/self/fd/{KEPT['reference']}"),
    handler_by_proc_descriptor=lambda: source(f"/proc/self/fd/{KEPT['folder']}/app.py"),
    handler_by_dev_fd=lambda: source(f"/dev/fd/{KEPT['reference']}"),
    handler_by_proc_root=lambda: source("/proc/self/root" + APP),
    handler_by_proc_thread_root=lambda: source("/proc/thread-self/root" + APP),
    handler_up_from_proc=lambda: source("/proc/self/../.." + APP),
    handler_raw_openat=lambda: SECRET in content(raw("openat", AT_FDCWD, APP.encode(), os.O_RDONLY, 0)),
    handler_raw_openat2=lambda: SECRET in content(raw("openat2", AT_FDCWD, APP.encode(), (ctypes.c_uint64 * 3)(), 24)),
    handler_in_fork=lambda: in_child(lambda: source(APP)),
)


# ---- calls


each(
    attempt(READ, machine="x86_64"),
    handler_raw_open=lambda: SECRET in content(raw("open", APP.encode(), os.O_RDONLY, 0)),
)


def through_pipe(write: Callable[[int], object]) -> bool:
    """Whether the secret arrives at the other end of a pipe."""
    reading, writing = os.pipe()
    try:
        write(writing)
        return SECRET.encode() in os.read(reading, 4096)
    finally:
        os.close(reading)
        os.close(writing)


def cat_by_action(out: int) -> None:
    actions: list[Any] = [(os.POSIX_SPAWN_OPEN, 0, APP, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, out, 1)]
    ended(os.posix_spawn("/bin/cat", ["cat"], {}, file_actions=actions))


each(attempt(READ), handler_spawn_action_opens=lambda: through_pipe(cat_by_action))


# ---- Python's own ways (29)


@attempt(READ, alerts=(1, 3))
def handler_inspect() -> bool:
    linecache.clearcache()
    return told(refusing(lambda: inspect.getsource(sys.modules["app"]), OSError, TypeError))


@attempt(READ, alerts=(1, 5))
def handler_traceback() -> bool:
    """A traceback still says where, but not what."""
    linecache.clearcache()
    try:
        sys.modules["app"].fail()
    except RuntimeError:
        text = traceback.format_exc()
        assert "app.py" in text
        return told(text)
    raise AssertionError("it did not fail")


each(
    attempt(READ),
    handler_cat=lambda: SECRET in refusing(lambda: run(["/bin/cat", APP]), OSError),
    handler_shell_redirection=lambda: SECRET in refusing(lambda: run(["/bin/sh", "-c", f"exec cat < {APP}"]), OSError),
)
effects(
    attempt(READ),
    handler_copy=lambda: shutil.copyfile(APP, "/tmp/stolen"),
    # The child knows that its parent was ready.
    handler_child_without_environment=lambda: run([MARK, "--read", APP], env={}),
    # Running it as a script would have its interpreter read it.
    handler_exec=lambda: run([APP]),
)


# ---- other names for it: a handler on a file system that can be written to


def movable(**facts: Any) -> Any:
    return attempt(READ, settings=MOVABLE, scene="task", alone=True, **facts)


TASK = "/tmp/task/app.py"


def after(_act: object, path: str, undo: Function = lambda: None) -> bool:
    """Whether the source can be read at this path when the act is done, which is undone after that."""
    try:
        return source(path)
    finally:
        undo()


def link_following() -> None:
    os.symlink(TASK, "/tmp/pointer")
    try:
        raw("linkat", AT_FDCWD, b"/tmp/pointer", AT_FDCWD, b"/tmp/second", 0x400)
    finally:
        os.unlink("/tmp/pointer")


each(
    movable(alerts=(1, 2)),
    handler_hard_link=lambda: after(os.link(TASK, "/tmp/second"), "/tmp/second"),
    handler_rename=lambda: after(os.rename(TASK, "/tmp/elsewhere"), "/tmp/elsewhere"),
    handler_rename_exchange=lambda: after(
        raw("renameat2", AT_FDCWD, TASK.encode(), AT_FDCWD, b"/tmp/there", 2), "/tmp/there"
    ),
    handler_in_a_renamed_folder=lambda: after(
        os.rename("/tmp/task", "/tmp/moved"), "/tmp/moved/app.py", lambda: os.rename("/tmp/moved", "/tmp/task")
    ),
    handler_new_symbolic_link=lambda: after(
        os.symlink(TASK, "/tmp/pointer"), "/tmp/pointer", lambda: os.unlink("/tmp/pointer")
    ),
    handler_link_following=lambda: after(link_following(), "/tmp/second"),
)
each(movable(), handler_read_and_write=lambda: source(TASK, os.O_RDWR))
effects(
    movable(),
    handler_overwrite=lambda: os.close(os.open(TASK, os.O_WRONLY | os.O_TRUNC)),
    handler_overwrite_by_create=lambda: os.close(os.open(TASK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)),
    handler_truncate=lambda: os.truncate(TASK, 0),
)


# ---- what goes on working


@unchanged(READ)
def handler_lazy_import() -> str:
    sys.modules.pop("other", None)
    return importlib.import_module("other").VALUE


each(
    unchanged(READ),
    handler_still_runs=lambda: sys.modules["app"].handler("event", None),
    handler_package_data=lambda: len(pkgutil.get_data("json", "__init__.py") or b"") // 100,
)


@unchanged(READ)
def handler_neighbours_are_open() -> list[object]:
    with open("/var/task/other.py") as f, open("/etc/passwd") as g:
        return [sorted(os.listdir("/var/task"))[:3], f.read(3), g.read(1), os.stat(APP).st_size]
