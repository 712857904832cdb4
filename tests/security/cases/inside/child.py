"""create_child_process: every way to start a program.

The program is `mark`: it leaves a mark outside the sandbox, so it is known whether it really ran.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
from collections.abc import Callable

from common import attempt, effects, unchanged
from tools import (
    AT_FDCWD,
    HELP,
    LIBC,
    LOADER,
    MARK,
    bytes_of,
    forked,
    from_c,
    inside,
    libc,
    memory_file,
    pointer,
    raw,
    refused_if,
    run,
    using,
)
from ways import ended, in_threads, refusal

CHILD = "create_child_process"
STATIC = "/var/task/mark_static"
ARGUMENTS = (ctypes.c_char_p * 2)(b"mark", None)


def by_c(function: str) -> None:
    from_c(getattr(HELP(), function)(MARK.encode()))


def replaced(name: str, *arguments: object) -> None:
    """A child that becomes another program by this system call."""
    forked(lambda: raw(name, *arguments))


def become_mark(program: int | str = MARK) -> None:
    os.execve(program, ["mark"], {})


def execute(program: int) -> None:
    forked(lambda: become_mark(program))


def execute_on_path() -> None:
    os.environ["PATH"] = "/var/task"
    os.execvp("mark", ["mark"])


def shell_ran(status: int) -> None:
    """The shell is what is refused: the status is then 127, as for any shell that is missing."""
    refused_if(os.waitstatus_to_exitcode(status) == 127, "no shell")


def in_memory(path: str, function: Callable[[int], object]) -> None:
    with memory_file(bytes_of(path)) as program:
        function(program)


# ---- Python's ways (23)


effects(
    attempt(CHILD),
    child_subprocess=lambda: run([MARK]),
    child_popen_with_bytes=lambda: subprocess.Popen([MARK.encode()]).wait(),
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
effects(
    attempt(CHILD, alerts=(1, 2)),
    child_shell=lambda: run(MARK, shell=True),
    child_system=lambda: shell_ran(os.system(MARK)),
    child_os_popen=lambda: os.popen(MARK).close(),
    child_libc_system=lambda: shell_ran(LIBC.system(MARK.encode())),
    # Expanding a word runs a shell where it holds a command.
    child_libc_wordexp=lambda: refused_if(
        LIBC.wordexp(b"$(/var/task/mark)", ctypes.create_string_buffer(64), 0) in (1, 5)
    ),
)


@attempt(CHILD, refusal=(127, 13))
def child_spawnv() -> None:
    status = os.spawnv(os.P_WAIT, MARK, ["mark"])
    if status:
        raise OSError(status, "spawnv")


@attempt(CHILD)
def child_posix_spawn_with_actions() -> None:
    actions = [(os.POSIX_SPAWN_CLOSE, 0), (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    ended(os.posix_spawn(MARK, ["mark"], {}, file_actions=actions, setpgroup=0, setsigmask=[signal.SIGINT]))


# ---- exec in a forked copy


effects(
    attempt(CHILD),
    child_execv=lambda: forked(lambda: os.execv(MARK, ["mark"])),
    child_execve=lambda: forked(lambda: os.execve(MARK, ["mark"], {"A": "b"})),
    child_execl=lambda: forked(lambda: os.execl(MARK, "mark")),
    child_execvp=lambda: forked(execute_on_path),
    child_libc_execv=lambda: forked(lambda: libc("execv", MARK.encode(), ARGUMENTS)),
    child_libc_execvp=lambda: forked(lambda: libc("execvp", MARK.encode(), ARGUMENTS)),
    # The kernel gives such a program one empty argument.
    child_without_arguments=lambda: forked(lambda: libc("execve", MARK.encode(), None, None)),
    child_fexecve=lambda: using(MARK, execute, os.O_RDONLY),
    child_fexecve_of_a_reference=lambda: using(MARK, execute),
    child_raw_execve=lambda: replaced("execve", MARK.encode(), ARGUMENTS, None),
    child_raw_execveat=lambda: replaced("execveat", AT_FDCWD, MARK.encode(), ARGUMENTS, None, 0),
    child_raw_execveat_directory=lambda: using(
        "/var", lambda var: replaced("execveat", var, b"task/mark", ARGUMENTS, None, 0)
    ),
    child_raw_execveat_empty_path=lambda: using(
        MARK, lambda program: replaced("execveat", program, b"", ARGUMENTS, None, 0x1000)
    ),
    child_memfd=lambda: in_memory(MARK, execute),
    child_memfd_by_proc=lambda: in_memory(MARK, lambda file: run([f"/proc/self/fd/{file}"], pass_fds=[file])),
    child_memfd_by_dev_fd=lambda: in_memory(MARK, lambda file: run([f"/dev/fd/{file}"], pass_fds=[file])),
    child_by_proc_root=lambda: run([f"/proc/self/root{MARK}"]),
    child_through_a_link=lambda: run(["/var/task/to_mark"]),
    child_with_dots=lambda: run(["/var/task/../task/./mark"]),
    child_script=lambda: run(["/var/task/script.sh"]),
    child_script_of_a_script=lambda: run(["/var/task/script_of_script"]),
    child_loader=lambda: run([LOADER, MARK]),
    child_loader_with_preload=lambda: run([LOADER, "--preload", "/var/task/liblibrary.so", MARK]),
)


@attempt(CHILD, alerts=(1, 2), refusal=(12, 13))
def child_libc_popen() -> None:
    """popen(3) leaves whatever in errno when the shell does not start."""
    shell_ran(LIBC.pclose(pointer("popen", MARK.encode(), b"r")))


@attempt(CHILD)
def child_proc_self_exe() -> str:
    return run(["/proc/self/exe", "-c", "print('ran')"])


# ---- how the child is made


effects(
    attempt(CHILD),
    child_vfork=lambda: by_c("vfork_exec"),
    child_raw_clone=lambda: ended(raw("clone", signal.SIGCHLD, 0, 0, 0, 0) or os._exit(refusal(become_mark) or 0)),
    child_clone_sharing_memory=lambda: by_c("clone_vm_exec"),
    child_from_a_thread=lambda: forked(lambda: in_threads(1, become_mark)),
)


@attempt(CHILD, refusal=(errno.EPERM,), alerts=(1, 2), says=("self_protection", CHILD))
def child_clone_sharing_memory_at_once() -> None:
    by_c("clone_vm_only_exec")


# ---- static programs (25): free of the policy on /tmp as well, as nothing can be loaded into them


def start_static() -> None:
    run([STATIC])


effects(attempt(CHILD), child_static=start_static)
effects(
    attempt("read_write_tmp", says=(CHILD,)),
    child_static_where_children_are_allowed=start_static,
    child_static_by_memfd=lambda: in_memory(STATIC, execute),
)
effects(
    attempt(CHILD, settings={"SHIELD_ALLOW_CHILD_PROCESS": STATIC}),
    child_static_that_is_listed=start_static,
)
effects(
    unchanged(CHILD, settings={"SHIELD_ALLOW_CHILD_PROCESS": f"unshielded:{STATIC}"}),
    child_static_that_is_listed_unshielded=start_static,
)
