"""What every case is made of: how it is declared, and the small tools to make calls with.

A case is a function. It returns when the forbidden thing was done, with what it got by it, and raises OSError when it
was refused. What it left behind (files in /tmp, marks of programs that ran, packets) is looked at from outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import os
import platform
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
LIBC.mmap.restype = ctypes.c_void_p
MACHINE = os.environ.get("CASES_MACHINE") or platform.machine()  # where cases are only listed, it may be another
AT_FDCWD = -100
LOADER = "/lib64/ld-linux-x86-64.so.2" if MACHINE == "x86_64" else "/lib/ld-linux-aarch64.so.1"
MARK = "/var/task/mark"
MARKS = "\0marks"

# Numbers: x86_64, aarch64 (None: it has no such call). <asm/unistd.h>
_NUMBERS: dict[str, tuple[int, int | None]] = {
    "bpf": (321, 280), "chmod": (90, None), "chown": (92, None), "chroot": (161, 51), "clone": (56, 220),
    "clone3": (435, 435), "close_range": (436, 436), "connect": (42, 203), "creat": (85, None), "dup2": (33, None),
    "dup3": (292, 24), "execve": (59, 221), "execveat": (322, 281), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "fchownat": (260, 54), "file_setattr": (469, 469), "fork": (57, None), "fsmount": (432, 432),
    "fsconfig": (431, 431), "fsopen": (430, 430), "fspick": (433, 433), "futimesat": (261, None),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "io_uring_setup": (425, 425),
    "lchown": (94, None), "link": (86, None), "linkat": (265, 37), "lremovexattr": (198, 15), "lsetxattr": (189, 6),
    "madvise": (28, 233), "mkdir": (83, None), "mkdirat": (258, 34), "mknod": (133, None), "mknodat": (259, 33),
    "mmap": (9, 222), "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429),
    "mprotect": (10, 226), "mremap": (25, 216), "mseal": (462, 462), "munmap": (11, 215),
    "name_to_handle_at": (303, 264), "open": (2, None), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "open_tree_attr": (467, 467), "openat": (257, 56), "openat2": (437, 437), "personality": (135, 92),
    "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pivot_root": (155, 41), "pkey_mprotect": (329, 288),
    "prctl": (157, 167), "process_madvise": (440, 440), "process_vm_writev": (311, 271), "ptrace": (101, 117),
    "remap_file_pages": (216, 234), "removexattr": (197, 14), "removexattrat": (466, 466), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "rmdir": (84, None), "seccomp": (317, 277), "setns": (308, 268),
    "setxattr": (188, 5), "setxattrat": (463, 463), "shmat": (30, 196), "shmdt": (67, 197), "shmget": (29, 194),
    "symlink": (88, None), "symlinkat": (266, 36), "truncate": (76, 45), "umount2": (166, 39), "unlink": (87, None),
    "unlinkat": (263, 35), "unshare": (272, 97), "userfaultfd": (323, 282), "utime": (132, None),
    "utimensat": (280, 88), "utimes": (235, None), "write": (1, 64),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What must happen. The function itself says nothing of modes.

    must        deny: refused in block mode; absent: not there in block and alert mode; same: as unshielded in every
                mode; refuse: the program does not start
    refusal     the errno of a denial
    alerts      least and most alert lines; for `same` in each of the modes block and alert
    says        the policies that the lines name, when it is not the policy itself
    settings    further settings; `{mode}` in them is the mode
    box         where: lambda (the emulated sandbox), unfiltered (without its seccomp filter), privileged (without the
                filter, and as root of a user namespace)
    alone       in a process of its own
    scene       what /tmp holds beside the usual (outside: scene.py)
    attach      which ways of attaching make sense
    unless      why the thing may be impossible even unshielded: it does not count then
    not_in      modes in which it is not run, and why
    leaves      descriptors that stay open where something is enforced, and only there: a limit that is written down
    """

    name: str
    policy: str
    must: str = "deny"
    refusal: tuple[int, ...] = (errno.EACCES,)
    alerts: tuple[int, int] = (1, 1)
    says: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    box: str = "lambda"
    alone: bool = False
    scene: str = ""
    attach: tuple[str, ...] = ("wrapper", "late")
    unless: str = ""
    not_in: Mapping[str, str] = field(default_factory=dict[str, str])
    leaves: int = 0


Function = Callable[[], Any]
F = TypeVar("F", bound=Function)
CASES: dict[str, Case] = {}
FUNCTIONS: dict[str, Function] = {}
# Filled by main.py: the descriptor on which it talks to the outside.
CHANNEL: list[int] = []


def _declare(policy: str, machine: str | None, **facts: Any) -> Callable[[F], F]:
    def keep(function: F) -> F:
        if machine in (None, MACHINE):
            assert function.__name__ not in CASES, function.__name__
            CASES[function.__name__] = Case(function.__name__, policy, **facts)
            FUNCTIONS[function.__name__] = function
        return function

    return keep


def attempt(policy: str, *, machine: str | None = None, **facts: Any) -> Callable[[F], F]:
    """Must be denied in block mode, done and reported in alert mode, done in allow mode."""
    return _declare(policy, machine, must="deny", **facts)


def absent(policy: str, *, machine: str | None = None, **facts: Any) -> Callable[[F], F]:
    """Must not be there (ENOSYS), without a line, in block and in alert mode; done in allow mode."""
    return _declare(policy, machine, must="absent", refusal=(errno.ENOSYS,), alerts=(0, 0), **facts)


def unchanged(policy: str, *, machine: str | None = None, **facts: Any) -> Callable[[F], F]:
    """Must come to the same in every mode as unshielded."""
    facts.setdefault("alerts", (0, 0))
    return _declare(policy, machine, must="same", **facts)


def refuses_to_start(policy: str, **facts: Any) -> Callable[[F], F]:
    """The program must not start at all."""
    return _declare(policy, None, must="refuse", alone=True, **facts)


def each(declare: Callable[[Function], object], /, **functions: Function) -> None:
    """Declares expressions as cases, by these names."""
    for name, function in functions.items():
        function.__name__ = name
        declare(function)


def effects(declare: Callable[[Function], object], /, **functions: Function) -> None:
    """The same, of expressions whose value tells nothing: what they leave behind has to be seen."""

    def without_value(function: Function) -> Function:
        @functools.wraps(function)
        def case() -> None:
            function()

        return case

    each(declare, **{name: without_value(function) for name, function in functions.items()})


class Helpers:
    """A library of ours, loaded when it is first used: where cases are only listed, it is not there."""

    def __init__(self, name: str) -> None:
        self._path = f"/var/task/lib{name}.so"
        self._library: ctypes.CDLL | None = None

    def __getattr__(self, function: str) -> Any:
        if self._library is None:
            self._library = ctypes.CDLL(self._path, use_errno=True)
        return getattr(self._library, function)


def number_of(name: str) -> int:
    number = _NUMBERS[name][0 if MACHINE == "x86_64" else 1]
    assert number is not None, name
    return number


def checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def raw(name: str, *arguments: object) -> int:
    """syscall(2). Integers are passed whole: ctypes would cut them to 32 bits."""
    whole = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(LIBC.syscall(ctypes.c_long(number_of(name)), *whole))


def libc(name: str, *arguments: object) -> int:
    return checked(getattr(LIBC, name)(*arguments))


def content(descriptor: int) -> str:
    """What can be read from a descriptor, which is then closed."""
    try:
        return os.read(descriptor, 4096).decode()
    finally:
        os.close(descriptor)


def reference(descriptor: int) -> int:
    """What an O_PATH descriptor tells: the object's size."""
    size = os.fstat(descriptor).st_size
    os.close(descriptor)
    return size


def errno_of(function: Function) -> int | None:
    try:
        function()
    except OSError as error:
        return error.errno or 255
    return None


@contextlib.contextmanager
def opened(path: str, flags: int = os.O_RDONLY) -> Iterator[int]:
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def inside(path: str, function: Function) -> Any:
    """What the function returns, with that working directory."""
    with working_directory(path):
        return function()


@contextlib.contextmanager
def working_directory(path: str) -> Iterator[None]:
    before = os.open(".", os.O_PATH)
    try:
        os.chdir(path)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def in_child(function: Function) -> Any:
    """In a forked copy of this process, which then ends: what it returns, or the OSError that it raises."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        answer: dict[str, Any] = {}
        try:
            answer["value"] = function()
        except OSError as error:
            answer["errno"] = error.errno or 255
        except BaseException as error:
            answer["error"] = repr(error)
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not text:
        raise AssertionError(f"the child ended with {status}")
    answer = json.loads(text)
    if "error" in answer:
        raise AssertionError(answer["error"])
    if "errno" in answer:
        raise OSError(answer["errno"], os.strerror(answer["errno"]))
    return answer.get("value")


def run(argv: Sequence[str | bytes], **options: Any) -> str:
    """A program's output; OSError with its exit status when that is not 0."""
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, **options)
    if done.returncode:
        raise OSError(done.returncode, str(done.stderr))
    return done.stdout.decode()


def ended(child: int) -> None:
    """Waits for a child; its exit status is the errno that it met."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise OSError(status, os.strerror(status) if status > 0 else f"signal {-status}")


def replace_in_child(execute: Function) -> None:
    """`execute` in a forked child, where it is expected not to return."""
    child = os.fork()
    if child == 0:
        try:
            execute()
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(254)
    ended(child)


def leave_mark(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text.encode(), MARKS)
