"""Runs inside the sandbox, with queries.py: an allowed name is asked for by UDP sockets that are connected to the name
server, whatever they were before, become since, or share a number with."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from questions import ALLOWED, RESOLVER, address_in, allowed, by_udp, query, to_resolver, use
from ways import LIBC, disconnect, each, refusal, way


def answered(s: socket.socket) -> bytes:
    s.send(query(ALLOWED))
    return s.recv(500)


def by_number(number: int) -> None:
    os.write(number, query(ALLOWED))
    use(address_in(os.read(number, 500)))


each(
    allowed,
    udp_by_write_and_read=lambda: by_number(to_resolver().detach()),
    udp_on_a_duplicate=lambda: by_number(os.dup(to_resolver().detach())),
)


@allowed
def udp_among_what_others_send() -> None:
    """To a socket that is connected to a name server it does not exist, whoever reads in whatever way."""
    with to_resolver() as s, by_udp() as other:
        s.settimeout(5)
        reads: tuple[Callable[[], bytes], ...] = (
            lambda: s.recv(500),
            lambda: os.read(s.fileno(), 500),
            lambda: s.recv(500, socket.MSG_PEEK),
            lambda: s.recvmsg(500)[0],
            lambda: s.recvfrom(500)[0],
        )
        message = b""
        for read in reads:
            s.send(query(ALLOWED, number=0x4321))  # gives it a port
            here = ("127.0.0.1", s.getsockname()[1])
            assert s.recv(500)[:2] == b"\x43\x21"
            for _ in range(3):
                other.sendto(query(ALLOWED, number=0x6666), here)
            s.setblocking(False)
            assert refusal(partial(s.recv, 500)) == errno.EAGAIN
            s.setblocking(True)
            for _ in range(3):
                other.sendto(bytes(20_000), here)
            s.send(query(ALLOWED))
            message = read()
            assert message[:2] == b"\x12\x34", message
            if read is reads[2]:
                assert s.recv(500) == message
        use(address_in(message))


@allowed
def udp_where_a_connected_one_was() -> None:
    """By its number another socket hears everybody, and has no peer; by its copy too."""
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    with to_resolver() as s:
        message = answered(s)
        number = s.fileno()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, s.dup() as copy, by_udp() as other:
        assert s.fileno() == number
        s.bind(("127.0.0.1", 0))
        for each in (s, copy):
            each.settimeout(5)
            for data in (b"plain", b""):
                other.sendto(data, s.getsockname())
                assert each.recv(500) == data
            assert refusal(each.getpeername) == errno.ENOTCONN
            assert refusal(partial(each.send, query(ALLOWED))) == errno.EDESTADDRREQ
    use(address_in(message))


@allowed
def udp_connected_elsewhere_since() -> None:
    """By each of its numbers it hears its new peer."""
    with to_resolver() as s, by_udp() as peer:
        message = answered(s)
        copy = s.dup()
        peer.bind(("127.0.0.1", 0))
        s.connect(peer.getsockname())
        for each in (s, copy):
            each.settimeout(5)
            peer.sendto(b"plain", s.getsockname())
            assert each.recv(500) == b"plain"
            assert each.getpeername() == peer.getsockname()
    use(address_in(message))


@allowed
def udp_with_a_port_of_its_own() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", 0))
        port = s.getsockname()[1]
        s.connect(RESOLVER)
        assert s.getsockname()[1] == port
        use(address_in(answered(s)))
        assert s.getsockname()[1] == port


@allowed
def udp_beside_a_child_that_has_another_by_its_number() -> None:
    with to_resolver() as s, by_udp(query(ALLOWED)) as asked:
        asked.recv(500)
        laid = [(os.POSIX_SPAWN_DUP2, asked.fileno(), s.fileno())]
        child = os.posix_spawn("/bin/true", ["true"], {}, file_actions=laid)  # shares the memory until it is started
        os.waitpid(child, 0)
        use(address_in(answered(s)))


@allowed
def udp_to_more_servers_than_are_remembered() -> None:
    """The last ones are; and the function's own."""
    servers = [(f"127.0.{high}.{low}", 53) for high in range(1, 4) for low in range(1, 201)]
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(by_udp()) for _ in servers]
        for s, server in zip(sockets, servers, strict=True):
            s.connect(server)
        for s, server in list(zip(sockets, servers, strict=True))[-100:]:
            assert s.getpeername() == server
        assert refusal(sockets[0].getpeername) == errno.ENOTCONN
        by_number(os.dup(to_resolver().detach()))
        sockets[0].connect(RESOLVER)
        use(address_in(answered(sockets[0])))


@allowed
def udp_losing_its_server_by_a_copy() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, s.dup() as before:
        s.connect(RESOLVER)
        with s.dup() as copy:
            disconnect(copy.fileno())
        assert refusal(partial(s.send, query(ALLOWED))) == errno.EDESTADDRREQ
        with by_udp() as peer:
            peer.bind(("127.0.0.1", 0))
            s.connect(RESOLVER)
            before.connect(peer.getsockname())
            s.send(b"plain")
            assert peer.recv(500) == b"plain"
    by_number(os.dup(to_resolver().detach()))


@way
def udp_read_before_it_is_asked() -> None:
    """Nothing has gone by it when the reader comes."""
    answers: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        reader = threading.Thread(target=lambda: answers.append(s.recv(500)))
        reader.start()
        time.sleep(0.3)
        s.sendto(query(ALLOWED), RESOLVER)
        reader.join()
    use(address_in(answers[0]))


@allowed
def udp_by_headers_of_two() -> None:
    """A name of no length is none; and who waits for two gets two."""
    with to_resolver() as s:
        asked, answers = ctypes.create_string_buffer(query(ALLOWED)), [ctypes.create_string_buffer(500) for _ in "12"]
        parts = [(ctypes.c_size_t * 2)(ctypes.addressof(b), len(b)) for b in answers]
        question = (ctypes.c_size_t * 2)(ctypes.addressof(asked), len(asked) - 1)
        header = (ctypes.c_size_t * 7)(ctypes.addressof(asked), 0, ctypes.addressof(question), 1)

        def ask() -> None:
            for _ in range(2):
                time.sleep(0.1)
                assert LIBC.sendmsg(s.fileno(), header, 0) == len(asked) - 1

        thread = threading.Thread(target=ask)
        thread.start()
        words = [word for part in parts for word in (0, 0, ctypes.addressof(part), 1, 0, 0, 0, 0)]
        both = (ctypes.c_size_t * 16)(*words)
        assert LIBC.recvmmsg(s.fileno(), both, 2, 0, None) == 2
        thread.join()
        for i, got in enumerate(answers):
            use(address_in(got.raw[: both[8 * i + 7]]))
