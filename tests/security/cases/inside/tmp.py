"""read_write_tmp: every way to open something in /tmp, by whatever name and whoever asks.

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
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from common import (
    AT_FDCWD,
    LIBC,
    MARK,
    attempt,
    checked,
    content,
    ended,
    errno_of,
    in_child,
    libc,
    opened,
    raw,
    reference,
    run,
    unchanged,
    working_directory,
)

TMP = "read_write_tmp"
NEW = os.O_CREAT | os.O_WRONLY
ALLOWED = {"SHIELD_ALLOW_TMP": "/tmp/allowed/**"}
XATTR = b"user.shield"


def make(path: str, flags: int = NEW) -> None:
    os.close(os.open(path, flags, 0o600))


# ---- opens (16)


@attempt(TMP)
def tmp_open_new() -> None:
    make("/tmp/new")


@attempt(TMP)
def tmp_open_existing() -> str:
    return content(os.open("/tmp/there", os.O_RDONLY))


@attempt(TMP)
def tmp_open_write_only() -> None:
    with opened("/tmp/there", os.O_WRONLY) as f:
        os.write(f, b"CONTENT")


@attempt(TMP)
def tmp_append() -> None:
    with opened("/tmp/there", os.O_WRONLY | os.O_APPEND) as f:
        os.write(f, b"more")


@attempt(TMP)
def tmp_truncate_by_open() -> None:
    make("/tmp/there", os.O_RDONLY | os.O_TRUNC)


@attempt(TMP)
def tmp_truncate_by_create() -> None:
    make("/tmp/there", NEW | os.O_TRUNC)


@attempt(TMP)
def tmp_exclusive() -> None:
    make("/tmp/exclusive", os.O_CREAT | os.O_EXCL | os.O_RDWR)


@attempt(TMP)
def tmp_create_read_only() -> None:
    make("/tmp/new", os.O_CREAT | os.O_RDONLY)


@attempt(TMP)
def tmp_o_path() -> int:
    return reference(os.open("/tmp/there", os.O_PATH))


@attempt(TMP)
def tmp_o_path_of_the_directory() -> bool:
    return reference(os.open("/tmp", os.O_PATH | os.O_DIRECTORY)) >= 0


@attempt(TMP)
def tmp_o_path_of_a_link() -> int:
    return reference(os.open("/tmp/link", os.O_RDONLY | os.O_NOFOLLOW | os.O_PATH))


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
def tmp_listdir() -> list[str]:
    return sorted(os.listdir("/tmp"))


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
def tmp_fopen_to_write() -> None:
    LIBC.fclose(fopen(b"/tmp/new", b"w"))


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


@attempt(TMP)
def tmp_raw_openat() -> str:
    return content(raw("openat", AT_FDCWD, b"/tmp/there", os.O_RDONLY, 0))


def openat2(directory: int, path: bytes, flags: int, resolve: int = 0) -> int:
    how = (ctypes.c_uint64 * 3)(flags, 0o600 if flags & os.O_CREAT else 0, resolve)
    return raw("openat2", directory, path, ctypes.byref(how), 24)


@attempt(TMP)
def tmp_openat2_new() -> None:
    os.close(openat2(AT_FDCWD, b"/tmp/two", os.O_CREAT | os.O_RDWR))


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
def tmp_pathlib_write() -> None:
    pathlib.Path("/tmp/written").write_text("secret")


@attempt(TMP)
def tmp_copy_in() -> None:
    shutil.copyfile("/etc/resolv.conf", "/tmp/copied")


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


# ---- spellings (17)


@attempt(TMP)
def tmp_relative() -> str:
    with working_directory("/tmp"):
        return content(os.open("there", os.O_RDONLY))


@attempt(TMP)
def tmp_relative_new() -> None:
    with working_directory("/tmp"):
        make("relative")


@attempt(TMP)
def tmp_relative_from_a_folder() -> None:
    with working_directory("/tmp/folder"):
        make("../relative")


@attempt(TMP)
def tmp_relative_from_outside() -> None:
    with working_directory("/var"):
        make("../tmp/relative")


@attempt(TMP)
def tmp_directory_descriptor() -> str:
    with opened("/", os.O_PATH) as root:
        return content(os.open("tmp/there", os.O_RDONLY, dir_fd=root))


@attempt(TMP)
def tmp_directory_descriptor_new() -> None:
    with opened("/var", os.O_RDONLY) as var:
        os.close(os.open("../tmp/new", NEW, 0o600, dir_fd=var))


@attempt(TMP, alerts=(1, 2))
def tmp_fchdir() -> str:
    before = os.open(".", os.O_PATH)
    try:
        with opened("/tmp", os.O_PATH) as tmp:
            os.fchdir(tmp)
            return content(os.open("there", os.O_RDONLY))
    finally:
        os.fchdir(before)
        os.close(before)


@attempt(TMP)
def tmp_dots() -> str:
    return content(os.open("/var/../tmp/./folder//../there", os.O_RDONLY))


@attempt(TMP)
def tmp_dots_new() -> None:
    make("/var/..//tmp/./folder/../new")


@attempt(TMP)
def tmp_slashes() -> str:
    return content(os.open("///tmp////there", os.O_RDONLY))


@attempt(TMP)
def tmp_link_inside() -> str:
    return content(os.open("/tmp/alias", os.O_RDONLY))


@attempt(TMP)
def tmp_link_from_outside() -> str:
    return content(os.open("/var/task/to_there", os.O_RDONLY))


@attempt(TMP)
def tmp_link_from_outside_new() -> None:
    make("/var/task/to_new")


@attempt(TMP)
def tmp_linked_directory() -> str:
    return content(os.open("/var/task/to_tmp/there", os.O_RDONLY))


@attempt(TMP)
def tmp_linked_directory_new() -> None:
    make("/var/task/to_tmp/new")


@attempt(TMP)
def tmp_link_to_a_link() -> str:
    return content(os.open("/var/task/to_tmp/alias", os.O_RDONLY))


@attempt(TMP, alerts=(1, 2))  # the link, and what it names
def tmp_create_through_a_dangling_link() -> None:
    make("/tmp/dangling")


PROC = {
    "proc_self_root": "/proc/self/root/tmp",
    "proc_thread_root": "/proc/thread-self/root/tmp",
    "proc_pid_root": "/proc/{pid}/root/tmp",
    "proc_task_root": "/proc/self/task/{pid}/root/tmp",
    "proc_up": "/proc/../tmp",
    "proc_self_up": "/proc/self/task/../../../tmp",
}


def spelt(name: str, template: str) -> None:
    """Each spelling of a process's root, for a file that is there and for one that is not."""

    def read() -> str:
        return content(os.open(template.format(pid=os.getpid()) + "/there", os.O_RDONLY))

    def create() -> None:
        make(template.format(pid=os.getpid()) + "/new")

    read.__name__, create.__name__ = f"tmp_{name}", f"tmp_{name}_new"
    attempt(TMP)(read)
    attempt(TMP)(create)


for _name, _template in PROC.items():
    spelt(_name, _template)


@attempt(TMP)
def tmp_proc_cwd() -> str:
    with working_directory("/tmp"):
        return content(os.open("/proc/self/cwd/there", os.O_RDWR))


@attempt(TMP)
def tmp_proc_thread_cwd_new() -> None:
    with working_directory("/tmp"):
        make("/proc/thread-self/cwd/new")


@attempt(TMP)
def tmp_proc_descriptor() -> str:
    with opened("/", os.O_PATH) as root:
        return content(os.open(f"/proc/self/fd/{root}/tmp/there", os.O_RDONLY))


@attempt(TMP)
def tmp_proc_descriptor_new() -> None:
    with opened("/", os.O_RDONLY) as root:
        make(f"/proc/self/fd/{root}/tmp/new")


@attempt(TMP)
def tmp_dev_fd() -> str:
    with opened("/", os.O_PATH) as root:
        return content(os.open(f"/dev/fd/{root}/tmp/there", os.O_RDONLY))


@attempt(TMP)
def tmp_dev_fd_new() -> None:
    with opened("/", os.O_RDONLY) as root:
        make(f"/dev/fd/{root}/tmp/new")


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


@attempt(TMP, scene="code")
def tmp_exec_a_program() -> None:
    run(["/tmp/program"])


@attempt(TMP, scene="code")
def tmp_exec_a_script() -> None:
    run(["/tmp/script.sh"])


@attempt(TMP, scene="code")
def tmp_exec_relative() -> None:
    run(["./program"], cwd="/tmp")


@attempt(TMP, scene="code")
def tmp_exec_through_a_link() -> None:
    run(["/var/task/to_tmp/program"])


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


# ---- the allow list (21)


def allowed(function: Callable[[], object]) -> None:
    unchanged(TMP, settings=ALLOWED, scene="allowed")(function)


@allowed
def tmp_allowed_opens() -> list[object]:
    os.umask(0o027)
    try:
        descriptor = os.open("/tmp/allowed/file", NEW, 0o666)
    finally:
        os.umask(0o022)
    facts: list[object] = [oct(os.fstat(descriptor).st_mode), os.get_inheritable(descriptor)]
    os.write(descriptor, b"content")
    os.close(descriptor)
    inherited = libc("open", b"/tmp/allowed/file", os.O_RDONLY)
    facts += [os.get_inheritable(inherited), content(inherited), sorted(os.listdir("/tmp/allowed"))]
    return facts


@allowed
def tmp_allowed_temporary_files() -> list[int]:
    with tempfile.TemporaryFile(dir="/tmp/allowed") as a, opened("/tmp/allowed", os.O_TMPFILE | os.O_RDWR) as b:
        raw("linkat", AT_FDCWD, b"/proc/self/fd/%d" % b, AT_FDCWD, b"/tmp/allowed/named", 0x400)
        return [a.write(b"x"), os.write(b, b"named")]


@allowed
def tmp_allowed_names() -> list[int | None]:
    base = "/tmp/allowed"
    calls: list[Callable[[], object]] = [
        lambda: os.mkdir(f"{base}/folder"),
        lambda: os.rename(f"{base}/data", f"{base}/folder/data"),
        lambda: os.rename(f"{base}/folder/data", f"{base}/data"),
        lambda: raw("renameat2", AT_FDCWD, b"/tmp/allowed/data", AT_FDCWD, b"/tmp/allowed/other", 2),
        lambda: raw("renameat2", AT_FDCWD, b"/tmp/allowed/data", AT_FDCWD, b"/tmp/allowed/other", 1),
        lambda: os.link(f"{base}/data", f"{base}/second"),
        lambda: os.symlink("data", f"{base}/link"),
        lambda: make(f"{base}/link", os.O_WRONLY | os.O_TRUNC),
        lambda: os.truncate(f"{base}/data", 3),
        lambda: os.chmod(f"{base}/data", 0o640),
        lambda: os.chown(f"{base}/link", os.getuid(), os.getgid(), follow_symlinks=False),
        lambda: os.utime(f"{base}/data", (5, 5)),
        lambda: os.mkfifo(f"{base}/fifo"),
        lambda: os.setxattr(f"{base}/data", XATTR, b"x"),
        lambda: os.removexattr(f"{base}/data", XATTR),
        lambda: os.unlink(f"{base}/second"),
        lambda: os.rmdir(f"{base}/folder"),
        lambda: os.rmdir(f"{base}/missing"),
        lambda: make(f"{base}/data", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    ]
    return [errno_of(call) for call in calls]


@allowed
def tmp_allowed_socket() -> int:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("/tmp/allowed/socket")
        server.listen()
        client.connect("/tmp/allowed/socket")
        server.accept()[0].close()
        return len(client.getpeername())


@allowed
def tmp_allowed_by_a_relative_path() -> str:
    with working_directory("/tmp/allowed"):
        make("../allowed/new")
        return content(os.open("./data", os.O_RDONLY))


@allowed
def tmp_allowed_by_proc_root() -> None:
    make("/proc/self/root/tmp/allowed/new")
    os.mkdir("/proc/self/root/tmp/allowed/made")


@allowed
def tmp_allowed_descriptors_are_the_lowest() -> list[bool]:
    first = os.dup(0)
    os.close(first)
    opens = [("/tmp/allowed/data", os.O_RDONLY), ("/tmp/allowed/new", NEW), ("/tmp/allowed", os.O_TMPFILE | os.O_RDWR)]
    results = []
    for path, flags in opens:
        descriptor = os.open(path, flags, 0o600)
        os.close(descriptor)
        results.append(descriptor == first)
    return results


def escape(**facts: Any) -> Callable[[Callable[[], object]], Callable[[], object]]:
    return attempt(TMP, settings=ALLOWED, scene="allowed", **facts)


@escape()
def tmp_escape_by_dots() -> None:
    make("/tmp/allowed/../outside")


@escape()
def tmp_escape_by_rename() -> None:
    os.rename("/tmp/allowed/data", "/tmp/outside")


@escape()
def tmp_escape_by_rename_inwards() -> None:
    os.rename("/tmp/there", "/tmp/allowed/there")


@escape()
def tmp_escape_by_exchange() -> None:
    raw("renameat2", AT_FDCWD, b"/tmp/allowed/data", AT_FDCWD, b"/tmp/there", 2)


@escape()
def tmp_escape_by_hard_link() -> None:
    os.link("/tmp/there", "/tmp/allowed/there")


@escape()
def tmp_escape_by_hard_link_outwards() -> None:
    os.link("/tmp/allowed/data", "/tmp/outside")


@escape()
def tmp_escape_by_symbolic_link() -> None:
    os.symlink("/tmp/outside", "/tmp/allowed/escape")
    try:
        make("/tmp/allowed/escape")
    finally:
        os.unlink("/tmp/allowed/escape")


@escape()
def tmp_escape_by_symbolic_link_to_read() -> str:
    os.symlink("../there", "/tmp/allowed/escape")
    try:
        return content(os.open("/tmp/allowed/escape", os.O_RDONLY))
    finally:
        os.unlink("/tmp/allowed/escape")


@escape()
def tmp_escape_by_linked_directory() -> None:
    os.symlink("/tmp/folder", "/tmp/allowed/escape")
    try:
        os.mkdir("/tmp/allowed/escape/made")
    finally:
        os.unlink("/tmp/allowed/escape")


@escape()
def tmp_escape_by_look_alike() -> None:
    make("/tmp/allowed_not")


@escape(alone=True, alerts=(1, 5000))
def tmp_escape_by_a_link_that_another_thread_flips() -> None:
    """/tmp/allowed/way leads inside, outside, inside, ...: nothing may ever come to lie outside."""
    os.mkdir("/tmp/allowed/inside")
    os.symlink("/tmp/allowed/inside", "/tmp/allowed/to_inside")
    os.symlink("/tmp/folder", "/tmp/allowed/to_outside")
    os.symlink("/tmp/allowed/inside", "/tmp/allowed/way")
    stop, flips = threading.Event(), list[str]()

    def flip() -> None:
        while not stop.is_set():
            for target in ("inside", "outside"):
                os.symlink(os.readlink(f"/tmp/allowed/to_{target}"), "/tmp/allowed/next")
                os.rename("/tmp/allowed/next", "/tmp/allowed/way")
                flips.append(target)
                time.sleep(random.random() / 10_000)  # or the other thread only ever meets it inside

    # A busy machine changes from one thread to the other too seldom: unshielded, nothing landed outside.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 100)
    thread = threading.Thread(target=flip)
    thread.start()
    refused, number = 0, 0
    while number < 1500 or len(flips) < 500:
        number += 1
        refused += errno_of(lambda: make("/tmp/allowed/way/landed", NEW)) == 13
        refused += errno_of(lambda n=number: os.mkdir(f"/tmp/allowed/way/made{n % 2}")) == 13
        with contextlib.suppress(OSError):
            os.rmdir(f"/tmp/allowed/inside/made{number % 2}")
    stop.set()
    thread.join()
    sys.setswitchinterval(interval)
    shutil.rmtree("/tmp/allowed/inside")
    for name in ("way", "to_inside", "to_outside"):
        os.unlink(f"/tmp/allowed/{name}")
    if refused:
        raise PermissionError(13, f"refused {refused} times")
