"""read_write_tmp: calls that take a path in /tmp and open nothing, and paths that cannot be resolved.

What is there: see tmp.py.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import pathlib
import shutil
import socket
import stat
from collections.abc import Callable

from common import attempt, effects, unchanged
from tmp import NEW, TMP, USER_ATTRIBUTES, XATTR, make
from tools import AT_FDCWD, LIBC, inside, libc, raw, using, working_directory
from ways import each, refusal


def bind(path: str, kind: int = socket.SOCK_STREAM) -> None:
    with socket.socket(socket.AF_UNIX, kind) as s:
        s.bind(path)


# ---- calls that take a path (18)


effects(
    attempt(TMP),
    tmp_mkdir=lambda: os.mkdir("/tmp/made"),
    tmp_raw_mkdirat=lambda: raw("mkdirat", AT_FDCWD, b"/tmp/made", 0o700),
    tmp_mkdir_relative=lambda: inside("/tmp", lambda: os.mkdir("made")),
    tmp_mkdir_with_a_slash=lambda: os.mkdir("/tmp/made/"),
    tmp_mkdir_by_proc_root=lambda: os.mkdir("/proc/self/root/tmp/made"),
    tmp_mkdir_through_a_link=lambda: os.mkdir("/var/task/to_tmp/made"),
    tmp_rmdir=lambda: os.rmdir("/tmp/folder"),
    tmp_rmdir_by_unlinkat=lambda: raw("unlinkat", AT_FDCWD, b"/tmp/folder", 0x200),
    tmp_rmdir_with_dots=lambda: os.rmdir("/tmp/full/../folder"),
    tmp_unlink=lambda: os.unlink("/tmp/there"),
    tmp_unlink_a_link=lambda: os.unlink("/tmp/link"),
    tmp_unlink_relative=lambda: inside("/tmp", lambda: os.unlink("there")),
    tmp_libc_remove=lambda: libc("remove", b"/tmp/there"),
    tmp_symlink=lambda: os.symlink("/etc/passwd", "/tmp/pointer"),
    tmp_truncate=lambda: os.truncate("/tmp/there", 0),
    tmp_truncate_through_a_link=lambda: os.truncate("/var/task/to_there", 0),
    tmp_chmod=lambda: os.chmod("/tmp/there", 0o600),
    tmp_chmod_of_tmp_itself=lambda: os.chmod("/tmp/.", 0o711),
    tmp_raw_fchmodat=lambda: raw("fchmodat", AT_FDCWD, b"/tmp/alias", 0o600),
    tmp_chown=lambda: os.chown("/tmp/there", os.getuid(), os.getgid()),
    tmp_lchown=lambda: os.lchown("/tmp/link", os.getuid(), os.getgid()),
    tmp_fchownat_through_a_link=lambda: raw("fchownat", AT_FDCWD, b"/var/task/to_there", os.getuid(), os.getgid(), 0),
    tmp_utime=lambda: os.utime("/tmp/there", (1, 1)),
    tmp_utime_of_a_link=lambda: os.utime("/tmp/link", (1, 1), follow_symlinks=False),
    tmp_mkfifo=lambda: os.mkfifo("/tmp/fifo"),
    tmp_mknod_a_file=lambda: os.mknod("/tmp/node", stat.S_IFREG | 0o600),
    tmp_mknod_a_socket=lambda: os.mknod("/tmp/node", stat.S_IFSOCK | 0o600),
    tmp_mkdir_by_descriptor=lambda: using("/", lambda root: os.mkdir("tmp/made", dir_fd=root)),
    tmp_symlink_by_descriptor=lambda: using("/", lambda root: os.symlink("/etc/passwd", "tmp/pointer", dir_fd=root)),
    tmp_mknod_by_descriptor=lambda: using("/", lambda root: os.mknod("tmp/node", stat.S_IFREG | 0o600, dir_fd=root)),
    tmp_bind=lambda: bind("/tmp/socket"),
    tmp_bind_datagrams=lambda: bind("/tmp/socket", socket.SOCK_DGRAM),
    tmp_bind_relative=lambda: inside("/tmp", lambda: bind("socket")),
    tmp_bind_by_proc_root=lambda: bind("/proc/self/root/tmp/socket"),
)


effects(
    attempt(TMP, alerts=(1, 2)),
    tmp_makedirs=lambda: os.makedirs("/tmp/made/deeper"),
    tmp_rename=lambda: os.rename("/tmp/there", "/tmp/elsewhere"),
    tmp_raw_renameat=lambda: raw("renameat", AT_FDCWD, b"/tmp/there", AT_FDCWD, b"/tmp/elsewhere"),
    tmp_rename_without_replacing=lambda: raw("renameat2", AT_FDCWD, b"/tmp/there", AT_FDCWD, b"/tmp/elsewhere", 1),
    tmp_rename_exchange=lambda: raw("renameat2", AT_FDCWD, b"/tmp/there", AT_FDCWD, b"/tmp/full/inside", 2),
    tmp_rename_a_folder=lambda: os.rename("/tmp/full", "/tmp/moved"),
    tmp_link=lambda: os.link("/tmp/there", "/tmp/second_name"),
    tmp_link_following=lambda: raw("linkat", AT_FDCWD, b"/tmp/alias", AT_FDCWD, b"/tmp/second_name", 0x400),
)


@attempt(TMP, alerts=(1, 5))
def tmp_rmtree() -> None:
    shutil.rmtree("/tmp/full")


effects(
    attempt(TMP, machine="x86_64"),
    tmp_raw_utime=lambda: raw("utime", b"/tmp/there", None),
    tmp_raw_utimes=lambda: raw("utimes", b"/tmp/there", None),
    tmp_raw_futimesat=lambda: raw("futimesat", AT_FDCWD, b"/tmp/there", None),
)


effects(
    attempt(TMP, unless=USER_ATTRIBUTES),
    tmp_setxattr=lambda: os.setxattr("/tmp/there", XATTR, b"x"),
    tmp_lsetxattr=lambda: os.setxattr("/tmp/there", XATTR, b"x", follow_symlinks=False),
    tmp_removexattr=lambda: os.removexattr("/tmp/there", b"user.old"),
    tmp_lremovexattr=lambda: os.removexattr("/tmp/there", b"user.old", follow_symlinks=False),
)


# What others left in an attribute is content as well.
each(attempt(TMP, unless=USER_ATTRIBUTES), tmp_getxattr=lambda: os.getxattr("/tmp/there", b"user.old").decode())


def newer(call: str, version: str, *arguments: object) -> None:
    declare = attempt(TMP, box="unfiltered", unless=f"{call} is Linux {version}'s")
    effects(declare, **{f"tmp_raw_{call}": lambda: raw(call, AT_FDCWD, b"/tmp/there", *arguments)})


VALUE = ctypes.create_string_buffer(b"x")
newer("fchmodat2", "6.6", 0o600, 0x100)
newer("setxattrat", "6.13", 0, XATTR, (ctypes.c_uint64 * 2)(ctypes.addressof(VALUE), 1), 16)
newer("removexattrat", "6.13", 0, b"user.old")
newer("file_setattr", "6.17", (ctypes.c_uint64 * 3)(0x80, 0, 0), 24, 0)  # no dump


# ---- calls that the presence of their entry ends: the kernel's error, without a line (18)


def answers(**calls: Callable[[], object]) -> dict[str, int | None]:
    return {name: refusal(call) for name, call in calls.items()}


@unchanged(TMP)
def tmp_calls_of_a_missing_entry() -> dict[str, int | None]:
    return answers(
        unlink=lambda: os.unlink("/tmp/absent"),
        unlink_missing_ok=lambda: pathlib.Path("/tmp/absent").unlink(missing_ok=True),
        unlink_with_a_slash=lambda: os.unlink("/tmp/absent/"),
        unlink_relative=lambda: inside("/tmp", lambda: os.unlink("absent")),
        unlinkat=lambda: raw("unlinkat", AT_FDCWD, b"/tmp/full/absent", 0),
        remove=lambda: libc("remove", b"/tmp/absent"),
        rmdir=lambda: os.rmdir("/tmp/absent"),
        rmdir_by_unlinkat=lambda: raw("unlinkat", AT_FDCWD, b"/tmp/absent", 0x200),
        rename=lambda: os.rename("/tmp/absent", "/tmp/elsewhere"),
        rename_over_a_file=lambda: os.replace("/tmp/absent", "/tmp/there"),
        renameat2=lambda: raw("renameat2", AT_FDCWD, b"/tmp/absent", AT_FDCWD, b"/tmp/there", 1),
        link=lambda: os.link("/tmp/absent", "/tmp/second_name"),
        truncate=lambda: os.truncate("/tmp/absent", 0),
        chmod=lambda: os.chmod("/tmp/absent", 0o600),
        lchown=lambda: os.lchown("/tmp/absent", os.getuid(), os.getgid()),
        utime_of_a_link=lambda: os.utime("/tmp/absent", (1, 1), follow_symlinks=False),
    )


@unchanged(TMP)
def tmp_calls_that_make_what_is_there() -> dict[str, int | None]:
    return answers(
        mkdir=lambda: os.mkdir("/tmp/folder"),
        mkdir_of_tmp=lambda: os.mkdir("/tmp"),
        mkdir_of_tmp_with_a_dot=lambda: os.mkdir("/tmp/."),
        mkdir_with_a_slash=lambda: os.mkdir("/tmp/folder/"),
        mkdir_of_a_file=lambda: os.mkdir("/tmp/there"),
        mkdir_of_a_dangling_link=lambda: os.mkdir("/tmp/dangling"),
        makedirs=lambda: os.makedirs("/tmp/full", exist_ok=True),
        mkdirat=lambda: raw("mkdirat", AT_FDCWD, b"/tmp/folder", 0o700),
        symlink=lambda: os.symlink("/etc/passwd", "/tmp/link"),
        link=lambda: os.link("/var/task/mark", "/tmp/there"),
        mkfifo=lambda: os.mkfifo("/tmp/there"),
        mknod=lambda: os.mknod("/tmp/there", stat.S_IFREG | 0o600),
        exclusive=lambda: make("/tmp/there", NEW | os.O_EXCL),
        exclusive_of_a_dangling_link=lambda: make("/tmp/dangling", NEW | os.O_EXCL),
    )


# ---- paths that cannot be resolved, and bad ones (19)


@attempt(TMP, scene="deep")
def tmp_a_directory_whose_path_is_too_long() -> None:
    """The kernel can name no path for it."""
    with working_directory("/tmp"):
        for _ in range(20):
            os.chdir("d" * 250)
        make("new")


@unchanged(TMP)
def tmp_bad_pointers() -> dict[str, int | None]:
    """NULL, unmapped, too long and unterminated paths: the kernel's own errors."""
    page = mmap.mmap(-1, 8192)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    page[:4096] = b"/" * 4096
    LIBC.mprotect(ctypes.c_void_p(address + 4096), ctypes.c_size_t(4096), 0)
    paths: dict[str, object] = {
        "null": None,
        "unmapped": ctypes.c_void_p(8),
        "kernel": ctypes.c_void_p(-4096),
        "empty": b"",
        "long": b"/tmp/" + b"x" * 5000,
        "longest": b"/tmp/" + b"x" * 4091,
        "component": b"/etc/" + b"x" * 256,
        "unterminated": ctypes.c_void_p(address + 4000),
    }
    calls: dict[str, Callable[[object], int]] = {
        "open": lambda path: libc("open", path, os.O_RDONLY),
        "create": lambda path: libc("open", path, NEW, 0o600),
        "mkdir": lambda path: libc("mkdir", path, 0o700),
        "rename": lambda path: libc("rename", path, path),
        "unlink": lambda path: libc("unlink", path),
        "truncate": lambda path: libc("truncate", path, ctypes.c_long(0)),
        "execve": lambda path: libc("execve", path, None, None),
    }
    results = {
        f"{call} {name}": refusal(lambda f=function, p=path: f(p))
        for call, function in calls.items()
        for name, path in paths.items()
        if not (call == "create" and name in {"longest"})
    }
    LIBC.mprotect(ctypes.c_void_p(address + 4096), ctypes.c_size_t(4096), 3)
    return results
