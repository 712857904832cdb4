"""A seccomp filter for this process and all that it starts: `filtering.py RULES COMMAND...` runs a command behind one.

A rule is the number of a system call, the filter's answer to it, and tests that must hold as well: where in the call
(struct seccomp_data, seccomp(2)), how, and the value. RULES is JSON; all other calls pass.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import sys
from collections.abc import Iterable, Sequence
from typing import Any

KILL_PROCESS, USER_NOTIFICATION, ALLOW = 0x80000000, 0x7FC00000, 0x7FFF0000
NEW_LISTENER = 8
EQUAL, ANY_BIT = 0x15, 0x45
ARGUMENTS = [16 + 8 * index for index in range(6)]
_LOAD, _RETURN = 0x20, 0x06
_SET_MODE_FILTER, _PR_SET_NO_NEW_PRIVS = 1, 38
_SECCOMP = 317 if platform.machine() == "x86_64" else 277


def errno_answer(error: int) -> int:
    """The answer that gives this errno; 0: the call says that it was done, and does nothing."""
    return 0x00050000 | error


def install(rules: Iterable[Sequence[Any]], flags: int = 0, *, no_new_privs: bool = True) -> int:
    """Installs it for good. Returns what seccomp(2) returned: with NEW_LISTENER a descriptor. Without `no_new_privs`
    only root can."""
    code: list[tuple[int, int, int, int]] = []
    for number, answer, *more in rules:
        tests = [(0, EQUAL, number), *more]
        for left, (offset, test, value) in zip(range(2 * len(tests) - 1, 0, -2), tests, strict=True):
            code += [(_LOAD, 0, 0, offset), (test, 0, left, value)]
        code.append((_RETURN, 0, 0, answer))
    code.append((_RETURN, 0, 0, ALLOW))
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(instructions)))
    libc = ctypes.CDLL(None, use_errno=True)
    if no_new_privs:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    result = libc.syscall(_SECCOMP, _SET_MODE_FILTER, flags, program)
    if result < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return result


if __name__ == "__main__":
    if rules := json.loads(sys.argv[1]):
        install(rules)
    os.execv(sys.argv[2], sys.argv[2:])
