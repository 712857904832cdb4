"""create_child_process: which programs a list allows, and that those are shielded, whatever they are told."""

from __future__ import annotations

import ctypes
import os

from child import CHILD
from common import (
    LIBC,
    LOADER,
    MARK,
    Function,
    attempt,
    effects,
    ended,
    opened,
    raw,
    replace_in_child,
    run,
    unchanged,
)

LISTED = {"SHIELD_ALLOW_CHILD_PROCESS": MARK, "SHIELD_CREATE_CHILD_PROCESS": "{mode}"}


def allowed_child(function: Function) -> Function:
    """The child opens /tmp/there: it is the child that is refused, and says so by its exit status."""
    return attempt("read_write_tmp", settings=LISTED)(function)


effects(
    unchanged(CHILD, settings=LISTED),
    child_that_is_listed=lambda: run([MARK]),
    child_that_is_listed_through_a_link=lambda: run(["/var/task/to_mark"]),
)


@attempt(CHILD, settings=LISTED)
def child_that_is_not_listed() -> str:
    return run(["/bin/echo", "ran"])


effects(
    attempt(CHILD, settings=LISTED),
    child_same_program_elsewhere=lambda: run(["/var/task/mark_copy"]),
    child_listed_program_through_the_loader=lambda: run([LOADER, MARK]),
)


effects(
    allowed_child,
    child_allowed_as_it_is=lambda: run([MARK, "--tmp"]),
    child_allowed_empty_environment=lambda: run([MARK, "--tmp"], env={}),
    child_allowed_empty_preload=lambda: run([MARK, "--tmp"], env={"LD_PRELOAD": ""}),
    child_allowed_other_preload=lambda: run([MARK, "--tmp"], env={"LD_PRELOAD": "/var/task/liblibrary.so"}),
)


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
