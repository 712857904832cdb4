"""The calls that a filter may refuse: all that the engine makes, but for those that no program starts without."""

from __future__ import annotations

import errno
import platform
from collections.abc import Mapping
from typing import NamedTuple

from harness.inside.filtering import ARGUMENTS, EQUAL, KILL_PROCESS, errno_answer

_MACHINE = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
# <asm/unistd.h>
_NUMBERS: Mapping[str, tuple[int, int]] = {
    "bind": (49, 200), "clock_gettime": (228, 113), "connect": (42, 203), "execve": (59, 221), "execveat": (322, 281),
    "faccessat": (269, 48), "fchmod": (91, 52), "fcntl": (72, 25), "fgetxattr": (193, 10),
    "fstat": (5, 80), "fchmodat": (268, 53), "mkdirat": (258, 34),
    "fstatfs": (138, 44), "getcpu": (309, 168), "getdents64": (217, 61), "geteuid": (107, 175),
    "getpeername": (52, 205), "getpid": (39, 172), "getresgid": (120, 150), "getresuid": (118, 148),
    "getsockname": (51, 204), "getsockopt": (55, 209), "gettid": (186, 178), "ioctl": (16, 29), "kill": (62, 129),
    "llistxattr": (195, 12), "lseek": (8, 62), "madvise": (28, 233), "membarrier": (324, 283), "mincore": (27, 232),
    "mremap": (25, 216), "nanosleep": (35, 101), "openat2": (437, 437), "ppoll": (271, 73), "prlimit64": (302, 261),
    "readlinkat": (267, 78), "recvfrom": (45, 207), "recvmsg": (47, 212), "renameat2": (316, 276),
    "rt_sigprocmask": (14, 135), "sendmmsg": (307, 269),
    "sendmsg": (46, 211), "sendto": (44, 206), "setsockopt": (54, 208), "shutdown": (48, 210), "socket": (41, 198),
    "statfs": (137, 43), "statx": (332, 291), "uname": (63, 160), "unlinkat": (263, 35), "wait4": (61, 260),
}  # fmt: skip
ANSWERS: Mapping[str, int] = {
    "EPERM": errno_answer(errno.EPERM),
    "ENOSYS": errno_answer(errno.ENOSYS),
    "kill": KILL_PROCESS,
}


class Call(NamedTuple):
    """A system call, or one of its options: then `argument` is the number of the argument that has to be `value`."""

    name: str
    argument: int | None = None
    value: int = 0

    @property
    def number(self) -> int:
        """Of this machine."""
        return _NUMBERS[self.name.partition("(")[0]][_MACHINE == "aarch64"]

    def filter(self, answer: str) -> list[object]:
        """A rule, as harness/inside/filtering.py takes it."""
        tests = [] if self.argument is None else [(ARGUMENTS[self.argument], EQUAL, self.value)]
        return [self.number, ANSWERS[answer], *tests]


_OPTIONS = (
    # fcntl(2), getsockopt(2), setsockopt(2), ioctl(2), madvise(2)
    *(Call(f"fcntl({name})", 1, value) for name, value in {
        "F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETSIG": 10, "F_SETOWN": 8, "F_SETLEASE": 1024,
        "F_DUPFD_CLOEXEC": 1030, "F_GET_SEALS": 1034,
    }.items()),
    *(Call(f"getsockopt({name})", 2, value) for name, value in {
        "SO_TYPE": 3, "SO_PROTOCOL": 38, "SO_DOMAIN": 39, "SO_LOCK_FILTER": 44, "SO_COOKIE": 57,
        "SO_ZEROCOPY": 60, "TCP_INFO": 11,
    }.items()),
    Call("setsockopt(SO_LOCK_FILTER)", 2, 44),
    Call("ioctl(FIONREAD)", 1, 0x541B),
    Call("madvise(MADV_WIPEONFORK)", 2, 18),
)  # fmt: skip
CALLS = (*(Call(name) for name in _NUMBERS), *_OPTIONS)
