"""The seccomp filter of the emulated sandbox, which refuses the same system calls as Lambda's own.

One table has the answer to each system call, for both architectures; a few lines turn it into a BPF
program (seccomp(2), <linux/filter.h>). It is installed with CAP_SYS_ADMIN and *without* no_new_privs, as on
the platform: `PR_SET_NO_NEW_PRIVS` must fail inside and the bit must read 0.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Sequence
from typing import NamedTuple

from shielded_function_emulator.kernel import CLONE_NEWUSER, machine

# <linux/seccomp.h>
_SET_MODE_FILTER = 1
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_ALLOW = 0x7FFF0000

# offsets in struct seccomp_data; arguments are 64 bits wide, little endian on both architectures
_NR, _ARCH, _ARGS = 0, 4, 16

# BPF: load a word, jump if equal / greater or equal / any bit set, and, return
_LD_W_ABS, _JEQ, _JGE, _JSET, _AND, _RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}


class Refused(NamedTuple):
    """One system call that the sandbox answers itself."""

    name: str
    x86_64: int
    aarch64: int


# Refused whatever the arguments are.
REFUSED: tuple[Refused, ...] = (
    Refused("prctl", 157, 167),
    Refused("ptrace", 101, 117),
    Refused("seccomp", 317, 277),
    Refused("fallocate", 285, 47),
    Refused("process_vm_readv", 310, 270),
    Refused("process_vm_writev", 311, 271),
    Refused("pidfd_getfd", 438, 438),
    # User namespaces cannot be used in Lambda. clone3 stays: its flags are out of a filter's sight, and glibc starts
    # threads with it, so a shield has to cope with it.
    Refused("unshare", 272, 97),
)

# Lambda's kernel is a 5.10: process_madvise (440) is the last call that it knows, on every architecture.
FIRST_UNKNOWN_CALL = 441

_CLONE = {"x86_64": 56, "aarch64": 220}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_SOCKET_TYPE_MASK = 0xF
_SOCK_RAW = 3  # these of linux/net.h and linux/socket.h: the module socket takes a tenth of the time to enter a sandbox
_AF_INET, _AF_INET6, _AF_PACKET = 2, 10, 17


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


class Instruction(NamedTuple):
    """One BPF instruction: `jt` and `jf` count the instructions to skip."""

    code: int
    k: int
    jt: int = 0
    jf: int = 0


def _load(offset: int) -> Instruction:
    return Instruction(_LD_W_ABS, offset)


def _argument(index: int) -> Instruction:
    """The low half of an argument: the kernel takes flags, families and types as 32-bit ints."""
    return _load(_ARGS + 8 * index)


def _return(action: int) -> Instruction:
    return Instruction(_RET, action)


def _refuse(error: int) -> Instruction:
    return _return(_ERRNO | error)


def _when(test: int, value: int, then: Sequence[Instruction]) -> list[Instruction]:
    """Runs `then` where the loaded word passes `test` against `value`, skips it otherwise."""
    return [Instruction(test, value, jf=len(then)), *then]


def program(architecture: str) -> list[Instruction]:
    """The filter for `x86_64` or `aarch64`."""
    code: list[Instruction] = [
        _load(_ARCH),
        Instruction(_JEQ, _AUDIT_ARCH[architecture], jt=1),
        _return(_KILL_PROCESS),
        _load(_NR),
    ]
    for call in REFUSED:
        code += _when(_JEQ, getattr(call, architecture), [_refuse(errno.EPERM)])
    new_user_namespace = [_argument(0), *_when(_JSET, CLONE_NEWUSER, [_refuse(errno.EPERM)]), _return(_ALLOW)]
    code += _when(_JEQ, _CLONE[architecture], new_user_namespace)
    code += _when(_JEQ, _SOCKET[architecture], _socket_rules())
    code += _when(_JGE, FIRST_UNKNOWN_CALL, [_refuse(errno.ENOSYS)])
    code.append(_return(_ALLOW))
    return code


def _socket_rules() -> list[Instruction]:
    """Raw and packet sockets are refused; netlink, which glibc opens with SOCK_RAW, is not raw in that sense."""
    is_raw = [
        _argument(1),
        Instruction(_AND, _SOCKET_TYPE_MASK),
        *_when(_JEQ, _SOCK_RAW, [_refuse(errno.EPERM)]),
        _return(_ALLOW),
    ]
    return [
        _argument(0),
        *_when(_JEQ, _AF_PACKET, [_refuse(errno.EPERM)]),
        *_when(_JEQ, _AF_INET, is_raw),
        *_when(_JEQ, _AF_INET6, is_raw),
        _return(_ALLOW),
    ]


def install() -> None:
    """Installs the filter for this process and its children, for good.

    Raises OSError (EACCES) without CAP_SYS_ADMIN in the current user namespace.
    """
    code = program(machine())
    instructions = (_Instruction * len(code))(*[_Instruction(i.code, i.jt, i.jf, i.k) for i in code])
    filter_program = _Program(len(code), ctypes.cast(instructions, ctypes.POINTER(_Instruction)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    number = ctypes.c_long(_SECCOMP[machine()])
    if libc.syscall(number, ctypes.c_long(_SET_MODE_FILTER), ctypes.c_long(0), ctypes.byref(filter_program)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"seccomp: {os.strerror(error)}")
