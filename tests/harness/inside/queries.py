"""Runs inside the sandbox: DNS in ways that resolver libraries have, and in some that they do not.

The last line of output is, for each way that was named, the errno that it ended with, or null, as JSON.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import socket
import struct
import sys
import time

from questions import (
    ALLOWED,
    CLOSING,
    DENIED,
    NO_SUCH_NAME,
    RESOLVER,
    SERVER,
    WAYS,
    address_in,
    allowed,
    answer,
    denied,
    each,
    exactly,
    framed,
    over_tcp,
    query,
    use,
    way,
)


@allowed
def tcp_then_connect() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED)))
    use(address_in(answer(s.recv)))


@allowed
def tcp_by_write_and_read() -> None:
    number = over_tcp().detach()
    os.set_blocking(number, True)
    os.write(number, framed(query(ALLOWED)))
    use(address_in(answer(lambda size: os.read(number, size))))


@way
def answers_of_our_own() -> None:
    """Where this port may be taken, as in many containers; here the kernel says no as well, but reports nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 53))


@allowed
def tcp_by_writev_and_readv() -> None:
    number = over_tcp().detach()
    os.set_blocking(number, True)
    data = framed(query(ALLOWED))
    os.writev(number, [data[:2], data[2:]])
    head, body = bytearray(1), bytearray(200)
    got = os.readv(number, [head, body])
    message = (bytes(head) + bytes(body))[:got]
    use(address_in(answer_from(message, number)))


def answer_from(message: bytes, number: int) -> bytes:
    while len(message) < 2 or len(message) < 2 + struct.unpack("!H", message[:2])[0]:
        message += os.read(number, 500)
    return message[2:]


@allowed
def tcp_by_message() -> None:
    s = over_tcp()
    s.sendmsg([framed(query(ALLOWED))])
    use(address_in(answer(lambda size: s.recvmsg(size)[0])))


@allowed
def tcp_byte_by_byte() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED)))
    use(address_in(answer(lambda _: s.recv(1))))


@allowed
def tcp_two_at_once() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED), query("x.wild.example", number=7)))
    first, second = answer(s.recv), answer(s.recv)
    use(address_in(first))
    use(address_in(second))


@allowed
def tcp_all_in_one_read() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED)))
    (size,) = struct.unpack("!H", s.recv(2, socket.MSG_PEEK | socket.MSG_WAITALL))
    use(address_in(exactly(s.recv, 2 + size)[2:]))


@allowed
def tcp_wait_for_all() -> None:
    s = over_tcp()
    s.settimeout(None)
    s.sendall(framed(query(ALLOWED)))
    (size,) = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))
    message = s.recv(size, socket.MSG_WAITALL)
    assert len(message) == size
    use(address_in(message))


@allowed
def tcp_when_the_server_has_closed() -> None:
    """Its end waits behind the answer."""
    s = over_tcp()
    s.sendall(framed(query(CLOSING)))
    time.sleep(0.2)
    use(address_in(answer(s.recv)))


@allowed
def tcp_a_long_answer() -> None:
    """Longer than any datagram: its addresses are learned all the same, and the next answer's too."""
    s = over_tcp()
    s.sendall(framed(query("many.example")))
    message = answer(s.recv)
    assert len(message) > 4096, len(message)
    use(address_in(message))
    s.sendall(framed(query(ALLOWED)))
    use(address_in(answer(s.recv)))


MANY = 100


def use_all(addresses: list[str]) -> None:
    """Nobody listens there, and there is no way there: what the kernel says of that is well."""
    for address in addresses:
        try:
            use(address)
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.ENETUNREACH):
                raise


@allowed
def tcp_in_the_midst_of_many() -> None:
    """The beginnings of all answers are read, and then the rest of each."""
    begin = 14
    streams = [over_tcp() for _ in range(MANY)]
    for i, s in enumerate(streams):
        s.sendall(framed(query(f"h{i}.wild.example")))
    sizes = [struct.unpack("!H", exactly(s.recv, begin)[:2])[0] for s in streams]
    rests = [exactly(s.recv, 2 + size - begin) for s, size in zip(streams, sizes, strict=True)]
    use_all([socket.inet_ntoa(rest[-4:]) for rest in rests])


@way
def two_names_of_two_rules() -> None:
    """*.wild.example is for another port, and was let through by it last."""
    for name in ("allowed.wild.example", "b.wild.example"):
        socket.getaddrinfo(name, 80, socket.AF_INET)
    use(SERVER)


# What must not leave.


each(
    denied,
    tcp_denied=lambda: over_tcp().sendall(framed(query(DENIED))),
    tcp_denied_by_write=lambda: os.write(over_tcp().detach(), framed(query(DENIED))),
    tcp_denied_text=lambda: over_tcp().sendall(framed(query("c2VjcmV0.denied.example", 16))),
    tcp_denied_behind_allowed=lambda: over_tcp().sendall(framed(query(ALLOWED), query(DENIED))),
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
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.connect(RESOLVER)
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
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(query("x")[:12] + labels + struct.pack("!HH", 1, 1), RESOLVER)
        address_in(s.recv(500))


@way
def udp_corked_by_another_level() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(136, 1, 1)
        s.sendto(query("x.wild.example"), RESOLVER)
        s.sendto(b"denied.example", ("127.0.0.1", 9999))
        s.setsockopt(136, 1, 0)


def errno_of(name: str) -> int | None:
    try:
        WAYS[name]()
    except socket.gaierror as error:
        return NO_SUCH_NAME if error.args[0] == socket.EAI_NONAME else error.args[0]
    except OSError as error:
        return error.errno or errno.ETIMEDOUT  # the socket's own time limit has no number
    return None


if __name__ == "__main__":
    for module in ("datagrams", "forged"):
        importlib.import_module(module)  # its ways join these
    print(json.dumps({name: errno_of(name) for name in sys.argv[1:]}))
