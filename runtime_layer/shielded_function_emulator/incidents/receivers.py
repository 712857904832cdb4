"""The hosts of an incident, on the sandbox's own loopback: they record each message and answer it.

HTTP, with TLS on port 443, and lines of anything else. TLS without certificates, so that no key has to be made: both
ends take anonymous cipher suites (RFC 8422, section 2.3), which no client does by itself.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from typing import NamedTuple

from shielded_function_emulator.closed_network import ClosedNetwork
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.sandbox import Sandbox

TLS_PORT = 443
_SECONDS = 3.0
_CHUNK = 65536


class Place(NamedTuple):
    """Where a receiver listens: a name or an address, and a port."""

    host: str
    port: int

    @property
    def is_address(self) -> bool:
        """Whether the host is an IPv4 address, and no name."""
        return self.host.replace(".", "").isdigit()


class Receivers(Composite):
    """One at each place, with the body of its answer. `got`: by place, each message that arrived.

    Nothing else answers. The sockets are the sandbox's (`Sandbox.socket` refuses any other network).
    """

    def __init__(self, sandbox: Sandbox, answers: Mapping[Place, bytes]) -> None:
        self._sandbox, self._answers = sandbox, answers
        self.network = ClosedNetwork(sandbox)
        self.got: dict[Place, list[bytes]] = {place: [] for place in answers}

    def enter_parts(self, stack: ExitStack) -> None:
        stack.enter_context(self.network)
        for place in self._answers:
            address = place.host if place.is_address else self.network.addresses(place.host)[0]
            listener = stack.enter_context(self._sandbox.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, place.port))
            listener.listen()
            stack.callback(_wake, listener)
            threading.Thread(target=self._accept, args=(listener, place), daemon=True).start()

    def _accept(self, listener: socket.socket, place: Place) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client, place), daemon=True).start()

    def _serve(self, client: socket.socket, place: Place) -> None:
        with contextlib.suppress(OSError), client:
            client.settimeout(_SECONDS)
            with _tls().wrap_socket(client, server_side=True) if place.port == TLS_PORT else client as opened:
                message = _message(opened)
                self.got[place].append(message)
                body = self._answers[place]
                head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
                opened.sendall(head + body if b" HTTP/1." in message else b"{}\n")


def _wake(listener: socket.socket) -> None:
    """Ends the thread that waits on it; close() alone would not."""
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


def _message(opened: socket.socket) -> bytes:
    """One HTTP request, or one line of something else."""
    data = b""
    while chunk := opened.recv(_CHUNK):
        data += chunk
        head, end, body = data.partition(b"\r\n\r\n")
        if b" HTTP/1." not in data.partition(b"\n")[0]:
            if b"\n" in data:
                break
        elif end:
            named = (line.partition(b":") for line in head.lower().split(b"\r\n"))
            if len(body) >= next((int(value) for name, _, value in named if name == b"content-length"), 0):
                break
    return data
