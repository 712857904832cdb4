"""create_child_process: every way to start a program, what an allowed one is, and forked copies.

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
import socket
import subprocess
import sys
from collections.abc import Iterator

from common import (
    AT_FDCWD,
    LIBC,
    LOADER,
    MARK,
    Function,
    Helpers,
    attempt,
    checked,
    ended,
    in_child,
    opened,
    raw,
    replace_in_child,
    run,
    unchanged,
    working_directory,
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


@attempt(CHILD)
def child_preexec() -> None:
    """With code to run in between, subprocess forks instead of using vfork."""
    run([MARK], preexec_fn=lambda: None)


@attempt(CHILD)
def child_keeping_descriptors() -> None:
    run([MARK], close_fds=False)


@attempt(CHILD)
def child_new_session() -> None:
    run([MARK], start_new_session=True)


@attempt(CHILD)
def child_working_directory() -> None:
    run(["./mark"], cwd="/var/task")


@attempt(CHILD)
def child_found_on_the_path() -> None:
    run(["mark"], env={"PATH": "/var/task"})


@attempt(CHILD)
def child_found_on_a_longer_path() -> None:
    run(["mark"], env={"PATH": "/nowhere:/var/empty:/var/task"})


@attempt(CHILD)
def child_empty_environment() -> None:
    run([MARK], env={})


@attempt(CHILD)
def child_empty_preload() -> None:
    run([MARK], env={"LD_PRELOAD": ""})


@attempt(CHILD)
def child_executable_option() -> None:
    run(["something else"], executable=MARK)


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
def child_posix_spawn() -> None:
    ended(os.posix_spawn(MARK, ["mark"], {}))


@attempt(CHILD)
def child_posix_spawnp() -> None:
    with working_directory("/var/task"):
        ended(os.posix_spawnp("./mark", ["mark"], {}))


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


@attempt(CHILD)
def child_execv() -> None:
    replace_in_child(lambda: os.execv(MARK, ["mark"]))


@attempt(CHILD)
def child_execve() -> None:
    replace_in_child(lambda: os.execve(MARK, ["mark"], {"A": "b"}))


@attempt(CHILD)
def child_execvp() -> None:
    def execute() -> None:
        os.environ["PATH"] = "/var/task"
        os.execvp("mark", ["mark"])

    replace_in_child(execute)


@attempt(CHILD)
def child_execl() -> None:
    replace_in_child(lambda: os.execl(MARK, "mark"))


@attempt(CHILD)
def child_without_arguments() -> None:
    """The kernel gives such a program one empty argument."""
    replace_in_child(lambda: checked(LIBC.execve(MARK.encode(), None, None)))


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
def child_raw_execve() -> None:
    replace_in_child(lambda: raw("execve", MARK.encode(), arguments(), None))


@attempt(CHILD)
def child_raw_execveat() -> None:
    replace_in_child(lambda: raw("execveat", AT_FDCWD, MARK.encode(), arguments(), None, 0))


@attempt(CHILD)
def child_raw_execveat_directory() -> None:
    with opened("/var", os.O_PATH) as var:
        replace_in_child(lambda: raw("execveat", var, b"task/mark", arguments(), None, 0))


@attempt(CHILD)
def child_raw_execveat_empty_path() -> None:
    by_c("execveat_empty")


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
def child_by_proc_root() -> None:
    run([f"/proc/self/root{MARK}"])


@attempt(CHILD)
def child_through_a_link() -> None:
    run(["/var/task/to_mark"])


@attempt(CHILD)
def child_with_dots() -> None:
    run(["/var/task/../task/./mark"])


@attempt(CHILD)
def child_proc_self_exe() -> str:
    return run(["/proc/self/exe", "-c", "print('ran')"])


@attempt(CHILD)
def child_script() -> None:
    run(["/var/task/script.sh"])


@attempt(CHILD)
def child_script_of_a_script() -> None:
    run(["/var/task/script_of_script"])


@attempt(CHILD)
def child_loader() -> None:
    run([LOADER, MARK])


@attempt(CHILD)
def child_loader_with_preload() -> None:
    run([LOADER, "--preload", "/var/task/liblibrary.so", MARK])


# ---- how the child is made


@attempt(CHILD)
def child_vfork() -> None:
    by_c("vfork_exec")


@attempt(CHILD)
def child_raw_clone() -> None:
    by_c("raw_fork_exec")


@attempt(CHILD)
def child_clone3() -> None:
    by_c("clone3_exec")


@attempt(CHILD)
def child_clone_sharing_memory() -> None:
    by_c("clone_vm_exec")


@attempt(CHILD, refusal=(errno.EPERM,), alerts=(1, 2), says=("self_protection", CHILD))
def child_clone_sharing_memory_at_once() -> None:
    by_c("clone_vm_only_exec")


@attempt(CHILD)
def child_c_posix_spawn() -> None:
    by_c("spawn_exec")


@attempt(CHILD)
def child_from_a_thread() -> None:
    by_c("exec_in_thread")


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


# ---- allowed programs are shielded, whatever they are told (24)

LISTED = {"SHIELD_ALLOW_CHILD_PROCESS": MARK, "SHIELD_CREATE_CHILD_PROCESS": "{mode}"}


def allowed_child(function: Function) -> Function:
    """The child opens /tmp/there: it is the child that is refused, and says so by its exit status."""
    return attempt("read_write_tmp", settings=LISTED)(function)


@unchanged(CHILD, settings=LISTED)
def child_that_is_listed() -> None:
    run([MARK])


@unchanged(CHILD, settings=LISTED)
def child_that_is_listed_through_a_link() -> None:
    run(["/var/task/to_mark"])


@attempt(CHILD, settings=LISTED)
def child_that_is_not_listed() -> str:
    return run(["/bin/echo", "ran"])


@attempt(CHILD, settings=LISTED)
def child_same_program_elsewhere() -> None:
    run(["/var/task/mark_copy"])


@attempt(CHILD, settings=LISTED)
def child_listed_program_through_the_loader() -> None:
    run([LOADER, MARK])


@allowed_child
def child_allowed_as_it_is() -> None:
    run([MARK, "--tmp"])


@allowed_child
def child_allowed_empty_environment() -> None:
    run([MARK, "--tmp"], env={})


@allowed_child
def child_allowed_empty_preload() -> None:
    run([MARK, "--tmp"], env={"LD_PRELOAD": ""})


@allowed_child
def child_allowed_other_preload() -> None:
    run([MARK, "--tmp"], env={"LD_PRELOAD": "/var/task/liblibrary.so"})


@allowed_child
def child_allowed_other_library_path() -> None:
    run([MARK, "--tmp"], env={"LD_LIBRARY_PATH": "/var/task:/nowhere", "LD_PRELOAD": "libshield.so"})


@allowed_child
def child_allowed_unset_environment() -> None:
    def execute() -> None:
        for name in list(os.environ):
            os.unsetenv(name)
        LIBC.clearenv()
        os.execv(MARK, ["mark", "--tmp"])

    replace_in_child(execute)


@allowed_child
def child_allowed_other_policy() -> None:
    names = ("READ_WRITE_TMP", "CREATE_CHILD_PROCESS", "OUTBOUND_CONNECTIVITY", "READ_HANDLER", "EXECUTABLE_MEMORY")
    run([MARK, "--tmp"], env={f"SHIELD_{name}": "allow" for name in names})


@allowed_child
def child_allowed_forged_state() -> None:
    run([MARK, "--tmp"], env={"SHIELD_STATE": "starting:-1:/bin/sh", "SHIELD_STATE_SITES": "255;"})


@allowed_child
def child_allowed_audit_library() -> None:
    run([MARK, "--tmp"], env={"LD_AUDIT": "/var/task/liblibrary.so", "LD_BIND_NOW": "1", "LD_DEBUG": "files"})


@allowed_child
def child_allowed_tunables() -> None:
    run([MARK, "--tmp"], env={"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=0:glibc.malloc.check=3"})


@allowed_child
def child_allowed_policy_file() -> None:
    run([MARK, "--tmp"], env={"SHIELD_POLICY_FILE": "/var/task/open_policy", "SHIELD_ON_FAILURE": "run_unshielded"})


@allowed_child
def child_allowed_null_environment() -> None:
    argv = (ctypes.c_char_p * 3)(b"mark", b"--tmp", None)
    replace_in_child(lambda: raw("execve", MARK.encode(), argv, None))


@allowed_child
def child_allowed_by_execveat() -> None:
    argv = (ctypes.c_char_p * 3)(b"mark", b"--tmp", None)
    with opened(MARK) as program:
        replace_in_child(lambda: raw("execveat", program, b"", argv, None, 0x1000))


@allowed_child
def child_allowed_closing_descriptors() -> None:
    def close_all() -> None:
        os.closerange(3, 4096)
        raw("close_range", 3, 0x7FFFFFFF, 0)

    run([MARK, "--tmp"], preexec_fn=close_all, close_fds=True, start_new_session=True)


@allowed_child
def child_allowed_twice_removed() -> None:
    """A daemon: forked twice, in a session of its own, without descriptors."""

    def execute() -> None:
        os.setsid()
        grandchild = os.fork()
        if grandchild == 0:
            os.closerange(0, 3)
            try:
                os.execve(MARK, ["mark", "--tmp"], {})
            except OSError as error:
                os._exit(error.errno or 255)
        ended(grandchild)
        os._exit(0)

    replace_in_child(execute)


@attempt("outbound_connectivity")
def child_connects() -> None:
    run([MARK, "--connect"], env={})


@attempt("read_write_tmp")
def child_of_a_child() -> None:
    """The shell is a child, `mark` a child of it."""
    run(["/bin/sh", "-c", f"exec env -i {MARK} --tmp"])


# ---- forked copies (26)


@attempt(CHILD)
def fork_creates_a_file() -> None:
    in_child(lambda: os.close(os.open("/tmp/new", os.O_CREAT | os.O_WRONLY, 0o600)))


@attempt(CHILD)
def fork_makes_a_directory() -> None:
    in_child(lambda: os.mkdir("/tmp/made"))


@attempt(CHILD)
def fork_removes_a_file() -> None:
    in_child(lambda: os.unlink("/tmp/there"))


@attempt(CHILD)
def fork_connects() -> None:
    in_child(connect_out)


@attempt(CHILD)
def fork_sends_a_datagram() -> None:
    in_child(send_out)


@attempt(CHILD)
def fork_of_a_fork() -> None:
    in_child(lambda: in_child(lambda: os.mkdir("/tmp/made")))


@attempt(CHILD)
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
    attempt(CHILD, settings=LOOKED_AT)(case)


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
