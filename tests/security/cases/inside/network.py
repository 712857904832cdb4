"""outbound_connectivity: connections, datagrams and DNS queries.

Outside, something listens at 203.0.113.9 and [2001:db8::66] (TCP 80, UDP 9999), and a name server answers.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from common import attempt, effects, in_child, raw

NET = "outbound_connectivity"
NO_SUCH_NAME = 1002  # EAI_NONAME, as main.py reports it
RESOLVER = ("169.254.78.1", 53)


def connect(family: int, address: tuple[object, ...]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect(address)


effects(
    attempt(NET),
    net_connect=lambda: connect(socket.AF_INET, ("203.0.113.9", 80)),
    net_connect_ipv6=lambda: connect(socket.AF_INET6, ("2001:db8::66", 80)),
    net_connect_mapped=lambda: connect(socket.AF_INET6, ("::ffff:203.0.113.9", 80)),
    net_in_fork=lambda: in_child(lambda: connect(socket.AF_INET, ("203.0.113.9", 80))),
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
    before = True
    with contextlib.suppress(socket.gaierror):
        socket.getaddrinfo("c2VjcmV0.labels.denied.example", 80)
        before = False
    if before:
        raise PermissionError(13, "no such name")


@attempt(NET)
def net_sendto() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"secret", ("203.0.113.9", 9999))


@attempt(NET)
def net_sendto_ipv6() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.sendto(b"secret", ("2001:db8::66", 9999))


@attempt(NET)
def net_sendmsg() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendmsg([b"sec", b"ret"], [], 0, ("203.0.113.9", 9999))


@attempt(NET)
def net_udp_connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("203.0.113.9", 9999))
        s.send(b"secret")


@attempt(NET)
def net_fastopen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.sendto(b"secret", socket.MSG_FASTOPEN, ("203.0.113.9", 80))


@attempt(NET)
def net_raw_connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(80), socket.inet_aton("203.0.113.9"))
        raw("connect", s.fileno(), address, 16)


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
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(query("txt.denied.example"), RESOLVER)
        answer, sender = s.recvfrom(4096)
        assert sender == RESOLVER
        assert answer[12:].startswith(query("txt.denied.example")[12:]), "another question than the one asked"
        if answer[3] & 15 == 3:
            raise PermissionError(13, "NXDOMAIN")


@attempt(NET)
def net_connected_query_by_write() -> None:
    """A socket that is connected to the resolver, written to with write(2), and read with read(2)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(RESOLVER)
        os.write(s.fileno(), query("written.denied.example"))
        if os.read(s.fileno(), 4096)[3] & 15 == 3:
            raise PermissionError(13, "NXDOMAIN")


@attempt(NET)
def net_query_over_tcp() -> None:
    with socket.create_connection(RESOLVER, timeout=5) as s:
        data = query("stream.denied.example")
        s.sendall(struct.pack("!H", len(data)) + data)
        s.recv(2)


@attempt(NET)
def net_query_over_tcp_by_writev() -> None:
    with socket.create_connection(RESOLVER, timeout=5) as s:
        data = query("vectors.denied.example")
        os.writev(s.fileno(), [struct.pack("!H", len(data)), data])
        s.recv(2)


@attempt(NET)
def net_query_over_tcp_on_a_copy() -> None:
    with socket.create_connection(RESOLVER, timeout=5) as s, s.dup() as copy:
        data = query("copy.denied.example")
        os.write(copy.fileno(), struct.pack("!H", len(data)) + data)
        s.recv(2)
