"""Makes odd calls on sockets, memory, descriptors and programs, and prints as JSON what each came to.

A call's result counts as 0 unless it is a number of bytes: descriptors and addresses differ from run to run.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
LOOPBACK = bytes((127, 0, 0, 1))
BAD, NOWHERE, DONTWAIT = 8, 777, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
PAGE = 4096
Call = tuple[str, str, tuple[Any, ...]]


def address(port: int, family: int = socket.AF_INET) -> bytes:
    return struct.pack("=HH4s8x", family, socket.htons(port), LOOPBACK)


def vector(*parts: tuple[Any, int]) -> Any:
    """`struct iovec[]`."""
    words = [word for base, length in parts for word in (base, length)]
    return (ctypes.c_size_t * len(words))(*words)


def message(parts: Any, count: int) -> Any:
    """`struct msghdr`."""
    return ctypes.create_string_buffer(struct.pack("16xPN16xi4x", ctypes.addressof(parts), count, 0))


def calls_on_sockets() -> Iterator[Call]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    here, closed = address(port), address(9)
    tcp, udp, fresh = (socket.socket(type=kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM))
    receiver = socket.socket(type=socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    there = address(receiver.getsockname()[1])
    file = os.open("/proc/self/status", os.O_RDONLY)
    for length in (0, 1, 2, 4, 15, 16, 28, 128, 129, 300, -1):
        yield f"connect, length {length}", "connect", (fresh.fileno(), closed, length)
    for name, number in (("a file", file), ("no descriptor", NOWHERE), ("-1", -1)):
        yield f"connect {name}", "connect", (number, closed, 16)
    for family in (0, 77, socket.AF_UNIX, socket.AF_INET6):
        yield f"connect, family {family}", "connect", (fresh.fileno(), address(9, family), 16)
    yield "connect, no address", "connect", (fresh.fileno(), None, 16)
    yield "connect, bad address", "connect", (fresh.fileno(), BAD, 16)
    yield "connect", "connect", (tcp.fileno(), here, 16)
    yield "connect again", "connect", (tcp.fileno(), here, 16)
    yield "listen on a connection", "listen", (tcp.fileno(), 5)
    text = ctypes.create_string_buffer(b"hello")
    base = ctypes.addressof(text)
    for kind, number in (("tcp", tcp), ("udp", udp), ("fresh", fresh)):
        on = number.fileno()
        for length in (0, 1, 5):
            yield f"send {length}, {kind}", "send", (on, text, length, DONTWAIT)
        yield f"send from nowhere, {kind}", "send", (on, BAD, 4, DONTWAIT)
        yield f"send out of band, {kind}", "send", (on, text, 1, DONTWAIT | socket.MSG_OOB)
        for length in (0, 2, 16, 99, 300):
            yield f"sendto, length {length}, {kind}", "sendto", (on, text, 1, DONTWAIT, there, length)
        yield f"sendto, none, {kind}", "sendto", (on, text, 1, DONTWAIT, None, 99)
        for count in (0, 1, 2, -1, 2000):
            yield f"writev {count}, {kind}", "writev", (on, vector((base, 2), (base, 3)), count)
        yield f"sendmsg, {kind}", "sendmsg", (on, message(vector((base, 2)), 1), DONTWAIT)
        yield f"sendmsg, no message, {kind}", "sendmsg", (on, None, DONTWAIT)
        yield f"sendmsg, 5000 parts, {kind}", "sendmsg", (on, message(vector((base, 2)), 5000), DONTWAIT)
        yield f"sendmmsg 0, {kind}", "sendmmsg", (on, None, 0, DONTWAIT)
        yield f"pwrite, {kind}", "pwrite", (on, text, 1, 0)
        yield f"sendfile, {kind}", "sendfile", (on, NOWHERE, None, 10)
    yield "connect udp", "connect", (udp.fileno(), there, 16)
    yield "send udp", "send", (udp.fileno(), text, 1, DONTWAIT)
    yield "disconnect udp", "connect", (udp.fileno(), address(0, 0), 16)
    yield "shut down", "shutdown", (tcp.fileno(), 1)
    yield "send after it", "send", (tcp.fileno(), text, 1, DONTWAIT)
    for family, kind, protocol in ((2, 1, 17), (2, 0x1001, 0), (2, 99, 0), (999, 1, 0), (16, 3, 0), (2, 2, 6)):
        yield f"socket {family} {kind} {protocol}", "socket", (family, kind, protocol)
    yield "a pair of AF_INET", "socketpair", (2, 1, 0, ctypes.create_string_buffer(8))


def calls_on_memory() -> Iterator[Call]:
    page = libc.mmap(None, 2 * PAGE, 3, 0x22, -1, 0)
    for length, flags in ((0, 0x22), (PAGE, 0), (PAGE, 0x3), (PAGE, 0x2)):
        yield f"mmap {length} {flags:#x}", "mmap", (None, length, 1, flags, -1, 0)
    for protection in (0x100, 1, 0x01000001):
        yield f"mprotect {protection:#x}", "mprotect", (page, PAGE, protection)
    yield "mprotect, unaligned", "mprotect", (page + 1, PAGE, 1)
    yield "mprotect, unmapped", "mprotect", (PAGE * 16, PAGE, 1)
    yield "munmap 0", "munmap", (page, 0)
    yield "mremap, flags", "mremap", (page, PAGE, PAGE, 0x80)
    yield "madvise 999", "madvise", (page, PAGE, 999)
    for flags in (0, 1, 0xFFFF):
        yield f"memfd {flags:#x}", "memfd_create", (b"name", flags)
    yield "memfd, bad name", "memfd_create", (BAD, 0)


def calls_on_descriptors() -> Iterator[Call]:
    for one, other in ((-1, 5), (0, 0), (0, 1 << 30), (NOWHERE, 5), (0, -1)):
        yield f"dup2 {one} {other}", "dup2", (one, other)
        yield f"dup3 {one} {other}", "dup3", (one, other, 0)
    yield "dup3, flags", "dup3", (0, 60, 1)
    for command, argument in ((0, -1), (0, 1 << 30), (1030, 60), (2, 2), (4, 0o40000), (999, 0)):
        yield f"fcntl {command} {argument}", "fcntl", (0, command, argument)
    for number in (-1, NOWHERE):
        yield f"close {number}", "close", (number,)
    for first, last, flags in ((10, 5, 0), (700, 800, 0x80), (700, 800, 0), (700, 800, 4)):
        yield f"close_range {first} {last} {flags}", "syscall", (436, first, last, flags)


def calls_on_programs() -> Iterator[Call]:
    arguments = (ctypes.c_char_p * 2)(b"x", None)
    for path in (b"/nonexistent", b"/tmp", b"/proc/self/status", b"", b"/bin/true/x", b"n" * 300):
        yield f"execve {path[:20].decode()}", "execve", (path, arguments, None)
    yield "execve, bad path", "execve", (BAD, arguments, None)
    yield "execve, bad arguments", "execve", (b"/bin/true", BAD, None)
    yield "execve, bad environment", "execve", (b"/bin/true", arguments, BAD)
    yield "execveat, flags", "execveat", (-100, b"/bin/true", arguments, None, 0x8888)
    yield "execveat, empty", "execveat", (-100, b"", arguments, None, 0x1000)
    yield "waitpid", "waitpid", (-1, None, 1)


def main() -> None:
    libc.mmap.restype = ctypes.c_ssize_t
    results: dict[str, list[int]] = {}
    for calls in (calls_on_sockets, calls_on_memory, calls_on_descriptors, calls_on_programs):
        for name, function, arguments in calls():
            words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
            result = getattr(libc, function)(*words)
            is_error = ctypes.c_int(result).value == -1
            counts = function.startswith(("send", "write", "pwrite"))
            assert name not in results
            results[name] = [-1, ctypes.get_errno()] if is_error else [result if counts else 0, 0]
    print(json.dumps(results))


main()
