"""The filter's program, run by a small BPF machine: what the kernel cannot show here, the other architecture too."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from shielded_function_emulator import seccomp

KILL, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386 = 0x40000003
READ = {"x86_64": 0, "aarch64": 63}
SOCKET = {"x86_64": 41, "aarch64": 198}
CLONE = {"x86_64": 56, "aarch64": 220}
LAST_CALL_OF_5_10 = 440


def run(architecture: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """The action that the filter returns for one call."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, audit if audit is not None else AUDIT[architecture], 0, *padded)
    accumulator, at = 0, 0
    code = seccomp.program(architecture)
    tests = {
        0x15: lambda value: accumulator == value,
        0x35: lambda value: accumulator >= value,
        0x45: lambda value: bool(accumulator & value),
    }
    while True:
        instruction = code[at]
        at += 1
        if instruction.code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, instruction.k)
        elif instruction.code == 0x54:
            accumulator &= instruction.k
        elif instruction.code == 0x06:
            return instruction.k
        else:
            at += instruction.jt if tests[instruction.code](instruction.k) else instruction.jf


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_what_the_filter_answers(architecture: str) -> None:
    """A foreign architecture is killed; the table is refused, and so are user namespaces; newer calls do not exist."""
    assert run(architecture, READ[architecture], audit=I386) == KILL
    assert run(architecture, READ[architecture]) == ALLOW
    assert run(architecture, LAST_CALL_OF_5_10) == ALLOW
    assert run(architecture, LAST_CALL_OF_5_10 + 1) == ERRNO | errno.ENOSYS
    for call in seccomp.REFUSED:
        assert run(architecture, getattr(call, architecture)) == ERRNO | errno.EPERM, call.name
    new_user, new_thread = 0x10000000, 0x003D0F00
    assert run(architecture, CLONE[architecture], new_user) == ERRNO | errno.EPERM
    assert run(architecture, CLONE[architecture], new_thread) == ALLOW
    for family, kind, action in (
        (socket.AF_INET, socket.SOCK_RAW, ERRNO | errno.EPERM),
        (socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_CLOEXEC, ERRNO | errno.EPERM),
        (socket.AF_PACKET, socket.SOCK_DGRAM, ERRNO | errno.EPERM),
        (socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, ALLOW),
        (socket.AF_NETLINK, socket.SOCK_RAW, ALLOW),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET, ALLOW),
    ):
        for stray_high_bits in (0, 1 << 32):
            assert run(architecture, SOCKET[architecture], family | stray_high_bits, kind) == action, (family, kind)
