"""Sends what clients of the Runtime API send, each shape from a process of its own: does the handler's file close?

`python3 shapes.py`: prints, as JSON, what each shape of both tables came to: "open", "closed", or how its process
ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

HANDLER = "/var/task/app.py"
NEXT, RESTORE = b"GET /2018-06-01/runtime/invocation/next", b"GET /2018-06-01/runtime/restore/next"
HEADERS = b" HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nUser-Agent: AWS_Lambda_Cpp/0.2.6\r\nAccept: */*\r\n\r\n"
REQUEST = NEXT + HEADERS
REGISTER = b"POST /2020-01-01/extension/register HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n" + b'{"events": [] }'


def serve(family: int, address: str) -> tuple[str, int]:
    """A listener that hears everything and says nothing."""
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen(64)

    def hear(client: socket.socket) -> None:
        while client.recv(65536):
            pass

    def accept() -> None:
        while True:
            threading.Thread(target=hear, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    host, port = listener.getsockname()[:2]
    return host, port


V4, V6 = serve(socket.AF_INET, "127.0.0.1"), serve(socket.AF_INET6, "::1")


def connected(address: tuple[str, int] = V4) -> socket.socket:
    return socket.create_connection(address)


def each(*pieces: bytes) -> Callable[[], None]:
    """Every piece with a call of its own."""

    def run() -> None:
        with connected() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                client.sendall(piece)

    return run


def by_number(write: Callable[[int, Any], object], what: object) -> Callable[[], None]:
    """With a call that takes any descriptor."""

    def run() -> None:
        with connected() as client:
            write(client.fileno(), what)

    return run


def without(limit: int) -> Callable[[], None]:
    """While a limit leaves nothing."""

    def run() -> None:
        client, before = connected(), resource.getrlimit(limit)
        resource.setrlimit(limit, (0, before[1]))
        client.send(REQUEST)
        resource.setrlimit(limit, before)

    return run


def without_files() -> None:
    """Nor does a signal end the program that Python ignores and others do not."""
    # qemu-user, which plays aarch64, delivers it before it can be taken back.
    if os.uname().machine == "x86_64":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    without(resource.RLIMIT_FSIZE)()


def by_sendmmsg() -> None:
    """Whose struct mmsghdr has eight words."""
    data = ctypes.create_string_buffer(REQUEST)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(data), len(REQUEST))
    message = (ctypes.c_size_t * 8)(0, 0, ctypes.addressof(vector), 1)
    with connected() as client:
        assert ctypes.CDLL(None).sendmmsg(client.fileno(), message, 1, 0) == 1


CLOSES: dict[str, Callable[[], object]] = {
    "send": each(REQUEST),
    "write": by_number(os.write, REQUEST),
    "writev": by_number(os.writev, [REQUEST, b""]),
    "writev of line and headers": by_number(os.writev, [NEXT + b" HTTP/1.1\r\n", b"Host: a\r\n\r\n"]),
    "writev behind an empty vector": by_number(os.writev, [b"", REQUEST]),
    "sendto": lambda: connected().sendto(REQUEST, 0, V4),
    "sendmsg": lambda: connected().sendmsg([REQUEST]),
    "sendmsg behind empty vectors": lambda: connected().sendmsg([b"", b"", REQUEST]),
    "sendmmsg": by_sendmmsg,
    "without descriptors": without(resource.RLIMIT_NOFILE),
    "without files": without_files,
    "restore": each(RESTORE + HEADERS),
    "IPv6": lambda: connected(V6).sendall(REQUEST),
    "HTTP/1.0": each(NEXT + b" HTTP/1.0\r\n\r\n"),
    "kept alive, after metadata": each(b"GET /2026-01-15/metadata/execution-environment" + HEADERS, REQUEST),
    "kept alive, after an extension's registration": each(REGISTER, REQUEST),
    "line alone, headers after it": each(NEXT + b" HTTP/1.1\r\n", b"Host: a\r\n\r\n"),
    "through a file object": lambda: print(REQUEST.decode(), file=connected().makefile("w"), flush=True),
    "from a thread": lambda: in_thread(each(REQUEST)),
}
STAYS_OPEN: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "a connection": connected,
    "metadata": each(b"GET /2026-01-15/metadata/execution-environment" + HEADERS),
    "an extension's registration": each(REGISTER),
    "an extension's next event": each(b"GET /2020-01-01/extension/event/next" + HEADERS),
    "credentials": each(b"GET /2021-04-23/credentials" + HEADERS),
    "an error at the start": each(b"POST /2018-06-01/runtime/init/error" + HEADERS),
    "an error of a restore": each(b"POST /2018-06-01/runtime/restore/error" + HEADERS),
    "an answer": each(b"POST /2018-06-01/runtime/invocation/request-1/response" + HEADERS),
    "another method": each(REQUEST.replace(b"GET", b"HEAD", 1)),
    "the line in a body": each(b"POST /log HTTP/1.1\r\nHost: a\r\nContent-Length: 39\r\n\r\n" + NEXT),
    "the line in a header": each(b"GET / HTTP/1.1\r\nReferer: " + NEXT + b"\r\n\r\n"),
    "the path in a query": each(b"GET /?then=" + NEXT[4:] + HEADERS),
    "the path behind another": each(b"GET /prefix" + NEXT[4:] + HEADERS),
    "no more than the beginning": each(NEXT[:-4]),
    "two writes": each(REQUEST[:20], REQUEST[20:]),
    "two vectors": by_number(os.writev, [REQUEST[:20], REQUEST[20:]]),
    "a line to stderr": lambda: sys.stderr.write("asks: " + REQUEST.decode()),
    "no vectors": by_number(os.writev, []),
}


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def outcome(shape: Callable[[], object]) -> str:
    """In a copy of this process: what it does changes nothing for the next one."""
    child = os.fork()
    if not child:
        code = 3
        try:
            shape()
            open(HANDLER).close()
            code = 0
        except PermissionError:
            code = 1
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: "open", 1: "closed"}.get(status, f"ended with {status}")


TABLES = {"closes": CLOSES, "stays open": STAYS_OPEN}
print(json.dumps({table: {name: outcome(shape) for name, shape in shapes.items()} for table, shapes in TABLES.items()}))
