"""The policy, changed from inside, and what the engine shows of itself."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os

from common import attempt, unchanged
from tools import LIBC, MARK, bytes_of, in_child, libc, memory_file, read, run
from ways import each

TMP = "read_write_tmp"
SELF = "self_protection"


@attempt(TMP)
def policy_changed_by_setenv() -> str:
    LIBC.setenv(b"SHIELD_READ_WRITE_TMP", b"allow", 1)
    return read("/tmp/there")


@attempt(TMP, alone=True)
def policy_changed_where_the_kernel_keeps_it() -> str:
    write_over_policy(b"allow")
    return read("/tmp/there")


@attempt(TMP, alone=True)
def policy_of_a_child_after_it_was_written_over() -> None:
    write_over_policy(b"allow")
    run([MARK, "--tmp"])


SECOND_ENDS = dict.fromkeys(("alert", "allow"), "the second engine ends its process, whose calls go through the first")


@attempt(TMP, alone=True, alerts=(1, 5000), says=(TMP, SELF, "executable_memory"), not_in=SECOND_ENDS)
def policy_of_a_second_engine() -> str:
    """A copy of the library, loaded with a policy that allows: the first one stays."""

    def load() -> None:
        write_over_policy(b"allow")
        with memory_file(bytes_of("/opt/shielded-function/libshield.so")) as copy:
            ctypes.CDLL(f"/proc/self/fd/{copy}")

    with contextlib.suppress(OSError, ValueError):  # it may end its process, being none of the first one's
        in_child(load)
    with contextlib.suppress(OSError, ValueError):
        in_child(lambda: [load(), os.mkdir("/tmp/made")][0])
    return read("/tmp/there")


def write_over_policy(mode: bytes) -> None:
    """/proc/self/environ shows the process's own memory, which it may write."""
    with open("/proc/self/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    low, high = int(fields[47]), int(fields[48])  # env_start, env_end
    block = ctypes.string_at(low, high - low)
    for old in (b"=block", b"=alert"):
        block = block.replace(old, b"=" + mode)
    ctypes.memmove(low, block, len(block))


@unchanged(TMP)
def engine_exports_nothing() -> bool:
    """No symbol but the way in for code (configure.c) can be looked up: nothing else is called by name."""
    names = ("sealed", "gate_table", "gate_judge", "become_ready", "policy_set")
    return any(hasattr(LIBC, name) for name in names)


@unchanged(TMP)
def engine_libc_still_works() -> list[object]:
    libc("access", b"/tmp/there", 0)
    return [os.stat("/tmp/there").st_size, os.readlink("/tmp/link"), os.path.exists("/tmp/missing")]


each(unchanged(TMP), engine_lazy_imports=lambda: importlib.import_module("wsgiref.util").__name__)
