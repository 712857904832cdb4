"""create_child_process: forked copies, which start no program: what they may do, and what not."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import socket
import sys

from child import CHILD, HELP
from child_allowed import LISTED
from common import (
    LIBC,
    MARK,
    Function,
    attempt,
    content,
    each,
    ended,
    in_child,
    opened,
    replace_in_child,
    unchanged,
)

# A copy's calls are one line in a second, and one more with their count where a second ends between them.
TOLD = (1, 3)


@attempt(CHILD, alerts=TOLD)
def fork_creates_a_file() -> None:
    in_child(lambda: os.close(os.open("/tmp/new", os.O_CREAT | os.O_WRONLY, 0o600)))


@attempt(CHILD, alerts=TOLD)
def fork_makes_a_directory() -> None:
    in_child(lambda: os.mkdir("/tmp/made"))


@attempt(CHILD, alerts=TOLD)
def fork_removes_a_file() -> None:
    in_child(lambda: os.unlink("/tmp/there"))


@attempt(CHILD, alerts=TOLD)
def fork_connects() -> None:
    in_child(connect_out)


@attempt(CHILD, alerts=TOLD)
def fork_sends_a_datagram() -> None:
    in_child(send_out)


def before_exec() -> list[str]:
    """What languages open between fork and exec."""
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    return [os.readlink("/proc/self/fd/0"), *sorted(os.listdir("/proc/self/fd/"))[:2]]


@unchanged(CHILD)
def fork_opens_what_comes_before_exec() -> list[str]:
    return in_child(before_exec)


each(
    attempt(CHILD, alerts=TOLD),
    fork_reads_a_file=lambda: in_child(lambda: before_exec()[0] + content(os.open("/etc/passwd", os.O_RDONLY))),
    fork_reads_the_handler=lambda: in_child(lambda: content(os.open("/var/task/app.py", os.O_RDONLY))),
    fork_reads_a_file_by_way_of_null=lambda: in_child(lambda: content(os.open("/dev/../etc/passwd", os.O_RDONLY))),
)


@attempt(CHILD, alerts=TOLD)
def fork_reads_a_file_below_its_descriptors() -> str:
    with opened("/etc/passwd") as file:
        return in_child(lambda: content(os.open(f"/proc/self/fd/{file}", os.O_RDONLY)))


@attempt(CHILD, alerts=TOLD)
def fork_of_a_fork() -> None:
    in_child(lambda: in_child(lambda: os.mkdir("/tmp/made")))


@attempt(CHILD, alerts=TOLD)
def fork_by_libc() -> None:
    child = LIBC.fork()
    if child == 0:
        if LIBC.mkdir(b"/tmp/made", 0o700) == 0:
            os._exit(0)
        os._exit(ctypes.get_errno())
    ended(child)


# What the other policies allow by a list is judged as a child process all the same.
LOOKED_AT = {
    "SHIELD_READ_WRITE_TMP": "{mode}",
    "SHIELD_ALLOW_TMP": "/tmp/**",
    "SHIELD_OUTBOUND_CONNECTIVITY": "{mode}",
    "SHIELD_ALLOW_OUTBOUND": "203.0.113.0/24",
}


def fork_with_lists(name: str, function: Function) -> None:
    def case() -> None:
        in_child(function)

    case.__name__ = f"fork_with_lists_{name}"
    attempt(CHILD, settings=LOOKED_AT, alerts=TOLD)(case)


def connect_out() -> None:
    with socket.socket() as s:
        s.connect(("203.0.113.9", 80))


def send_out() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"secret", ("203.0.113.9", 9999))


fork_with_lists("creates_a_file", lambda: os.close(os.open("/tmp/new", os.O_CREAT | os.O_WRONLY, 0o600)))
fork_with_lists("makes_a_directory", lambda: os.mkdir("/tmp/made"))
fork_with_lists("renames", lambda: os.rename("/tmp/there", "/tmp/elsewhere"))
fork_with_lists("removes", lambda: os.unlink("/tmp/there"))
fork_with_lists("connects", connect_out)
fork_with_lists("sends", send_out)
fork_with_lists("of_a_fork", lambda: in_child(lambda: os.mkdir("/tmp/made")))


@attempt(CHILD, alerts=(1, 50))
def fork_multiprocessing() -> None:
    process = multiprocessing.get_context("fork").Process(target=os.mkdir, args=("/tmp/made",))
    stderr = os.dup(2)
    with open("/dev/null", "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # multiprocessing prints the child's traceback
    try:
        process.start()
        process.join()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
    if process.exitcode:
        raise PermissionError(13, "the child could not")


@unchanged(CHILD)
def fork_and_exit() -> int:
    child = os.fork()
    if child == 0:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@unchanged(CHILD)
def fork_and_use_pipes() -> str:
    """What it was given it may use: nothing here names a file or an address."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"hello")
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    return content_of(reading)


def content_of(descriptor: int) -> str:
    with os.fdopen(descriptor) as f:
        return f.read()


@unchanged(CHILD, settings=LISTED)
def fork_and_exec_what_is_listed() -> None:
    replace_in_child(lambda: os.execv(MARK, ["mark"]))


@unchanged(
    CHILD,
    settings={"SHIELD_ALLOW_CHILD_PROCESS": f"/var/lang/bin/python{sys.version_info.major}.{sys.version_info.minor}"},
)
def fork_of_a_listed_program() -> None:
    in_child(lambda: os.mkdir("/tmp/made"))


@unchanged(CHILD)
def vfork_that_fails_to_exec() -> int:
    """The parent goes on as it was: its own files are its own."""
    result = HELP.vfork_exec(b"/var/task/missing")
    with open("/etc/passwd") as f:
        return result if f.read(1) else 0
