"""read_write_tmp: every way to open something in /tmp, whoever asks, and code that lies there.

/tmp/there is a file, /tmp/folder an empty directory, /tmp/full one with a file, /tmp/link leads out of /tmp,
/tmp/alias to /tmp/there, /tmp/dangling to nothing yet; /var/task has links into /tmp.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import importlib.util
import mmap
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading

from common import (
    AT_FDCWD,
    LIBC,
    MARK,
    attempt,
    checked,
    content,
    each,
    effects,
    ended,
    in_child,
    libc,
    opened,
    raw,
    reference,
    run,
)

TMP = "read_write_tmp"
NEW = os.O_CREAT | os.O_WRONLY
XATTR = b"user.shield"
USER_ATTRIBUTES = "a tmpfs has attributes of users since Linux 6.6"


def make(path: str, flags: int = NEW) -> None:
    os.close(os.open(path, flags, 0o600))


# ---- opens (16)


effects(
    attempt(TMP),
    tmp_open_new=lambda: make("/tmp/new"),
    tmp_truncate_by_open=lambda: make("/tmp/there", os.O_RDONLY | os.O_TRUNC),
    tmp_truncate_by_create=lambda: make("/tmp/there", NEW | os.O_TRUNC),
    tmp_exclusive=lambda: make("/tmp/exclusive", os.O_CREAT | os.O_EXCL | os.O_RDWR),
    tmp_create_read_only=lambda: make("/tmp/new", os.O_CREAT | os.O_RDONLY),
    tmp_fopen_to_write=lambda: LIBC.fclose(fopen(b"/tmp/new", b"w")),
    tmp_openat2_new=lambda: os.close(openat2(AT_FDCWD, b"/tmp/two", os.O_CREAT | os.O_RDWR)),
    tmp_pathlib_write=lambda: pathlib.Path("/tmp/written").write_text("secret"),
    tmp_copy_in=lambda: shutil.copyfile("/etc/resolv.conf", "/tmp/copied"),
)


each(
    attempt(TMP),
    tmp_open_existing=lambda: content(os.open("/tmp/there", os.O_RDONLY)),
    tmp_o_path=lambda: reference(os.open("/tmp/there", os.O_PATH)),
    tmp_o_path_of_the_directory=lambda: reference(os.open("/tmp", os.O_PATH | os.O_DIRECTORY)) >= 0,
    tmp_o_path_of_a_link=lambda: reference(os.open("/tmp/link", os.O_RDONLY | os.O_NOFOLLOW | os.O_PATH)),
    tmp_listdir=lambda: sorted(os.listdir("/tmp")),
    tmp_raw_openat=lambda: content(raw("openat", AT_FDCWD, b"/tmp/there", os.O_RDONLY, 0)),
)


@attempt(TMP)
def tmp_open_write_only() -> None:
    with opened("/tmp/there", os.O_WRONLY) as f:
        os.write(f, b"CONTENT")


@attempt(TMP)
def tmp_append() -> None:
    with opened("/tmp/there", os.O_WRONLY | os.O_APPEND) as f:
        os.write(f, b"more")


@attempt(TMP)
def tmp_o_tmpfile() -> int:
    with opened("/tmp", os.O_TMPFILE | os.O_RDWR) as f:
        return os.write(f, b"secret")


@attempt(TMP)
def tmp_o_tmpfile_in_a_folder() -> int:
    with opened("/tmp/folder/", os.O_TMPFILE | os.O_RDWR) as f:
        return os.write(f, b"secret")


@attempt(TMP, alerts=(1, 3))
def tmp_o_tmpfile_with_a_name_later() -> None:
    with opened("/tmp", os.O_TMPFILE | os.O_RDWR) as f:
        os.write(f, b"secret")
        raw("linkat", AT_FDCWD, b"/proc/self/fd/%d" % f, AT_FDCWD, b"/tmp/named", 0x400)


@attempt(TMP)
def tmp_scandir_of_a_folder() -> list[str]:
    with os.scandir("/tmp/full") as entries:
        return [entry.name for entry in entries]


@attempt(TMP)
def tmp_glob() -> list[str]:
    """glob swallows errors: nothing found is the refusal."""
    if not (found := sorted(glob.glob("/tmp/th*"))):
        raise PermissionError(13, "nothing found")
    return found


@attempt(TMP)
def tmp_libc_opendir() -> str:
    LIBC.opendir.restype = ctypes.c_void_p
    stream = LIBC.opendir(b"/tmp/full")
    if not stream:
        checked(-1)
    LIBC.closedir(ctypes.c_void_p(stream))
    return "opened"


def fopen(path: bytes, mode: bytes) -> ctypes.c_void_p:
    LIBC.fopen.restype = ctypes.c_void_p
    stream = LIBC.fopen(path, mode)
    if not stream:
        checked(-1)
    return ctypes.c_void_p(stream)


@attempt(TMP)
def tmp_fopen() -> int:
    stream = fopen(b"/tmp/there", b"r")
    try:
        return LIBC.fgetc(stream)
    finally:
        LIBC.fclose(stream)


@attempt(TMP)
def tmp_freopen() -> int:
    stream = fopen(b"/dev/null", b"r")
    LIBC.freopen.restype = ctypes.c_void_p
    again = LIBC.freopen(b"/tmp/there", b"r", stream)
    if not again:
        checked(-1)
    try:
        return LIBC.fgetc(ctypes.c_void_p(again))
    finally:
        LIBC.fclose(ctypes.c_void_p(again))


@attempt(TMP, alerts=(1, 2))
def tmp_libc_tmpfile() -> str:
    LIBC.tmpfile.restype = ctypes.c_void_p
    stream = LIBC.tmpfile()
    if not stream:
        checked(-1)
    LIBC.fclose(ctypes.c_void_p(stream))
    return "made"


@attempt(TMP, alerts=(1, 4))
def tmp_libc_mkstemp() -> None:
    os.close(libc("mkstemp", ctypes.create_string_buffer(b"/tmp/fXXXXXX")))
    for path in glob.glob("/tmp/f??????"):
        if path != "/tmp/folder":
            os.rename(path, "/tmp/made")


@attempt(TMP, alerts=(1, 3))
def tmp_libc_mkdtemp() -> None:
    LIBC.mkdtemp.restype = ctypes.c_char_p
    made = LIBC.mkdtemp(ctypes.create_string_buffer(b"/tmp/dXXXXXX"))
    if not made:
        checked(-1)
    os.rename(made, "/tmp/made")


@attempt(TMP, alerts=(1, 3))
def tmp_python_mkstemp() -> None:
    descriptor, path = tempfile.mkstemp(dir="/tmp")
    os.close(descriptor)
    os.rename(path, "/tmp/made")


@attempt(TMP, alerts=(1, 2))
def tmp_python_temporary_file() -> int:
    """It tries O_TMPFILE first, and a name when that is refused."""
    with tempfile.TemporaryFile(dir="/tmp") as f:
        return f.write(b"secret")


@attempt(TMP, machine="x86_64")
def tmp_raw_open() -> str:
    return content(raw("open", b"/tmp/there", os.O_RDONLY, 0))


@attempt(TMP, machine="x86_64")
def tmp_raw_creat() -> None:
    os.close(raw("creat", b"/tmp/new", 0o600))


def openat2(directory: int, path: bytes, flags: int, resolve: int = 0) -> int:
    how = (ctypes.c_uint64 * 3)(flags, 0o600 if flags & os.O_CREAT else 0, resolve)
    return raw("openat2", directory, path, ctypes.byref(how), 24)


@attempt(TMP)
def tmp_openat2_beneath() -> str:
    with opened("/", os.O_PATH) as root:
        return content(openat2(root, b"tmp/there", os.O_RDONLY, 0x08))  # RESOLVE_BENEATH


@attempt(TMP)
def tmp_openat2_in_root() -> str:
    with opened("/", os.O_PATH) as root:
        return content(openat2(root, b"/tmp/there", os.O_RDONLY, 0x10))  # RESOLVE_IN_ROOT


@attempt(TMP)
def tmp_openat2_no_symlinks_new() -> None:
    with opened("/", os.O_PATH) as root:
        os.close(openat2(root, b"tmp/new", os.O_CREAT | os.O_RDWR, 0x04))


@attempt(TMP)
def tmp_copy_out() -> str:
    with open("/tmp/there") as f:
        return f.read()


@attempt(TMP)
def tmp_mmap_a_file() -> str:
    with opened("/tmp/there") as f, mmap.mmap(f, 0, prot=mmap.PROT_READ) as view:
        return view[:7].decode()


@attempt(TMP)
def tmp_sqlite() -> None:
    """sqlite has an error of its own."""
    try:
        with contextlib.closing(sqlite3.connect("/tmp/data.db")) as database:
            database.execute("pragma journal_mode=off")
            database.execute("create table t (x)")
            database.commit()
    except sqlite3.OperationalError as error:
        raise PermissionError(13, str(error)) from None


# ---- who calls


@attempt(TMP)
def tmp_in_thread() -> None:
    problems: list[OSError] = []

    def work() -> None:
        try:
            make("/tmp/new")
        except OSError as error:
            problems.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if problems:
        raise problems[0]


@attempt(TMP)
def tmp_in_fork() -> None:
    in_child(lambda: make("/tmp/new"))


@attempt(TMP)
def tmp_in_signal_handler() -> None:
    problems: list[OSError] = []

    def handle(_number: int, _frame: object) -> None:
        try:
            make("/tmp/new")
        except OSError as error:
            problems.append(error)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    if problems:
        raise problems[0]


@attempt(TMP)
def tmp_spawn_action_opens() -> None:
    """posix_spawn opens a file in the child, on its behalf."""
    actions = [(os.POSIX_SPAWN_OPEN, 1, "/tmp/new", NEW, 0o600)]
    ended(os.posix_spawn(MARK, ["mark"], {}, file_actions=actions))


# ---- code from /tmp (20)


@attempt(TMP, scene="code")
def tmp_dlopen() -> int:
    try:
        library = ctypes.CDLL("/tmp/library.so")
    except OSError as error:
        raise PermissionError(13, str(error)) from None
    return library.forty_two()


effects(
    attempt(TMP, scene="code"),
    tmp_exec_a_program=lambda: run(["/tmp/program"]),
    tmp_exec_a_script=lambda: run(["/tmp/script.sh"]),
    tmp_exec_relative=lambda: run(["./program"], cwd="/tmp"),
    tmp_exec_through_a_link=lambda: run(["/var/task/to_tmp/program"]),
)


@attempt(TMP, scene="code")
def tmp_import() -> str:
    spec = importlib.util.spec_from_file_location("dropped", "/tmp/dropped.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VALUE


@attempt(TMP)
def tmp_by_an_allowed_program() -> None:
    """A child that may run is shielded as well."""
    run([MARK, "--create"])


@attempt(TMP)
def tmp_by_a_shell() -> None:
    done = subprocess.run(["/bin/sh", "-c", "echo secret > /tmp/new"], stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise PermissionError(13, "the shell could not")
