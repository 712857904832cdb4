"""Who a function can talk to in its sandbox's network, by allowed and by other names, and what reached them.

Attempts mark what they send with their own name: the path of a request, the first label of a host name, or all of the
text on a socket. So whether something left is seen outside, whatever the function says.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack

from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import RESOLVER, Sandbox
from shielded_function_emulator.web import Receiver, WebServer

IPV4, IPV6, NAME_SERVER = "203.0.113.66", "2001:db8::66", "203.0.113.53"
# Of the names, so that what was learned from an answer does not explain an attempt by address.
NAMED_IPV4, NAMED_IPV6 = "203.0.113.67", "2001:db8::1"
ZONE = "evil.example"
ALLOWED, ALLOWED_ADDRESS = "api.partner.example", "198.51.100.10"
HTTP, HTTPS, PLAIN, WEBSOCKET = 80, 443, 7000, 8081

_NAMES = {f"*.{ZONE}": [NAMED_IPV4, NAMED_IPV6], ALLOWED: [ALLOWED_ADDRESS]}
_STRANGERS = (IPV4, IPV6, NAMED_IPV4, NAMED_IPV6)
_ANSWER = "thank you"
_CHUNK = 65536


class Outside(Composite):
    """The servers of one sandbox. `resolver_questions`: what the sandbox's own name server was asked."""

    def __init__(self, sandbox: Sandbox, authority: CertificateAuthority) -> None:
        self._sandbox, self._authority = sandbox, authority
        self._web = Receiver(_ANSWER)
        self._texts: list[str] = []
        self._dns = (DnsServer(sandbox, _NAMES, RESOLVER), DnsServer(sandbox, _NAMES, NAME_SERVER))

    def enter_parts(self, stack: ExitStack) -> None:
        server_context = self._authority.server_context
        evil, partner = server_context([f"*.{ZONE}"]), server_context([ALLOWED])
        for server in (
            *self._dns,
            *(WebServer(self._sandbox, (address, HTTP), self._web) for address in _STRANGERS),
            *(WebServer(self._sandbox, (address, HTTPS), self._web, evil) for address in _STRANGERS),
            WebServer(self._sandbox, (ALLOWED_ADDRESS, HTTPS), self._web, partner),
        ):
            stack.enter_context(server)
        for address in (*_STRANGERS, ALLOWED_ADDRESS):
            self._listen(stack, address, PLAIN, self._echo_stream)
        self._listen(stack, IPV4, WEBSOCKET, self._open_websocket)
        for address in _STRANGERS:
            self._echo_datagrams(stack, address)

    def reached(self) -> set[str]:
        """The names of the attempts of which something came here."""
        paths = {request.path.lstrip("/") for request in self._web.requests}
        labels = {label for server in self._dns for q in server.questions for label in _own_label(q.name)}
        return paths | labels | set(self._texts)

    def _socket(self, stack: ExitStack, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = stack.enter_context(self._sandbox.socket(family, kind))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))

        @stack.callback
        def wake() -> None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

        return opened

    def _listen(self, stack: ExitStack, address: str, port: int, talk: Callable[[socket.socket], None]) -> None:
        listener = self._socket(stack, address, port, socket.SOCK_STREAM)
        listener.listen()
        threading.Thread(target=_accept, args=(listener, talk), daemon=True).start()

    def _echo_stream(self, client: socket.socket) -> None:
        text = b""
        while chunk := client.recv(_CHUNK):
            text += chunk
        self._texts.append(text.decode(errors="replace"))
        client.sendall(text)

    def _echo_datagrams(self, stack: ExitStack, address: str) -> None:
        server = self._socket(stack, address, PLAIN, socket.SOCK_DGRAM)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    text, sender = server.recvfrom(_CHUNK)
                    if not sender:
                        return
                    self._texts.append(text.decode(errors="replace"))
                    server.sendto(text, sender)

        threading.Thread(target=serve, daemon=True).start()

    def _open_websocket(self, client: socket.socket) -> None:
        """The handshake of RFC 6455 (4.2.2), and nothing more."""
        request = client.recv(_CHUNK).decode()
        lines = request.split("\r\n")
        self._texts.append(lines[0].split()[1].lstrip("/"))
        (key,) = [line.partition(": ")[2] for line in lines if line.lower().startswith("sec-websocket-key:")]
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        answer = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
        accept = f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}"
        client.sendall("\r\n".join([*answer, accept, "", ""]).encode())
        client.recv(_CHUNK)


def _own_label(name: str) -> list[str]:
    """The label before the zone, wherever further labels stand in front of it (`_http._tcp.NAME.evil.example`)."""
    return [name.removesuffix(f".{ZONE}").rpartition(".")[2]] if name.endswith(f".{ZONE}") else []


def _accept(listener: socket.socket, talk: Callable[[socket.socket], None]) -> None:
    def converse(client: socket.socket) -> None:
        client.settimeout(10)
        with client, contextlib.suppress(OSError):
            talk(client)

    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=converse, args=(client,), daemon=True).start()
