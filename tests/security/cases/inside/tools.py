"""The small tools that cases make calls with."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from common import MACHINE, Function
from ways import LIBC, checked, copy_does, copy_returns, raise_from

LIBC.syscall.restype = ctypes.c_long
LIBC.mmap.restype = ctypes.c_void_p
AT_FDCWD = -100
LOADER = "/lib64/ld-linux-x86-64.so.2" if MACHINE == "x86_64" else "/lib/ld-linux-aarch64.so.1"
MARK = "/var/task/mark"
DENIED = ("203.0.113.9", 80)
DENIED_ADDRESS = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(80), socket.inet_aton(DENIED[0]))

# Numbers: x86_64, aarch64 (None: it has no such call). <asm/unistd.h>
_NUMBERS: dict[str, tuple[int, int | None]] = {
    "clone": (56, 220), "close_range": (436, 436), "connect": (42, 203), "creat": (85, None), "execve": (59, 221),
    "execveat": (322, 281), "fchmodat": (268, 53), "fchmodat2": (452, 452), "fchownat": (260, 54),
    "file_setattr": (469, 469), "futimesat": (261, None), "linkat": (265, 37), "mkdirat": (258, 34),
    "mremap": (25, 216), "mseal": (462, 462), "open": (2, None), "openat": (257, 56), "openat2": (437, 437),
    "personality": (135, 92), "pkey_mprotect": (329, 288), "prctl": (157, 167), "removexattrat": (466, 466),
    "renameat": (264, 38), "renameat2": (316, 276), "setxattrat": (463, 463), "shmat": (30, 196), "shmget": (29, 194),
    "unlinkat": (263, 35), "utime": (132, None), "utimes": (235, None),
}  # fmt: skip


@functools.cache
def helpers(name: str) -> ctypes.CDLL:
    """A library of ours. Where cases are only listed, it is not there: it is loaded when it is first used."""
    return ctypes.CDLL(f"/var/task/lib{name}.so", use_errno=True)


HELP = functools.partial(helpers, "help")


def number_of(name: str) -> int:
    number = _NUMBERS[name][0 if MACHINE == "x86_64" else 1]
    assert number is not None, name
    return number


def raw(name: str, *arguments: object) -> int:
    """syscall(2). Integers are passed whole: ctypes would cut them to 32 bits."""
    whole = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(LIBC.syscall(ctypes.c_long(number_of(name)), *whole))


def from_c(result: int) -> int:
    """Helpers in C give -errno."""
    raise_from(-min(result, 0))
    return result


def libc(name: str, *arguments: object) -> int:
    return checked(getattr(LIBC, name)(*arguments))


def content(descriptor: int) -> str:
    """What can be read from a descriptor, which is then closed."""
    try:
        return os.read(descriptor, 4096).decode()
    finally:
        os.close(descriptor)


def reference(descriptor: int) -> int:
    """What an O_PATH descriptor tells: the object's size."""
    size = os.fstat(descriptor).st_size
    os.close(descriptor)
    return size


def read(path: str, flags: int = os.O_RDONLY, **options: int) -> str:
    return content(os.open(path, flags, **options))


@contextlib.contextmanager
def opened(path: str, flags: int = os.O_RDONLY) -> Iterator[int]:
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def using(path: str, function: Callable[[int], Any], flags: int = os.O_PATH) -> Any:
    """What the function returns of a descriptor, which is then closed."""
    with opened(path, flags) as descriptor:
        return function(descriptor)


@contextlib.contextmanager
def memory_file(data: bytes) -> Iterator[int]:
    descriptor = os.memfd_create("file", 0)
    try:
        os.write(descriptor, data)
        yield descriptor
    finally:
        os.close(descriptor)


def bytes_of(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def pointer(name: str, *arguments: object) -> ctypes.c_void_p:
    """What a function of libc gives that gives NULL when it fails."""
    function = getattr(LIBC, name)
    function.restype = ctypes.c_void_p
    if not (result := function(*arguments)):
        checked(-1)
    return ctypes.c_void_p(result)


def refusing(function: Function, *errors: type[Exception]) -> Any:
    """What the function returns. These errors, which have no number, are its way to say that it was refused."""
    try:
        return function()
    except errors as error:
        raise PermissionError(13, str(error)) from None


def refused_if(condition: bool, text: str = "refused") -> None:
    """For ways that fail softly."""
    if condition:
        raise PermissionError(13, text)


def inside(path: str, function: Function) -> Any:
    """What the function returns, with that working directory."""
    with working_directory(path):
        return function()


@contextlib.contextmanager
def working_directory(path: str) -> Iterator[None]:
    before = os.open(".", os.O_PATH)
    try:
        os.chdir(path)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def in_child(function: Function) -> Any:
    """In a forked copy of this process, which then ends: what it returns, or the OSError that it raises. ValueError: it
    ended in another way."""

    def answer() -> list[Any]:
        try:
            return [function(), 0]
        except OSError as error:
            return [None, error.errno or 255]

    value, errno = copy_returns(answer)
    raise_from(errno)
    return value


def run(argv: Sequence[str | bytes], **options: Any) -> str:
    """A program's output; OSError with its exit status when that is not 0."""
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, **options)
    if done.returncode:
        raise OSError(done.returncode, str(done.stderr))
    return done.stdout.decode()


def forked(function: Function) -> None:
    """In a child whose exit status is the errno, if there is one: it may become another program."""
    copy_does(function)()


def connect(address: tuple[object, ...], family: int = socket.AF_INET) -> None:
    with socket.socket(family) as s:
        s.settimeout(5)
        s.connect(address)


def send(data: bytes, address: tuple[object, ...] = (DENIED[0], 9999), family: int = socket.AF_INET) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.sendto(data, address)
