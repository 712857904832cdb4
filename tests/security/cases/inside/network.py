"""outbound_connectivity: connections, datagrams and DNS queries.

Outside, something listens at 203.0.113.9 and [2001:db8::66] (TCP 80, UDP 9999), and a name server answers.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable

from common import attempt, effects
from tools import DENIED, DENIED_ADDRESS, connect, in_child, raw, refused_if, refusing, send

NET = "outbound_connectivity"
NO_SUCH_NAME = 1002  # EAI_NONAME, as main.py reports it
RESOLVER = ("169.254.78.1", 53)
UDP = (DENIED[0], 9999)


def using_socket(function: Callable[[socket.socket], object], kind: int = socket.SOCK_DGRAM) -> None:
    with socket.socket(socket.AF_INET, kind) as s:
        function(s)


effects(
    attempt(NET),
    net_connect=lambda: connect(DENIED),
    net_connect_ipv6=lambda: connect(("2001:db8::66", 80), socket.AF_INET6),
    net_connect_mapped=lambda: connect(("::ffff:203.0.113.9", 80), socket.AF_INET6),
    net_in_fork=lambda: in_child(lambda: connect(DENIED)),
    net_raw_connect=lambda: using_socket(lambda s: raw("connect", s.fileno(), DENIED_ADDRESS, 16), socket.SOCK_STREAM),
    net_fastopen=lambda: using_socket(lambda s: s.sendto(b"secret", socket.MSG_FASTOPEN, DENIED), socket.SOCK_STREAM),
    net_sendto=lambda: send(b"secret"),
    net_sendto_ipv6=lambda: send(b"secret", ("2001:db8::66", 9999), socket.AF_INET6),
    net_sendmsg=lambda: using_socket(lambda s: s.sendmsg([b"sec", b"ret"], [], 0, UDP)),
    net_udp_connect=lambda: using_socket(lambda s: (s.connect(UDP), s.send(b"secret"))),
)


@attempt(NET, refusal=(NO_SUCH_NAME,), alerts=(1, 2))
def net_connect_by_name() -> None:
    socket.create_connection(("denied.example", 80), timeout=5).close()


@attempt(NET, refusal=(NO_SUCH_NAME,))
def net_resolve() -> str:
    return str(socket.getaddrinfo("denied.example", 80)[0][4][0])


@attempt(NET)
def net_resolve_labels() -> None:
    """Nobody answers for it: that it was asked is the point."""
    refusing(lambda: socket.getaddrinfo("c2VjcmV0.labels.denied.example", 80), socket.gaierror)


@attempt(NET)
def net_vsock() -> str:
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    return "a socket"


def query(name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x10\x00\x01"


@attempt(NET)
def net_handmade_query() -> None:
    """The send itself seems to succeed; the answer says that there is no such name."""

    def ask(s: socket.socket) -> None:
        s.settimeout(5)
        s.sendto(query("txt.denied.example"), RESOLVER)
        answer, sender = s.recvfrom(4096)
        assert sender == RESOLVER
        assert answer[12:].startswith(query("txt.denied.example")[12:]), "another question than the one asked"
        refused_if(answer[3] & 15 == 3, "NXDOMAIN")

    using_socket(ask)


@attempt(NET)
def net_connected_query_by_write() -> None:
    """A socket that is connected to the resolver, written to with write(2), and read with read(2)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(RESOLVER)
        os.write(s.fileno(), query("written.denied.example"))
        refused_if(os.read(s.fileno(), 4096)[3] & 15 == 3, "NXDOMAIN")


@attempt(NET)
def net_query_over_tcp() -> None:
    data = query("stream.denied.example")
    with socket.create_connection(RESOLVER, timeout=5) as s:
        s.sendall(struct.pack("!H", len(data)) + data)
        s.recv(2)
