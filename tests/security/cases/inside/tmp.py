"""read_write_tmp: every way to open something in /tmp, whoever asks, and code that lies there.

/tmp/there is a file, /tmp/folder an empty directory, /tmp/full one with a file, /tmp/link leads out of /tmp,
/tmp/alias to /tmp/there, /tmp/dangling to nothing yet; /var/task has links into /tmp.
"""

from __future__ import annotations

import ctypes
import glob
import importlib.util
import os
import pathlib
import shutil
import signal
import tempfile

from common import attempt, effects
from tools import (
    AT_FDCWD,
    LIBC,
    MARK,
    content,
    in_child,
    libc,
    opened,
    pointer,
    raw,
    read,
    reference,
    refused_if,
    refusing,
    run,
    using,
)
from ways import each, ended, in_threads

TMP = "read_write_tmp"
NEW = os.O_CREAT | os.O_WRONLY
XATTR = b"user.shield"
USER_ATTRIBUTES = "a tmpfs has attributes of users since Linux 6.6"


def make(path: str, flags: int = NEW) -> None:
    os.close(os.open(path, flags, 0o600))


def write(path: str, text: bytes, flags: int) -> int:
    return using(path, lambda file: os.write(file, text), flags)


def openat2(directory: int, path: bytes, flags: int, resolve: int = 0) -> int:
    how = (ctypes.c_uint64 * 3)(flags, 0o600 if flags & os.O_CREAT else 0, resolve)
    return raw("openat2", directory, path, ctypes.byref(how), 24)


def first_byte(stream: ctypes.c_void_p) -> int:
    try:
        return LIBC.fgetc(stream)
    finally:
        LIBC.fclose(stream)


# ---- opens (16)


effects(
    attempt(TMP),
    tmp_open_new=lambda: make("/tmp/new"),
    tmp_open_write_only=lambda: write("/tmp/there", b"CONTENT", os.O_WRONLY),
    tmp_append=lambda: write("/tmp/there", b"more", os.O_WRONLY | os.O_APPEND),
    tmp_truncate_by_open=lambda: make("/tmp/there", os.O_RDONLY | os.O_TRUNC),
    tmp_truncate_by_create=lambda: make("/tmp/there", NEW | os.O_TRUNC),
    tmp_exclusive=lambda: make("/tmp/exclusive", os.O_CREAT | os.O_EXCL | os.O_RDWR),
    tmp_create_read_only=lambda: make("/tmp/new", os.O_CREAT | os.O_RDONLY),
    tmp_fopen_to_write=lambda: LIBC.fclose(pointer("fopen", b"/tmp/new", b"w")),
    tmp_openat2_new=lambda: os.close(openat2(AT_FDCWD, b"/tmp/two", os.O_CREAT | os.O_RDWR)),
    tmp_openat2_no_symlinks_new=lambda: os.close(
        using("/", lambda root: openat2(root, b"tmp/new", os.O_CREAT | os.O_RDWR, 0x04))
    ),
    tmp_pathlib_write=lambda: pathlib.Path("/tmp/written").write_text("secret"),
    tmp_copy_in=lambda: shutil.copyfile("/etc/resolv.conf", "/tmp/copied"),
)


each(
    attempt(TMP),
    tmp_open_existing=lambda: read("/tmp/there"),
    tmp_o_path=lambda: reference(os.open("/tmp/there", os.O_PATH)),
    tmp_o_path_of_the_directory=lambda: reference(os.open("/tmp", os.O_PATH | os.O_DIRECTORY)) >= 0,
    tmp_o_path_of_a_link=lambda: reference(os.open("/tmp/link", os.O_RDONLY | os.O_NOFOLLOW | os.O_PATH)),
    tmp_o_tmpfile=lambda: write("/tmp", b"secret", os.O_TMPFILE | os.O_RDWR),
    tmp_o_tmpfile_in_a_folder=lambda: write("/tmp/folder/", b"secret", os.O_TMPFILE | os.O_RDWR),
    tmp_listdir=lambda: sorted(os.listdir("/tmp")),
    tmp_raw_openat=lambda: content(raw("openat", AT_FDCWD, b"/tmp/there", os.O_RDONLY, 0)),
    tmp_openat2_beneath=lambda: using("/", lambda root: content(openat2(root, b"tmp/there", os.O_RDONLY, 0x08))),
    tmp_openat2_in_root=lambda: using("/", lambda root: content(openat2(root, b"/tmp/there", os.O_RDONLY, 0x10))),
    tmp_libc_opendir=lambda: LIBC.closedir(pointer("opendir", b"/tmp/full")) == 0,
    tmp_fopen=lambda: first_byte(pointer("fopen", b"/tmp/there", b"r")),
    tmp_freopen=lambda: first_byte(pointer("freopen", b"/tmp/there", b"r", pointer("fopen", b"/dev/null", b"r"))),
    tmp_copy_out=lambda: pathlib.Path("/tmp/there").read_text(),
)


@attempt(TMP, alerts=(1, 3))
def tmp_o_tmpfile_with_a_name_later() -> None:
    with opened("/tmp", os.O_TMPFILE | os.O_RDWR) as f:
        os.write(f, b"secret")
        raw("linkat", AT_FDCWD, b"/proc/self/fd/%d" % f, AT_FDCWD, b"/tmp/named", 0x400)


@attempt(TMP)
def tmp_glob() -> list[str]:
    found = sorted(glob.glob("/tmp/th*"))
    refused_if(not found, "nothing found: it swallows errors")
    return found


@attempt(TMP, alerts=(1, 2))
def tmp_libc_tmpfile() -> bool:
    return LIBC.fclose(pointer("tmpfile")) == 0


@attempt(TMP, alerts=(1, 4))
def tmp_libc_mkstemp() -> None:
    os.close(libc("mkstemp", ctypes.create_string_buffer(b"/tmp/fXXXXXX")))
    for path in glob.glob("/tmp/f??????"):
        if path != "/tmp/folder":
            os.rename(path, "/tmp/made")


@attempt(TMP, alerts=(1, 3))
def tmp_libc_mkdtemp() -> None:
    template = ctypes.create_string_buffer(b"/tmp/dXXXXXX")
    pointer("mkdtemp", template)
    os.rename(template.value, "/tmp/made")


@attempt(TMP, alerts=(1, 2))
def tmp_python_temporary_file() -> int:
    """It tries O_TMPFILE first, and a name when that is refused."""
    with tempfile.TemporaryFile(dir="/tmp") as f:
        return f.write(b"secret")


each(
    attempt(TMP, machine="x86_64"),
    tmp_raw_open=lambda: content(raw("open", b"/tmp/there", os.O_RDONLY, 0)),
    tmp_raw_creat=lambda: os.close(raw("creat", b"/tmp/new", 0o600)),
)


# ---- who calls


effects(
    attempt(TMP),
    tmp_in_thread=lambda: in_threads(1, lambda: make("/tmp/new")),
    tmp_in_fork=lambda: in_child(lambda: make("/tmp/new")),
    # A child that may run is shielded as well.
    tmp_by_an_allowed_program=lambda: run([MARK, "--create"]),
)


@attempt(TMP)
def tmp_in_signal_handler() -> None:
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: make("/tmp/new"))  # its error is raised here
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


@attempt(TMP)
def tmp_spawn_action_opens() -> None:
    """posix_spawn opens a file in the child, on its behalf."""
    actions = [(os.POSIX_SPAWN_OPEN, 1, "/tmp/new", NEW, 0o600)]
    ended(os.posix_spawn(MARK, ["mark"], {}, file_actions=actions))


@attempt(TMP)
def tmp_by_a_shell() -> None:
    refused_if(os.system("(echo secret > /tmp/new) 2> /dev/null") != 0, "the shell could not")


# ---- code from /tmp (20)


effects(
    attempt(TMP, scene="code"),
    tmp_exec_a_program=lambda: run(["/tmp/program"]),
    tmp_exec_a_script=lambda: run(["/tmp/script.sh"]),
    tmp_exec_relative=lambda: run(["./program"], cwd="/tmp"),
    tmp_exec_through_a_link=lambda: run(["/var/task/to_tmp/program"]),
)


@attempt(TMP, scene="code")
def tmp_dlopen() -> int:
    return refusing(lambda: ctypes.CDLL("/tmp/library.so"), OSError).forty_two()


@attempt(TMP, scene="code")
def tmp_import() -> str:
    spec = importlib.util.spec_from_file_location("dropped", "/tmp/dropped.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VALUE
