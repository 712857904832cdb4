"""create_child_process: which programs a list allows, and that those are shielded, whatever they are told."""

from __future__ import annotations

import ctypes
import os

from child import CHILD, replaced
from common import attempt, effects, unchanged
from tools import LIBC, LOADER, MARK, forked, raw, run, using
from ways import each

LISTED = {"SHIELD_ALLOW_CHILD_PROCESS": MARK, "SHIELD_CREATE_CHILD_PROCESS": "{mode}"}
ARGUMENTS = (ctypes.c_char_p * 3)(b"mark", b"--tmp", None)

effects(
    unchanged(CHILD, settings=LISTED),
    child_that_is_listed=lambda: run([MARK]),
    child_that_is_listed_through_a_link=lambda: run(["/var/task/to_mark"]),
)
each(attempt(CHILD, settings=LISTED), child_that_is_not_listed=lambda: run(["/bin/echo", "ran"]))
effects(
    attempt(CHILD, settings=LISTED),
    child_same_program_elsewhere=lambda: run(["/var/task/mark_copy"]),
    child_listed_program_through_the_loader=lambda: run([LOADER, MARK]),
)


def open_in_child(**environment: str) -> None:
    run([MARK, "--tmp"], env=environment)


def execute_without_environment() -> None:
    for name in list(os.environ):
        os.unsetenv(name)
    LIBC.clearenv()
    os.execv(MARK, ["mark", "--tmp"])


def close_all() -> None:
    os.closerange(3, 4096)
    raw("close_range", 3, 0x7FFFFFFF, 0)


def start_daemon() -> None:
    """Forked twice, in a session of its own, without descriptors."""

    def execute() -> None:
        os.closerange(0, 3)
        os.execve(MARK, ["mark", "--tmp"], {})

    os.setsid()
    forked(execute)


# The child opens /tmp/there: it is the child that is refused, and says so by its exit status.
effects(
    attempt("read_write_tmp", settings=LISTED),
    child_allowed_as_it_is=lambda: run([MARK, "--tmp"]),
    child_allowed_unset_environment=lambda: forked(execute_without_environment),
    child_allowed_tunables=lambda: open_in_child(
        GLIBC_TUNABLES="glibc.rtld.optional_static_tls=0:glibc.malloc.check=3"
    ),
    child_allowed_policy_file=lambda: open_in_child(
        SHIELD_POLICY_FILE="/var/task/open_policy", SHIELD_ON_FAILURE="run_unshielded"
    ),
    child_allowed_null_environment=lambda: replaced("execve", MARK.encode(), ARGUMENTS, None),
    child_allowed_by_execveat=lambda: using(
        MARK, lambda program: replaced("execveat", program, b"", ARGUMENTS, None, 0x1000), os.O_RDONLY
    ),
    child_allowed_closing_descriptors=lambda: run([MARK, "--tmp"], preexec_fn=close_all, start_new_session=True),
    child_allowed_twice_removed=lambda: forked(start_daemon),
)
effects(attempt("outbound_connectivity"), child_connects=lambda: run([MARK, "--connect"], env={}))
effects(
    attempt("read_write_tmp"),
    # The shell is a child, `mark` a child of it.
    child_of_a_child=lambda: run(["/bin/sh", "-c", f"exec env -i {MARK} --tmp"]),
)
