"""Runs one program in a sandbox: `python -m shielded_function_emulator.enter JSON`.

Three processes, one job each: this one joins the namespaces and reports the program's end as its own; the first
process of a new PID namespace mounts its /proc and reaps; the program itself gets the limits, the filter and the
user that Lambda would give it. When this process dies, however it dies, the kernel ends all the others; it ends
with the keeper, and so with the test that started both.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
from typing import NoReturn, TypedDict, cast

from shielded_function_emulator import kernel, root, seccomp

OPEN_FILES = 1024
NOT_STARTED = 127

# In this order: a user namespace gives the rights for the rest.
_SPACES = (
    ("user", kernel.CLONE_NEWUSER),
    ("net", kernel.CLONE_NEWNET),
    ("ipc", kernel.CLONE_NEWIPC),
    ("uts", kernel.CLONE_NEWUTS),
    ("mnt", kernel.CLONE_NEWNS),
)


class Request(TypedDict):
    """The command to run, and its options."""

    keeper: int
    isolation: str
    filtered: bool
    argv: list[str]
    environment: dict[str, str]
    cwd: str
    keep: list[int]


def _join(request: Request) -> None:
    spaces = [s for s in _SPACES if s[0] != "user" or request["isolation"] == "user-namespace"]
    opened = [(os.open(f"/proc/{request['keeper']}/ns/{name}", os.O_RDONLY), flag) for name, flag in spaces]
    for fd, flag in opened:
        kernel.setns(fd, flag)
        os.close(fd)


def _become(request: Request) -> NoReturn:
    """The program's own process: limits, filter, user, exec."""
    try:
        os.setsid()
        os.umask(0o022)
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(request["cwd"])
        for fd in request["keep"]:
            os.set_inheritable(fd, True)
        if request["filtered"]:
            seccomp.install()
        if request["isolation"] == "root":
            os.setgroups([])
            os.setresgid(*[root.SANDBOX_USER.gid] * 3)
            os.setresuid(*[root.SANDBOX_USER.uid] * 3)
        os.execvpe(request["argv"][0], request["argv"], request["environment"])
    except OSError as error:
        os.write(2, f"shielded_function_emulator: cannot run {request['argv'][0]}: {error}\n".encode())
    os._exit(NOT_STARTED)


def _has_no_reader(pipe: int) -> bool:
    """Whether the process on the other end died before PR_SET_PDEATHSIG could take effect."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(0))


def _first_process(request: Request, report: int) -> NoReturn:
    """Process 1 of the new PID namespace."""
    status = NOT_STARTED << 8
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if _has_no_reader(report):
            os._exit(NOT_STARTED)
        # A container that masks parts of /proc forbids a new proc in a user namespace: the bound one stays then.
        with contextlib.suppress(PermissionError):
            kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        program = os.fork()
        if program == 0:
            os.close(report)
            _become(request)
        ended = 0
        while ended != program:
            ended, status = os.wait()
    except OSError as error:
        os.write(2, f"shielded_function_emulator: cannot start the sandbox: {error}\n".encode())
    os.write(report, str(status).encode())
    os._exit(0)


def _end_like(status: int) -> int:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return os.waitstatus_to_exitcode(status)


def _await_report(reading: int, keeper: int) -> bytes:
    """The program's wait status; empty when its whole namespace was killed, or when the keeper ended."""
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(keeper, select.POLLIN)
    if reading in {fd for fd, _ in poll.poll()}:
        return os.read(reading, 32)
    return b""


def main() -> int:
    """Ends with the program's exit status, or by the signal that ended it."""
    request = cast("Request", json.loads(sys.argv[1]))
    reading, report = os.pipe()
    try:
        keeper = os.pidfd_open(request["keeper"])
        _join(request)
        kernel.unshare(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS)
    except OSError as error:
        sys.stderr.write(f"shielded_function_emulator: cannot enter the sandbox: {error}\n")
        return NOT_STARTED
    if os.fork() == 0:
        os.close(reading)
        _first_process(request, report)
    os.close(report)
    status = _await_report(reading, keeper)
    return _end_like(int(status) if status else signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
