"""Runs inside the sandbox: DNS in ways that resolver libraries have, and in some that they do not."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable

from questions import (
    ALLOWED,
    CLOSING,
    DENIED,
    RESOLVER,
    SERVER,
    address_in,
    allowed,
    answer,
    by_udp,
    denied,
    exactly,
    framed,
    over_tcp,
    query,
    to_resolver,
    use,
)
from ways import each, print_refusals, way

MANY = 100


def by_tcp(send: Callable[[int, bytes], object], read: Callable[[int, int], bytes]) -> None:
    """By calls on a number, which waits."""
    number = over_tcp().detach()
    os.set_blocking(number, True)
    send(number, framed(query(ALLOWED)))
    use(address_in(answer(lambda size: read(number, size))))


def readv(number: int, size: int) -> bytes:
    parts = [bytearray(1), bytearray(size - 1)] if size > 1 else [bytearray(size)]
    got = os.readv(number, parts)
    return b"".join(parts)[:got]


def ask(s: socket.socket, read: Callable[[int], bytes], name: str = ALLOWED) -> None:
    s.sendall(framed(query(name)))
    use(address_in(answer(read)))


def by_stream(read: Callable[[socket.socket, int], bytes]) -> None:
    s = over_tcp()
    ask(s, lambda size: read(s, size))


each(
    allowed,
    tcp_then_connect=lambda: by_stream(socket.socket.recv),
    tcp_by_write_and_read=lambda: by_tcp(os.write, os.read),
    tcp_by_writev_and_readv=lambda: by_tcp(lambda number, data: os.writev(number, [data[:2], data[2:]]), readv),
    tcp_by_message=lambda: by_stream(lambda s, size: s.recvmsg(size)[0]),
    tcp_byte_by_byte=lambda: by_stream(lambda s, _: s.recv(1)),
)


@allowed
def tcp_two_at_once() -> None:
    s = over_tcp(query(ALLOWED), query("x.wild.example", number=7))
    for message in (answer(s.recv), answer(s.recv)):
        use(address_in(message))


@allowed
def tcp_all_in_one_read() -> None:
    s = over_tcp(query(ALLOWED))
    (size,) = struct.unpack("!H", s.recv(2, socket.MSG_PEEK | socket.MSG_WAITALL))
    use(address_in(exactly(s.recv, 2 + size)[2:]))


@allowed
def tcp_wait_for_all() -> None:
    s = over_tcp(query(ALLOWED))
    s.settimeout(None)
    (size,) = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))
    message = s.recv(size, socket.MSG_WAITALL)
    assert len(message) == size
    use(address_in(message))


@allowed
def tcp_when_the_server_has_closed() -> None:
    """Its end waits behind the answer."""
    s = over_tcp(query(CLOSING))
    time.sleep(0.2)
    use(address_in(answer(s.recv)))


@allowed
def tcp_a_long_answer() -> None:
    """Longer than any datagram: its addresses are learned all the same, and the next answer's too."""
    s = over_tcp(query("many.example"))
    message = answer(s.recv)
    assert len(message) > 4096, len(message)
    use(address_in(message))
    ask(s, s.recv)


@allowed
def tcp_in_the_midst_of_many() -> None:
    """The beginnings of all answers are read, and then the rest of each. Their addresses may be tried: the kernel says
    that nobody listens there, or that there is no way there."""
    begin = 14
    streams = [over_tcp(query(f"h{i}.wild.example")) for i in range(MANY)]
    sizes = [struct.unpack("!H", exactly(s.recv, begin)[:2])[0] for s in streams]
    rests = [exactly(s.recv, 2 + size - begin) for s, size in zip(streams, sizes, strict=True)]
    for rest in rests:
        try:
            use(socket.inet_ntoa(rest[-4:]))
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.ENETUNREACH):
                raise


@way
def two_names_of_two_rules() -> None:
    """*.wild.example is for another port, and was let through by it last."""
    for name in ("allowed.wild.example", "b.wild.example"):
        socket.getaddrinfo(name, 80, socket.AF_INET)
    use(SERVER)


@way
def answers_of_our_own() -> None:
    """Where this port may be taken, as in many containers; here the kernel says no as well, but reports nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 53))


# What must not leave.


each(
    denied,
    tcp_denied=lambda: over_tcp(query(DENIED)),
    tcp_denied_by_write=lambda: os.write(over_tcp().detach(), framed(query(DENIED))),
    tcp_denied_text=lambda: over_tcp(query("c2VjcmV0.denied.example", 16)),
    tcp_denied_behind_allowed=lambda: over_tcp(query(ALLOWED), query(DENIED)),
    tcp_denied_on_a_duplicate=lambda: os.write(os.dup(over_tcp().detach()), framed(query(DENIED))),
    tcp_no_query=lambda: over_tcp().sendall(b"denied.example: something else than a query"),
    tcp_more_than_was_announced=lambda: over_tcp().sendall(framed(query(ALLOWED)) + b"denied.example"),
)
each(
    way,
    # What the server reads lacks it, and begins elsewhere.
    tcp_with_an_urgent_byte=lambda: over_tcp().send(framed(query(ALLOWED)), socket.MSG_OOB),
)


@denied
def tcp_denied_in_pieces() -> None:
    s = over_tcp()
    data = framed(query(DENIED))
    s.sendall(data[:2])
    s.sendall(data[2:])


@way
def udp_denied_by_write() -> None:
    s = to_resolver()
    s.settimeout(5)
    os.write(s.fileno(), query(DENIED))
    address_in(s.recv(500))


@way
def tcp_denied_on_a_duplicate_made_before() -> None:
    s = socket.socket()
    other = os.dup(s.fileno())
    s.connect(RESOLVER)
    os.write(other, framed(query(DENIED)))


@way
def tcp_denied_after_a_second_connect() -> None:
    s = over_tcp()
    with contextlib.suppress(OSError):
        s.connect((socket.getaddrinfo(ALLOWED, 80, socket.AF_INET)[0][4][0], 80))
    s.sendall(framed(query(DENIED)))


@way
def udp_with_bytes_that_no_name_has() -> None:
    """A query in a label of a name under an allowed wildcard."""
    inner = query(DENIED)
    labels = bytes([len(inner)]) + inner + b"\x04wild\x07example\x00"
    with by_udp(query("x")[:12] + labels + struct.pack("!HH", 1, 1)) as s:
        address_in(s.recv(500))


@way
def udp_corked_by_another_level() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(136, 1, 1)
        s.sendto(query("x.wild.example"), RESOLVER)
        s.sendto(b"denied.example", ("127.0.0.1", 9999))
        s.setsockopt(136, 1, 0)


if __name__ == "__main__":
    print_refusals("datagrams", "forged")
