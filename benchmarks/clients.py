"""The clients that the benchmark times, in a process that stays: `python clients.py CERTIFICATE`.

Reads lines "NAME COUNT THREADS" (there is one thread) and answers each with the nanoseconds of one request, averaged
over COUNT of them, as `calls.c` does. Connections that are kept are made, and have had one request, before the time
begins.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import grpc
from network import GRPC, NAME, OF_A_PACKAGE, PLAIN, TLS

_BARE_REQUEST = f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
_NEXT_EVENT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n"


@cache
def _trust() -> ssl.SSLContext:
    """Made once, as good clients do: reading certificates takes longer than a request."""
    return ssl.create_default_context(cafile=sys.argv[1])


def _get(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/")
    if connection.getresponse().read() != b"ok":
        raise http.client.HTTPException("another answer than the server gives")


def _fetch() -> Callable[[], None]:
    """Name to answer: lookup, connection, handshake, request; nothing is kept."""

    def once() -> None:
        connection = http.client.HTTPSConnection(NAME, TLS, context=_trust())
        _get(connection)
        connection.close()

    return once


def _http() -> Callable[[], None]:
    connection = http.client.HTTPConnection(NAME, PLAIN)
    return lambda: _get(connection)


def _https() -> Callable[[], None]:
    connection = http.client.HTTPSConnection(NAME, TLS, context=_trust())
    return lambda: _get(connection)


def _https_bare() -> Callable[[], None]:
    """Python's shortest way to have a request answered: the client costs little, the shield's share is large."""
    connection = _trust().wrap_socket(socket.create_connection((NAME, TLS)), server_hostname=NAME)

    def once() -> None:
        connection.sendall(_BARE_REQUEST)
        if not connection.recv(4096).endswith(b"ok"):
            raise http.client.HTTPException("another answer than the server gives")

    return once


def _grpc() -> Callable[[], None]:
    call = grpc.insecure_channel(f"{NAME}:{GRPC}").unary_unary("/bench.Service/Echo")

    def once() -> None:
        if call(b"hello") != b"hello":
            raise http.client.HTTPException("another answer than the server gives")

    return once


def _connect_by_package() -> Callable[[], None]:
    """Through a dozen frames of another package: the frames are read until the named one is found."""
    made: dict[str, Any] = {}
    inner = "def dial(s, to, n):\n    dial(s, to, n - 1) if n else s.connect(to)\n"
    exec(compile(inner, "/opt/python/transport/dial.py", "exec"), made)
    exec(compile("def call(s, to):\n    dial(s, to, 12)\n", "/opt/python/caller/api.py", "exec"), made)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return lambda: made["call"](datagrams, (OF_A_PACKAGE, TLS))


CLIENTS: dict[str, Callable[[], Callable[[], None]]] = {
    "fetch": _fetch,
    "http": _http,
    "https": _https,
    "https_bare": _https_bare,
    "grpc": _grpc,
    "connect_by_package": _connect_by_package,
}


def _ask_for_an_event() -> None:
    """The calls of every function before it serves; some calls are watched only until then."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.write(sink, _NEXT_EVENT)
    os.close(sink)


def main() -> None:
    """Answers until stdin ends."""
    _ask_for_an_event()
    made: dict[str, Callable[[], None]] = {}
    for line in sys.stdin:
        name, count, _ = line.split()
        if name not in made:
            made[name] = CLIENTS[name]()
            made[name]()
        once = made[name]
        began = time.perf_counter_ns()
        for _ in range(int(count)):
            once()
        print(f"{(time.perf_counter_ns() - began) / int(count):.3f}", flush=True)


if __name__ == "__main__":
    main()
