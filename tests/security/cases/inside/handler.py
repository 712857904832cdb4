"""read_handler: every way to the handler's source once the runtime has asked for work.

main.py has imported the module, and sent the request line, before the first of these runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import inspect
import io
import linecache
import mmap
import os
import pkgutil
import runpy
import shutil
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

from common import attempt, each, effects, unchanged
from tools import AT_FDCWD, LIBC, MARK, checked, content, ended, in_child, inside, libc, opened, raw, reference, run

READ = "read_handler"
APP = "/var/task/app.py"
MOVABLE = {"LAMBDA_TASK_ROOT": "/tmp/task"}
SECRET = "SECRET_OF_THE_HANDLER"

# Opened before the handler was locked, as references only.
KEPT: dict[str, int] = {}


def serve_runtime_api() -> int:
    """A listener that answers nothing: the request line alone matters."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def answer() -> None:
        while True:
            client, _ = listener.accept()
            client.recv(4096)
            client.close()

    threading.Thread(target=answer, daemon=True).start()
    return listener.getsockname()[1]


def become_ready() -> None:
    """What a runtime does: loads the handler, then asks for work."""
    importlib.import_module("app")
    KEPT["reference"] = os.open(APP, os.O_PATH)
    KEPT["folder"] = os.open("/var/task", os.O_PATH)
    with socket.create_connection(("127.0.0.1", serve_runtime_api())) as s:
        s.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        # Closed only after the first case had begun, the listener's end would count as a descriptor that it gave back.
        s.recv(1)


def source(descriptor: int) -> bool:
    return SECRET in content(descriptor)


def told(text: str) -> bool:
    """For ways that fail softly: what they give instead of an error."""
    if SECRET not in text:
        raise PermissionError(13, "no source")
    return True


# ---- spellings (28, with 17)


each(
    attempt(READ),
    handler_open=lambda: source(os.open(APP, os.O_RDONLY)),
    handler_o_path=lambda: reference(os.open(APP, os.O_PATH)),
    handler_no_access_time=lambda: source(os.open(APP, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)),
    handler_bytecode=lambda: len(content_of_bytes(os.open("/var/task/__pycache__/app.cpython-399.pyc", os.O_RDONLY))),
    handler_relative=lambda: inside("/var/task", lambda: source(os.open("app.py", os.O_RDONLY))),
    handler_by_descriptor=lambda: source(os.open("app.py", os.O_RDONLY, dir_fd=KEPT["folder"])),
    # A reference that was there before the lock gives nothing to read now.
    handler_reference_opened_again=lambda: source(os.open(f"/proc/self/fd/{KEPT['reference']}", os.O_RDONLY)),
    handler_by_proc_descriptor=lambda: source(os.open(f"/proc/self/fd/{KEPT['folder']}/app.py", os.O_RDONLY)),
    handler_by_dev_fd=lambda: source(os.open(f"/dev/fd/{KEPT['reference']}", os.O_RDONLY)),
    handler_by_proc_root=lambda: source(os.open("/proc/self/root" + APP, os.O_RDONLY)),
    handler_by_proc_thread_root=lambda: source(os.open("/proc/thread-self/root" + APP, os.O_RDONLY)),
    handler_up_from_proc=lambda: source(os.open("/proc/self/../.." + APP, os.O_RDONLY)),
    handler_by_proc_cwd=lambda: inside("/var/task", lambda: source(os.open("/proc/self/cwd/app.py", os.O_RDONLY))),
    handler_with_dots=lambda: source(os.open("/var/task/../task/./app.py", os.O_RDONLY)),
    handler_with_slashes=lambda: source(os.open("//var///task//app.py", os.O_RDONLY)),
    handler_through_a_link=lambda: source(os.open("/var/task/to_app", os.O_RDONLY)),
    handler_by_a_hard_link=lambda: source(os.open("/var/task/same_file.txt", os.O_RDONLY)),
    handler_by_another_mount=lambda: source(os.open("/var/again/app.py", os.O_RDONLY)),
)


def content_of_bytes(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as f:
        return f.read()


# ---- calls


@attempt(READ)
def handler_raw_openat() -> bool:
    return source(raw("openat", AT_FDCWD, APP.encode(), os.O_RDONLY, 0))


@attempt(READ)
def handler_raw_openat2() -> bool:
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
    return source(raw("openat2", AT_FDCWD, APP.encode(), ctypes.byref(how), 24))


@attempt(READ, machine="x86_64")
def handler_raw_open() -> bool:
    return source(raw("open", APP.encode(), os.O_RDONLY, 0))


@attempt(READ)
def handler_fopen() -> bool:
    LIBC.fopen.restype = ctypes.c_void_p
    stream = LIBC.fopen(APP.encode(), b"r")
    if not stream:
        checked(-1)
    buffer = ctypes.create_string_buffer(4096)
    LIBC.fread(buffer, ctypes.c_size_t(1), ctypes.c_size_t(4095), ctypes.c_void_p(stream))
    LIBC.fclose(ctypes.c_void_p(stream))
    return SECRET in buffer.value.decode()


@contextlib.contextmanager
def drain() -> Iterator[tuple[int, list[bytes]]]:
    """A descriptor to send to, and what arrived there."""
    ours, theirs = socket.socketpair()
    arrived: list[bytes] = []
    with ours, theirs:
        yield theirs.fileno(), arrived
        theirs.shutdown(socket.SHUT_WR)
        arrived.append(ours.recv(65536))


@attempt(READ)
def handler_sendfile() -> bool:
    with opened(APP) as f, drain() as (out, arrived):
        os.sendfile(out, f, 0, 4096)
    return SECRET.encode() in arrived[0]


@attempt(READ)
def handler_splice() -> bool:
    reading, writing = os.pipe()
    try:
        with opened(APP) as f:
            # os.splice is Python 3.10's; libc's is always there.
            libc("splice", f, None, writing, None, ctypes.c_size_t(4096), 0)
        return SECRET.encode() in os.read(reading, 4096)
    finally:
        os.close(reading)
        os.close(writing)


@attempt(READ)
def handler_copy_file_range() -> None:
    with opened(APP) as f, opened("/tmp/there", os.O_WRONLY | os.O_TRUNC) as out:
        try:
            os.copy_file_range(f, out, 4096)
        except OSError as error:
            if error.errno != errno.EXDEV:  # not between file systems
                raise
            os.sendfile(out, f, 0, 4096)


@attempt(READ)
def handler_mmap() -> bool:
    with opened(APP) as f, mmap.mmap(f, 0, prot=mmap.PROT_READ) as view:
        return SECRET.encode() in view[:]


@attempt(READ)
def handler_preadv() -> bool:
    buffer = bytearray(4096)
    with opened(APP) as f:
        os.preadv(f, [buffer], 0)
    return SECRET.encode() in buffer


@attempt(READ)
def handler_copy() -> None:
    shutil.copyfile(APP, "/tmp/stolen")


# ---- Python's own ways (29)


@attempt(READ)
def handler_open_code() -> bool:
    with io.open_code(APP) as f:
        return SECRET.encode() in f.read()


@attempt(READ, alerts=(1, 3))
def handler_inspect() -> bool:
    linecache.clearcache()
    try:
        return told(inspect.getsource(sys.modules["app"]))
    except (OSError, TypeError) as error:
        raise PermissionError(13, str(error)) from None


@attempt(READ, alerts=(1, 3))
def handler_linecache() -> bool:
    linecache.clearcache()
    return told("".join(linecache.getlines(APP)))


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


@attempt(READ, alerts=(1, 3))
def handler_run_path() -> bool:
    return "handler" in runpy.run_path(APP)


@attempt(READ, alerts=(1, 2))
def handler_reload() -> bool:
    return importlib.reload(sys.modules["app"]).__name__ == "app"


@attempt(READ)
def handler_get_source() -> bool:
    loader: Any = sys.modules["app"].__loader__
    try:
        return told(loader.get_source("app"))
    except ImportError as error:
        raise PermissionError(13, str(error)) from None


@attempt(READ)
def handler_get_data() -> bool:
    loader: Any = sys.modules["app"].__loader__
    return SECRET in loader.get_data(APP).decode()


# ---- programs


@attempt(READ)
def handler_cat() -> bool:
    try:
        return SECRET in run(["/bin/cat", APP])
    except OSError as error:
        raise PermissionError(13, str(error)) from None


effects(
    attempt(READ),
    # The child knows that its parent was ready.
    handler_child_without_environment=lambda: run([MARK, "--read", APP], env={}),
    # Running it as a script would have its interpreter read it.
    handler_exec=lambda: run([APP]),
)


@attempt(READ)
def handler_spawn_action_opens() -> bool:
    reading, writing = os.pipe()
    actions: list[Any] = [(os.POSIX_SPAWN_OPEN, 0, APP, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, writing, 1)]
    try:
        ended(os.posix_spawn("/bin/cat", ["cat"], {}, file_actions=actions))
        return SECRET in os.read(reading, 4096).decode()
    finally:
        os.close(reading)
        os.close(writing)


@attempt(READ)
def handler_shell_redirection() -> bool:
    try:
        return SECRET in run(["/bin/sh", "-c", f"exec cat < {APP}"])
    except OSError as error:
        raise PermissionError(13, str(error)) from None


@attempt(READ)
def handler_in_fork() -> bool:
    return in_child(lambda: source(os.open(APP, os.O_RDONLY)))


# ---- other names for it: a handler on a file system that can be written to


def movable(**facts: Any) -> Any:
    return attempt(READ, settings=MOVABLE, scene="task", alone=True, **facts)


TASK = "/tmp/task/app.py"


@movable(alerts=(1, 2))
def handler_hard_link() -> bool:
    os.link(TASK, "/tmp/second")
    return source(os.open("/tmp/second", os.O_RDONLY))


@movable(alerts=(1, 2))
def handler_rename() -> bool:
    os.rename(TASK, "/tmp/elsewhere")
    return source(os.open("/tmp/elsewhere", os.O_RDONLY))


@movable(alerts=(1, 2))
def handler_rename_exchange() -> bool:
    raw("renameat2", AT_FDCWD, TASK.encode(), AT_FDCWD, b"/tmp/there", 2)
    return source(os.open("/tmp/there", os.O_RDONLY))


@movable(alerts=(1, 2))
def handler_in_a_renamed_folder() -> bool:
    os.rename("/tmp/task", "/tmp/moved")
    try:
        return source(os.open("/tmp/moved/app.py", os.O_RDONLY))
    finally:
        os.rename("/tmp/moved", "/tmp/task")


@movable(alerts=(1, 2))
def handler_new_symbolic_link() -> bool:
    os.symlink(TASK, "/tmp/pointer")
    try:
        return source(os.open("/tmp/pointer", os.O_RDONLY))
    finally:
        os.unlink("/tmp/pointer")


@movable(alerts=(1, 2))
def handler_link_following() -> bool:
    os.symlink(TASK, "/tmp/pointer")
    try:
        raw("linkat", AT_FDCWD, b"/tmp/pointer", AT_FDCWD, b"/tmp/second", 0x400)
        return source(os.open("/tmp/second", os.O_RDONLY))
    finally:
        os.unlink("/tmp/pointer")


@movable()
def handler_read_and_write() -> bool:
    return source(os.open(TASK, os.O_RDWR))


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
