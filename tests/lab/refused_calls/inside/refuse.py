"""`refuse.py FILTER COMMAND...`: runs a command behind a filter that answers one system call, and lets all others pass.

FILTER is JSON: {"number": of the call, "argument": which one has to be `value` (null: any), "answer": of the filter}.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import sys
from typing import Any

PR_SET_NO_NEW_PRIVS, SECCOMP_SET_MODE_FILTER, ALLOW = 38, 1, 0x7FFF0000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
SECCOMP = 317 if platform.machine() == "x86_64" else 277


def instructions(wanted: dict[str, Any]) -> list[tuple[int, int, int, int]]:
    """struct seccomp_data: the number at 0, the arguments from 16 on (seccomp(2))."""
    if wanted["argument"] is None:
        test = [(LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 1, wanted["number"])]
    else:
        test = [(LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 3, wanted["number"])]
        test += [(LOAD, 0, 0, 16 + 8 * wanted["argument"]), (JUMP_IF_EQUAL, 0, 1, wanted["value"])]
    return [*test, (RETURN, 0, 0, wanted["answer"]), (RETURN, 0, 0, ALLOW)]


def main() -> None:
    wanted, command = json.loads(sys.argv[1]), sys.argv[2:]
    if wanted:
        code = b"".join(struct.pack("=HBBI", *each) for each in instructions(wanted))
        kept = ctypes.create_string_buffer(code)
        program = struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))  # struct sock_fprog
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if libc.syscall(SECCOMP, SECCOMP_SET_MODE_FILTER, 0, program):
            raise OSError(ctypes.get_errno(), "seccomp")
    os.execv(command[0], command)


main()
