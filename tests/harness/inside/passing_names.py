"""Runs inside the sandbox: what a check of server names lets pass (server_names.py)."""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
import ssl

from hellos import (
    CHANGE,
    HOST,
    PORT,
    address,
    connected,
    extension,
    hello,
    server_name,
    taken_over,
    way,
    with_extensions,
)


@way
def allowed_name_by_fast_open() -> None:
    for data in (hello(HOST), b"another protocol" * 10_000):
        with socket.socket() as s:
            assert s.sendto(data, socket.MSG_FASTOPEN, address()) == len(data)


@way
def allowed_name_by_fast_open_without_waiting() -> None:
    """The first time the kernel has no cookie of the server, connects and sends nothing; so it says at every time."""
    with socket.socket() as s:
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            s.sendmsg([hello(HOST)], [], socket.MSG_FASTOPEN, address())
        select.select([], [s], [], 5)
        assert s.send(hello(HOST)) > 0


@way
def a_second_hello_with_an_allowed_name() -> None:
    s = connected()
    s.send(hello(HOST))
    s.send(CHANGE + hello(HOST))
    s.send(CHANGE + b"\x17\x03\x03\x00\x20" + bytes(32))
    s.send(b"from here on nothing is looked at")


@way
def allowed_name() -> None:
    s = connected()
    s.send(hello(HOST))
    s.send(b"what follows is not looked at: ")
    s.send(hello())


@way
def allowed_name_in_capitals() -> None:
    connected().send(with_extensions(server_name("ALLOWED.Example")))


@way
def another_allowed_name() -> None:
    connected().send(hello("aaaa.example"))


@way
def other_protocol() -> None:
    connected().send(b"GET / HTTP/1.1\r\nHost: evil-in-a-header\r\n\r\n")


@way
def behind_a_record_of_no_known_kind() -> None:
    s = connected()
    s.send(bytes((99, 3, 1, 0, 5)) + b"hello")
    s.send(hello())


@way
def much_at_once() -> None:
    s = connected()
    s.sendall(b"P" * 5_000_000)


@way
def many_pieces_at_once() -> None:
    s = connected()
    pieces = [b"Q" * 3000] * 40
    left = s.sendmsg(pieces)
    assert left == 120_000, left


@way
def encrypted() -> None:
    connected().send(with_extensions(server_name("front.example") + extension(0xFE0D, bytes(40))))


@way
def encrypted_behind_an_allowed_name() -> None:
    connected().send(with_extensions(server_name("allowed.example") + extension(0xFE0D, bytes(40))))


@way
def to_a_listed_address() -> None:
    socket.create_connection(("198.51.100.9", PORT), timeout=5).send(hello("anything.example"))


@way
def a_copy_made_before() -> None:
    """What it writes later is not the beginning of anything, whatever it looks like."""
    s = connected()
    copy = s.dup()
    s.send(b"GET / HTTP/1.1\r\n")
    copy.send(b"\0")
    copy.send(b"\x16")


@way
def to_loopback() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), timeout=5).send(hello("anything.example"))


@way
def descriptors_of_all_kinds() -> None:
    """A number that was a watched connection, closed without a word, and is something else now."""
    for _ in range(3):
        s = connected()
        number = s.fileno()
        s.close()
        reads, writes = os.pipe()
        assert number in (reads, writes)
        os.write(writes, b"through the pipe")
        assert os.read(reads, 100) == b"through the pipe"
        os.close(reads)
        os.close(writes)
    for use in (_as_a_file, _as_a_target, _as_a_datagram_socket, _as_a_local_socket):
        s = connected()
        number = s.fileno()
        s.close()
        assert use() == number


def _as_a_file() -> int:
    with open("/dev/null", "wb", buffering=0) as file:
        assert file.write(b"to a file") == 9
        return file.fileno()


def _as_a_target() -> int:
    number = os.memfd_create("target")
    source = os.open("/etc/passwd", os.O_RDONLY)
    assert os.sendfile(number, source, 0, 10) == 10
    os.close(source)
    os.close(number)
    return number


def _as_a_datagram_socket() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"to loopback", ("127.0.0.1", 9))
        return s.fileno()


def _as_a_local_socket() -> int:
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [number]))])
    assert ours.recv(5) == b"x"
    ours.sendmsg([b"y"])
    assert theirs.recv(5) == b"y"
    ours.close()
    theirs.close()
    return number


@way
def a_handshake() -> None:
    """All of TLS, and an answer."""
    context = ssl.create_default_context(cafile="/var/task/authority.pem")
    with context.wrap_socket(connected(port=8443), server_hostname=HOST) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: allowed.example\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1."), "no answer"


@way
def handed_over_once_it_was_used() -> None:
    s = connected()
    s.send(b"GET / HTTP/1.1\r\n")
    os.write(taken_over(s), b"handed over in the midst")


@way
def handed_over_after_a_handshake() -> None:
    context = ssl.create_default_context(cafile="/var/task/authority.pem")
    with context.wrap_socket(connected(port=8443), server_hostname=HOST) as client:
        os.close(taken_over(client))
        client.sendall(b"GET / HTTP/1.1\r\nHost: allowed.example\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1."), "no answer"
