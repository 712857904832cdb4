"""Runs inside the sandbox: what a check of server names lets pass (server_names.py)."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
from collections.abc import Callable

from hellos import CHANGE, HOST, address, connected, extension, hello, passing, send_all, server_name, with_extensions
from ways import each, taken_over, way

each(
    passing,
    a_second_hello_with_an_allowed_name=lambda: send_all(
        hello(HOST), CHANGE + hello(HOST), CHANGE + b"\x17\x03\x03\x00\x20" + bytes(32), b"nothing is looked at now"
    ),
    allowed_name=lambda: send_all(hello(HOST), b"what follows is not looked at: ", hello()),
    allowed_name_in_capitals=lambda: send_all(with_extensions(server_name("ALLOWED.Example"))),
    another_allowed_name=lambda: send_all(hello("aaaa.example")),
    other_protocol=lambda: send_all(b"GET / HTTP/1.1\r\nHost: evil-in-a-header\r\n\r\n"),
    to_a_listed_address=lambda: connected("198.51.100.9").send(hello("anything.example")),
    much_at_once=lambda: connected().sendall(b"P" * 5_000_000),
    many_pieces_at_once=lambda: connected().sendmsg([b"Q" * 3000] * 40),
)
each(
    way,
    behind_a_record_of_no_known_kind=lambda: send_all(bytes((99, 3, 1, 0, 5)) + b"hello", hello()),
    encrypted=lambda: send_all(with_extensions(server_name("front.example") + extension(0xFE0D, bytes(40)))),
    encrypted_behind_an_allowed_name=lambda: send_all(
        with_extensions(server_name("allowed.example") + extension(0xFE0D, bytes(40)))
    ),
)


@passing
def allowed_name_by_fast_open() -> None:
    for data in (hello(HOST), b"another protocol" * 10_000):
        with socket.socket() as s:
            assert s.sendto(data, socket.MSG_FASTOPEN, address()) == len(data)


@passing
def allowed_name_by_fast_open_without_waiting() -> None:
    """The first time the kernel has no cookie of the server, connects and sends nothing; so it says at every time."""
    with socket.socket() as s:
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            s.sendmsg([hello(HOST)], [], socket.MSG_FASTOPEN, address())
        select.select([], [s], [], 5)
        assert s.send(hello(HOST)) > 0


@passing
def a_copy_made_before() -> None:
    """What it writes later is not the beginning of anything, whatever it looks like."""
    s = connected()
    copy = s.dup()
    s.send(b"GET / HTTP/1.1\r\n")
    copy.send(b"\0")
    copy.send(b"\x16")


@passing
def to_loopback() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), timeout=5).send(hello("anything.example"))


@passing
def a_number_that_was_a_connection() -> None:
    """Closed without a word; it is something else now."""
    s = connected()
    number = s.fileno()
    s.close()
    reads, writes = os.pipe()
    assert number in (reads, writes)
    os.write(writes, b"through the pipe")
    assert os.read(reads, 100) == b"through the pipe"


def handshake(step: Callable[[socket.socket], object]) -> None:
    """All of TLS, and an answer."""
    context = ssl.create_default_context(cafile="/var/task/authority.pem")
    with context.wrap_socket(connected(port=8443), server_hostname=HOST) as client:
        step(client)
        client.sendall(b"GET / HTTP/1.1\r\nHost: allowed.example\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1."), "no answer"


each(
    passing,
    a_handshake=lambda: handshake(id),
    handed_over_after_a_handshake=lambda: handshake(lambda client: os.close(*taken_over(client.fileno()))),
)


@passing
def handed_over_once_it_was_used() -> None:
    s = connected()
    s.send(b"GET / HTTP/1.1\r\n")
    os.write(taken_over(s.fileno())[0], b"handed over in the midst")
