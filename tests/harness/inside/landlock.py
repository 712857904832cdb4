"""Runs inside the sandbox: takes rights to files from this process and from those that it starts (landlock(7))."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

READ_FILE, READ_DIR = 1 << 2, 1 << 3
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_BENEATH, _NO_NEW_PRIVILEGES = 1, 38
_LIBC = ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    result = _LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result


def keep(right: int, folders: Iterable[str] = ()) -> None:
    """The right holds beneath these folders only. OSError, ENOSYS: this kernel has no Landlock."""
    handled = ctypes.c_uint64(right)
    rules = _call(_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(ctypes.sizeof(handled)), 0)
    for folder in folders:
        beneath = right.to_bytes(8, "little") + os.open(folder, os.O_PATH).to_bytes(4, "little")
        _call(_ADD_RULE, rules, _BENEATH, beneath, 0)
    _LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _call(_RESTRICT_SELF, rules, 0)
