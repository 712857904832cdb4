"""Ways into the kernel that go around the gate, and ways to leave the shield."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

from common import MACHINE, attempt, effects
from tools import (
    AT_FDCWD,
    DENIED_ADDRESS,
    HELP,
    LIBC,
    bytes_of,
    checked,
    content,
    from_c,
    in_child,
    memory_file,
    number_of,
    raw,
)
from ways import each

TMP = "read_write_tmp"
NET = "outbound_connectivity"
SELF = "self_protection"
THERE = b"/tmp/there"


# ---- ways into the kernel (31)


def second_handle(name: str | None = "libc.so.6") -> ctypes.CDLL:
    return ctypes.CDLL(name, use_errno=True)


each(
    attempt(TMP),
    entry_ctypes_libc=lambda: content(checked(second_handle().open(THERE, os.O_RDONLY))),
    # Through the interpreter's own handle.
    entry_pythonapi=lambda: content(checked(second_handle(None).openat(AT_FDCWD, THERE, os.O_RDONLY))),
    entry_libc_syscall=lambda: content(raw("openat", AT_FDCWD, THERE, os.O_RDONLY, 0)),
    entry_open64_nocancel=lambda: content(checked(second_handle()["__open64_nocancel"](THERE, os.O_RDONLY))),
    entry_open_nocancel=lambda: content(checked(second_handle()["__open_nocancel"](THERE, os.O_RDONLY))),
    # A copy of libc in a link-map namespace of its own.
    entry_second_libc=lambda: content(from_c(ctypes.CDLL("/var/task/libnamespace.so").open_in_second_libc(THERE))),
)


effects(
    attempt(TMP),
    entry_vfork_child=lambda: from_c(HELP().vfork_create(b"/tmp/new")),
    entry_inline_create_directory=lambda: from_c(inline().create_directory(b"/tmp/made")),
)


SHAPES = ("open_with_constant", "open_with_pushed_number", "open_with_jump") if MACHINE == "x86_64" else ()
INLINE = ("open_with_variable", *SHAPES)


def inline(path: str = "/var/task/libinline.so") -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    for name in (*INLINE, "create_directory", "connect_to"):
        getattr(library, name).restype = ctypes.c_long
    return library


for _name in INLINE:
    each(
        attempt(TMP),
        **{f"entry_inline_{_name}": lambda name=_name: content(from_c(getattr(inline(), name)(THERE)))},
    )


def with_stream(function: Callable[[int], object]) -> None:
    with socket.socket() as s:
        function(s.fileno())


effects(
    attempt(NET),
    entry_ctypes_connect=lambda: with_stream(lambda s: checked(second_handle().connect(s, DENIED_ADDRESS, 16))),
    entry_inline_connect=lambda: with_stream(lambda s: from_c(inline().connect_to(s, DENIED_ADDRESS, 16))),
)


@attempt(TMP)
def entry_inline_from_memory_file() -> str:
    """executable_memory is allowed here: the library runs, but what it asks for is judged."""
    with memory_file(bytes_of("/var/task/libinline.so")) as file:
        library = inline(f"/dev/fd/{file}")  # what another case loads by /proc/self/fd, the loader would give again
    return content(from_c(library.open_with_variable(THERE)))


# ---- ways to leave the shield (35); integration/engine/test_syscalls.py tries each call that is one by its number


def leave(**facts: Any) -> Any:
    facts.setdefault("refusal", (1,))
    return attempt(SELF, **facts)


# The kernel's own answer to such arguments would be EINVAL: then the call got through. Strict: the kernel kills such a
# process at its next other call.
@leave(box="unfiltered")
def leave_seccomp_by_prctl() -> str:
    try:
        in_child(lambda: raw("prctl", 22, 99, 0, 0, 0))  # PR_SET_SECCOMP
    except OSError as error:
        if error.errno != 22:
            raise
    return "the kernel looked at it"


@leave(box="unfiltered", machine="x86_64", unless="syscall user dispatch is Linux 5.11's")
def leave_user_dispatch() -> str:
    raw("prctl", 59, 0, 0, 0, 0)  # PR_SET_SYSCALL_USER_DISPATCH, off
    return "set"


@leave()
def leave_limits_of_a_child() -> str:
    """Its own limits, and a look at a child's, pass."""
    number = resource.RLIMIT_NOFILE
    if not (child := os.fork()):
        signal.pause()
    try:
        resource.setrlimit(number, resource.prlimit(child, number))
        resource.prlimit(child, number, (0, 64))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return "set"


def disguised(high: int) -> str:
    return content(checked(LIBC.syscall(ctypes.c_long(high + number_of("openat")), AT_FDCWD, THERE, 0, 0)))


each(
    leave(machine="x86_64", unless="the x32 ABI is rarely built in"),
    leave_x32=lambda: disguised(0x40000000),
)
# The kernel takes the low half of the register for the number. aarch64's syscall(3) drops the other half itself:
# lab/arm64/test_engine.py does without it.
each(
    leave() if MACHINE == "x86_64" else attempt(TMP),
    leave_number_with_a_high_bit=lambda: disguised(1 << 32),
    leave_number_that_is_negative=lambda: disguised(-(1 << 32)),
    leave_number_with_all_high_bits=lambda: disguised(0x7FFFFFFF << 32),
)
