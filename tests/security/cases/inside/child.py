"""create_child_process: every way to start a program.

The program is `mark`: it leaves a mark outside the sandbox, so it is known whether it really ran.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import multiprocessing
import os
import signal
import subprocess
from collections.abc import Iterator

from common import (
    AT_FDCWD,
    LIBC,
    LOADER,
    MARK,
    Helpers,
    attempt,
    checked,
    effects,
    ended,
    inside,
    opened,
    raw,
    replace_in_child,
    run,
    unchanged,
)

CHILD = "create_child_process"
HELP = Helpers("help")


def by_c(function: str, path: bytes = MARK.encode()) -> None:
    result = getattr(HELP, function)(path)
    if result < 0:
        raise OSError(-result, os.strerror(-result))


# ---- Python's ways (23)


@attempt(CHILD)
def child_subprocess() -> str:
    return run([MARK])


@attempt(CHILD)
def child_popen_with_bytes() -> int:
    with subprocess.Popen([MARK.encode()]) as process:
        return process.wait()


@attempt(CHILD, alerts=(1, 2))
def child_shell() -> None:
    run(MARK, shell=True)


effects(
    attempt(CHILD),
    # With code to run in between, subprocess forks instead of using vfork.
    child_preexec=lambda: run([MARK], preexec_fn=lambda: None),
    child_keeping_descriptors=lambda: run([MARK], close_fds=False),
    child_new_session=lambda: run([MARK], start_new_session=True),
    child_working_directory=lambda: run(["./mark"], cwd="/var/task"),
    child_found_on_the_path=lambda: run(["mark"], env={"PATH": "/var/task"}),
    child_found_on_a_longer_path=lambda: run(["mark"], env={"PATH": "/nowhere:/var/empty:/var/task"}),
    child_empty_environment=lambda: run([MARK], env={}),
    child_empty_preload=lambda: run([MARK], env={"LD_PRELOAD": ""}),
    child_executable_option=lambda: run(["something else"], executable=MARK),
    child_posix_spawn=lambda: ended(os.posix_spawn(MARK, ["mark"], {})),
    child_posix_spawnp=lambda: inside("/var/task", lambda: ended(os.posix_spawnp("./mark", ["mark"], {}))),
)


@attempt(CHILD, alerts=(1, 2))
def child_system() -> None:
    # The shell is what is refused: its status says 127, as for any shell that is missing.
    if os.waitstatus_to_exitcode(os.system(MARK)) == 127:
        raise PermissionError(13, "no shell")


@attempt(CHILD, alerts=(1, 2))
def child_os_popen() -> None:
    with os.popen(MARK) as output:
        output.read()


@attempt(CHILD, refusal=(127, 13))
def child_spawnv() -> None:
    status = os.spawnv(os.P_WAIT, MARK, ["mark"])
    if status:
        raise OSError(status, "spawnv")


@attempt(CHILD)
def child_posix_spawn_with_actions() -> None:
    actions = [(os.POSIX_SPAWN_CLOSE, 0), (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    ended(os.posix_spawn(MARK, ["mark"], {}, file_actions=actions, setpgroup=0, setsigmask=[signal.SIGINT]))


@attempt(CHILD)
def child_asyncio() -> int:
    async def start() -> int:
        return await (await asyncio.create_subprocess_exec(MARK)).wait()

    return asyncio.run(start())


# ---- exec in a forked copy


effects(
    attempt(CHILD),
    child_execv=lambda: replace_in_child(lambda: os.execv(MARK, ["mark"])),
    child_execve=lambda: replace_in_child(lambda: os.execve(MARK, ["mark"], {"A": "b"})),
    child_execl=lambda: replace_in_child(lambda: os.execl(MARK, "mark")),
    # The kernel gives such a program one empty argument.
    child_without_arguments=lambda: replace_in_child(lambda: checked(LIBC.execve(MARK.encode(), None, None))),
    child_raw_execve=lambda: replace_in_child(lambda: raw("execve", MARK.encode(), arguments(), None)),
    child_raw_execveat=lambda: replace_in_child(lambda: raw("execveat", AT_FDCWD, MARK.encode(), arguments(), None, 0)),
    child_raw_execveat_empty_path=lambda: by_c("execveat_empty"),
    child_by_proc_root=lambda: run([f"/proc/self/root{MARK}"]),
    child_through_a_link=lambda: run(["/var/task/to_mark"]),
    child_with_dots=lambda: run(["/var/task/../task/./mark"]),
    child_script=lambda: run(["/var/task/script.sh"]),
    child_script_of_a_script=lambda: run(["/var/task/script_of_script"]),
    child_loader=lambda: run([LOADER, MARK]),
    child_loader_with_preload=lambda: run([LOADER, "--preload", "/var/task/liblibrary.so", MARK]),
)


@attempt(CHILD)
def child_execvp() -> None:
    def execute() -> None:
        os.environ["PATH"] = "/var/task"
        os.execvp("mark", ["mark"])

    replace_in_child(execute)


@attempt(CHILD)
def child_libc_execv() -> None:
    argv = (ctypes.c_char_p * 2)(b"mark", None)
    replace_in_child(lambda: checked(LIBC.execv(MARK.encode(), argv)))


@attempt(CHILD)
def child_libc_execvp() -> None:
    argv = (ctypes.c_char_p * 2)(b"mark", None)
    replace_in_child(lambda: checked(LIBC.execvp(MARK.encode(), argv)))


@attempt(CHILD, alerts=(1, 2))
def child_libc_system() -> None:
    if (LIBC.system(MARK.encode()) >> 8) == 127:
        raise PermissionError(13, "no shell")


@attempt(CHILD, alerts=(1, 2), refusal=(12, 13))
def child_libc_popen() -> None:
    """popen(3) leaves whatever in errno when the shell does not start."""
    LIBC.popen.restype = ctypes.c_void_p
    stream = LIBC.popen(MARK.encode(), b"r")
    if not stream:
        checked(-1)
    if (LIBC.pclose(ctypes.c_void_p(stream)) >> 8) == 127:
        raise PermissionError(13, "no shell")


@attempt(CHILD, alerts=(1, 2))
def child_libc_wordexp() -> None:
    """Expanding a word runs a shell where it holds a command."""
    result = LIBC.wordexp(b"$(/var/task/mark)", ctypes.create_string_buffer(64), 0)
    if result == 5 or result == 1:
        raise PermissionError(13, "wordexp")


@attempt(CHILD)
def child_fexecve() -> None:
    with opened(MARK) as program:
        replace_in_child(lambda: os.execve(program, ["mark"], {}))


@attempt(CHILD)
def child_fexecve_of_a_reference() -> None:
    with opened(MARK, os.O_PATH) as program:
        replace_in_child(lambda: os.execve(program, ["mark"], {}))


def arguments() -> object:
    return (ctypes.c_char_p * 2)(b"mark", None)


@attempt(CHILD)
def child_raw_execveat_directory() -> None:
    with opened("/var", os.O_PATH) as var:
        replace_in_child(lambda: raw("execveat", var, b"task/mark", arguments(), None, 0))


@contextlib.contextmanager
def memory_file(path: str) -> Iterator[int]:
    descriptor = os.memfd_create("program", 0)
    try:
        with open(path, "rb") as program:
            os.write(descriptor, program.read())
        yield descriptor
    finally:
        os.close(descriptor)


@attempt(CHILD)
def child_memfd() -> None:
    with memory_file(MARK) as program:
        replace_in_child(lambda: os.execve(program, ["mark"], {}))


@attempt(CHILD)
def child_memfd_by_proc() -> None:
    with memory_file(MARK) as program:
        run([f"/proc/self/fd/{program}"], pass_fds=[program])


@attempt(CHILD)
def child_memfd_by_dev_fd() -> None:
    with memory_file(MARK) as program:
        run([f"/dev/fd/{program}"], pass_fds=[program])


@attempt(CHILD)
def child_proc_self_exe() -> str:
    return run(["/proc/self/exe", "-c", "print('ran')"])


# ---- how the child is made


effects(
    attempt(CHILD),
    child_vfork=lambda: by_c("vfork_exec"),
    child_raw_clone=lambda: by_c("raw_fork_exec"),
    child_clone3=lambda: by_c("clone3_exec"),
    child_clone_sharing_memory=lambda: by_c("clone_vm_exec"),
    child_c_posix_spawn=lambda: by_c("spawn_exec"),
    child_from_a_thread=lambda: by_c("exec_in_thread"),
)


@attempt(CHILD, refusal=(errno.EPERM,), alerts=(1, 2), says=("self_protection", CHILD))
def child_clone_sharing_memory_at_once() -> None:
    by_c("clone_vm_only_exec")


def spawn_target() -> None:
    from common import leave_mark

    leave_mark("ran")


@attempt(CHILD, alerts=(1, 2))
def child_multiprocessing_spawn() -> None:
    process = multiprocessing.get_context("spawn").Process(target=spawn_target)
    process.start()
    process.join()
    if process.exitcode:
        raise PermissionError(13, "the process did not start")


# ---- static programs (25)


@attempt(CHILD, says=(CHILD,))
def child_static() -> None:
    run(["/var/task/mark_static"])


@attempt("read_write_tmp", says=(CHILD,))
def child_static_where_children_are_allowed() -> None:
    """It would run free of the policy on /tmp: nothing can be loaded into it."""
    run(["/var/task/mark_static"])


@attempt(CHILD, settings={"SHIELD_ALLOW_CHILD_PROCESS": "/var/task/mark_static"})
def child_static_that_is_listed() -> None:
    run(["/var/task/mark_static"])


@unchanged(CHILD, settings={"SHIELD_ALLOW_CHILD_PROCESS": "unshielded:/var/task/mark_static"})
def child_static_that_is_listed_unshielded() -> None:
    run(["/var/task/mark_static"])


@attempt("read_write_tmp", says=(CHILD,))
def child_static_by_memfd() -> None:
    with memory_file("/var/task/mark_static") as program:
        replace_in_child(lambda: os.execve(program, ["mark"], {}))
