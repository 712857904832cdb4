"""Runs inside the sandbox: DNS in ways that resolver libraries have, and in some that they do not.

The last line of output is, for each way that was named, the errno that it ended with, or null, as JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

RESOLVER = ("169.254.78.1", 53)
SERVER = "203.0.113.9"
ALLOWED, DENIED = "allowed.example", "denied.example"
CLOSING = "closing.wild.example"  # the server hangs up behind its answer
NO_SUCH_NAME = 1002
RANDOM = "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpi.wild.example"
WAYS: dict[str, Callable[[], None]] = {}


def way(function: Callable[[], None]) -> Callable[[], None]:
    WAYS[function.__name__] = function
    return function


def query(name: str, kind: int = 1, number: int = 0x1234) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\x00" + struct.pack("!HH", kind, 1)


def framed(*queries: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(q)) + q for q in queries)


def over_tcp() -> socket.socket:
    return socket.create_connection(RESOLVER, timeout=5)


def exactly(read: Callable[[int], bytes], size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = read(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def answer(read: Callable[[int], bytes]) -> bytes:
    """One answer from a stream, its length read first, as libraries do."""
    (size,) = struct.unpack("!H", exactly(read, 2))
    return exactly(read, size)


def address_in(message: bytes) -> str:
    if message[3] & 15:
        raise OSError(NO_SUCH_NAME, "no such name")
    return socket.inet_ntoa(message[-4:])


def use(address: str) -> None:
    socket.create_connection((address, 80), timeout=5).close()


@way
def tcp_then_connect() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED)))
    use(address_in(answer(s.recv)))


@way
def tcp_by_write_and_read() -> None:
    number = over_tcp().detach()
    os.set_blocking(number, True)
    os.write(number, framed(query(ALLOWED)))
    use(address_in(answer(lambda size: os.read(number, size))))


@way
def tcp_behind_a_read_of_nothing() -> None:
    """It does not wait, neither before nor after anything came."""
    number = over_tcp().detach()
    os.set_blocking(number, True)
    assert os.read(number, 0) == b""
    os.write(number, framed(query(ALLOWED)))
    select.select([number], [], [], 5)
    assert os.readv(number, [bytearray(0)]) == 0
    use(address_in(answer(lambda size: os.read(number, size))))


@way
def udp_behind_a_read_of_nothing() -> None:
    with by_udp() as s:
        s.connect(RESOLVER)
        s.send(query(ALLOWED))
        select.select([s], [], [], 5)
        os.read(s.fileno(), 0)
        s.setblocking(False)  # an answer that was swallowed is an error then
        use(address_in(s.recv(512)))


@way
def answers_of_our_own() -> None:
    """Where this port may be taken, as in many containers; here the kernel says no as well, but reports nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 53))


@way
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


@way
def tcp_by_message() -> None:
    s = over_tcp()
    s.sendmsg([framed(query(ALLOWED))])
    use(address_in(answer(lambda size: s.recvmsg(size)[0])))


@way
def tcp_byte_by_byte() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED)))
    use(address_in(answer(lambda _: s.recv(1))))


@way
def tcp_two_at_once() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED), query("x.wild.example", number=7)))
    first, second = answer(s.recv), answer(s.recv)
    use(address_in(first))
    use(address_in(second))


@way
def tcp_all_in_one_read() -> None:
    s = over_tcp()
    s.sendall(framed(query(ALLOWED)))
    (size,) = struct.unpack("!H", s.recv(2, socket.MSG_PEEK | socket.MSG_WAITALL))
    use(address_in(exactly(s.recv, 2 + size)[2:]))


@way
def tcp_wait_for_all() -> None:
    s = over_tcp()
    s.settimeout(None)
    s.sendall(framed(query(ALLOWED)))
    (size,) = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))
    message = s.recv(size, socket.MSG_WAITALL)
    assert len(message) == size
    use(address_in(message))


@way
def tcp_wait_for_more_than_the_gate_holds() -> None:
    s = over_tcp()
    s.settimeout(None)
    s.sendall(framed(*[query("many.example")] * 5))
    assert len(s.recv(20_000, socket.MSG_WAITALL)) == 20_000


@way
def tcp_when_the_server_has_closed() -> None:
    """Its end waits behind the answer."""
    s = over_tcp()
    s.sendall(framed(query(CLOSING)))
    time.sleep(0.2)
    use(address_in(answer(s.recv)))


@way
def tcp_a_long_answer() -> None:
    """Longer than any datagram: its addresses are learnt all the same, and the next answer's too."""
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


@way
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
def tcp_behind_many_that_ended() -> None:
    """In the midst of their answers."""
    for i in range(2 * MANY):
        with over_tcp() as s:
            s.sendall(framed(query(f"h{i % MANY}.wild.example")))
            exactly(s.recv, 14)
    tcp_in_the_midst_of_many()


@way
def tcp_while_many_others_come_and_go() -> None:
    """The connection is kept, in the midst of nothing."""
    s = over_tcp()
    s.sendall(framed(query(ALLOWED)))
    answer(s.recv)
    for i in range(3 * MANY):
        with over_tcp() as other:
            other.sendall(framed(query(f"x{i}.wild.example")))
            answer(other.recv)
    s.sendall(framed(query("h7.wild.example")))
    use_all([address_in(answer(s.recv))])


@way
def udp_many_first() -> None:
    """All are asked for before any is used."""
    found = [socket.getaddrinfo(f"h{i}.wild.example", 80, socket.AF_INET, socket.SOCK_STREAM) for i in range(MANY)]
    assert {len(each) for each in found} == {8}
    use_all([str(each[0][4][0]) for each in found])


@way
def udp_behind_thousands_that_wait() -> None:
    """Its answer is read when thousands more were asked, all by the same number."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(100)]
        for s in sockets:
            s.connect(RESOLVER)
        sockets[0].send(query(ALLOWED))
        for i in range(5000):
            sockets[1 + i % 99].send(query(f"n{i}.wild.example"))
        use(address_in(sockets[0].recv(500)))


@way
def two_names_of_two_rules() -> None:
    """*.wild.example is for another port, and was let through by it last."""
    for name in ("allowed.wild.example", "b.wild.example"):
        socket.getaddrinfo(name, 80, socket.AF_INET)
    use(SERVER)


@way
def udp_by_write_and_read() -> None:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(RESOLVER)
    os.write(s.fileno(), query(ALLOWED))
    use(address_in(os.read(s.fileno(), 500)))


@way
def udp_among_what_others_send() -> None:
    """To a socket that is connected to a name server it does not exist, whoever reads in whatever way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, by_udp() as other:
        s.connect(RESOLVER)
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
            try:
                s.recv(500)
            except BlockingIOError:
                pass
            else:
                raise AssertionError
            s.setblocking(True)
            for _ in range(3):
                other.sendto(bytes(20_000), here)
            s.send(query(ALLOWED))
            message = read()
            assert message[:2] == b"\x12\x34", message
            if read is reads[2]:
                assert s.recv(500) == message
        use(address_in(message))


@way
def udp_where_a_connected_one_was() -> None:
    """By its number another socket hears everybody, and has no peer; by its copy too."""
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(RESOLVER)
        s.send(query(ALLOWED))
        message = s.recv(500)
        number = s.fileno()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, s.dup() as copy, by_udp() as other:
        assert s.fileno() == number
        s.bind(("127.0.0.1", 0))
        for each in (s, copy):
            each.settimeout(5)
            for data in (b"plain", b""):
                other.sendto(data, s.getsockname())
                assert each.recv(500) == data
            for ask in (each.getpeername, partial(each.send, query(ALLOWED))):
                try:
                    ask()
                except OSError:
                    continue
                raise AssertionError(ask)
    use(address_in(message))


@way
def udp_where_a_stream_was_in_a_forked_copy() -> None:
    """After a child that shared the memory no mark is taken away in a copy (watch_for_good)."""
    subprocess.run(["/bin/true"], check=True)
    child = os.fork()
    if not child:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        socket.socket().close()
        with by_udp(query(ALLOWED)) as s:
            message = s.recv(500)
        use(address_in(message))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@way
def udp_that_is_shut_down() -> None:
    """What is read by it ends."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(RESOLVER)
    s.send(query(ALLOWED))
    message = s.recv(500)
    with contextlib.suppress(OSError):
        s.shutdown(socket.SHUT_RDWR)
    assert s.recv(500) == b""
    use(address_in(message))


@way
def udp_connected_elsewhere_since() -> None:
    """By each of its numbers it hears its new peer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, by_udp() as peer:
        s.connect(RESOLVER)
        s.send(query(ALLOWED))
        message = s.recv(500)
        copy = s.dup()
        peer.bind(("127.0.0.1", 0))
        s.connect(peer.getsockname())
        for each in (s, copy):
            each.settimeout(5)
            peer.sendto(b"plain", s.getsockname())
            assert each.recv(500) == b"plain"
            assert each.getpeername() == peer.getsockname()
    use(address_in(message))


@way
def udp_with_a_port_of_its_own() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", 0))
        port = s.getsockname()[1]
        s.connect(RESOLVER)
        assert s.getsockname()[1] == port
        s.send(query(ALLOWED))
        use(address_in(s.recv(500)))
        assert s.getsockname()[1] == port


@way
def udp_after_a_peer_at_port_zero() -> None:
    """To sort addresses some connect to that port, and then to the server by the same socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", 0))
        s.connect(RESOLVER)
        s.send(query(ALLOWED))
        s.settimeout(5)
        use(address_in(s.recv(500)))


@way
def udp_after_a_connect_that_failed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(RESOLVER)
        with contextlib.suppress(PermissionError):
            s.connect(("127.255.255.255", 9))  # broadcast, which nobody asked for
        s.send(query(ALLOWED))
        use(address_in(s.recv(500)))


@way
def udp_beside_a_child_that_has_another_by_its_number() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, by_udp(query(ALLOWED)) as asked:
        s.connect(RESOLVER)
        asked.recv(500)
        laid = [(os.POSIX_SPAWN_DUP2, asked.fileno(), s.fileno())]
        child = os.posix_spawn("/bin/true", ["true"], {}, file_actions=laid)  # shares the memory until it is started
        os.waitpid(child, 0)
        s.send(query(ALLOWED))
        use(address_in(s.recv(500)))


@way
def udp_closed_while_it_loses_its_peer() -> None:
    libc = ctypes.CDLL(None)
    for _ in range(2000):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        number = s.detach()
        other = threading.Thread(target=libc.connect, args=(number, bytes(16), 16))
        other.start()
        os.close(number)
        other.join()
    udp_on_a_duplicate()


@way
def udp_laid_over_itself() -> None:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(RESOLVER)
        os.dup2(s.fileno(), s.fileno())
        s.send(query(ALLOWED))
        use(address_in(s.recv(500)))


@way
def udp_to_one_server_in_many_spellings() -> None:
    """In C what pads an address is often whatever lay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    message = b""
    for number in range(300):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            spelled = struct.pack("=H", socket.AF_INET) + struct.pack(">H", RESOLVER[1])
            spelled += socket.inet_aton(RESOLVER[0]) + number.to_bytes(8, "big")
            assert libc.connect(s.fileno(), spelled, len(spelled)) == 0, os.strerror(ctypes.get_errno())
            assert s.getpeername() == RESOLVER
            s.send(query(ALLOWED))
            message = s.recv(500)
    use(address_in(message))


@way
def udp_on_a_duplicate() -> None:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(RESOLVER)
    other = os.dup(s.fileno())
    os.write(other, query(ALLOWED))
    use(address_in(os.read(other, 500)))


# What must not leave.


@way
def tcp_denied() -> None:
    over_tcp().sendall(framed(query(DENIED)))


@way
def tcp_denied_by_write() -> None:
    os.write(over_tcp().detach(), framed(query(DENIED)))


@way
def tcp_denied_text() -> None:
    over_tcp().sendall(framed(query("c2VjcmV0.denied.example", 16)))


@way
def tcp_denied_behind_allowed() -> None:
    over_tcp().sendall(framed(query(ALLOWED), query(DENIED)))


@way
def tcp_denied_on_a_duplicate() -> None:
    os.write(os.dup(over_tcp().detach()), framed(query(DENIED)))


@way
def tcp_denied_in_pieces() -> None:
    s = over_tcp()
    data = framed(query(DENIED))
    s.sendall(data[:2])
    s.sendall(data[2:])


@way
def tcp_no_query() -> None:
    over_tcp().sendall(b"denied.example: something else than a query")


@way
def tcp_more_than_was_announced() -> None:
    over_tcp().sendall(framed(query(ALLOWED)) + b"denied.example")


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
def tcp_with_an_urgent_byte() -> None:
    """What the server reads lacks it, and begins elsewhere."""
    over_tcp().send(framed(query(ALLOWED)), socket.MSG_OOB)


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


FORGED = "198.51.100.7"


def forged(number: int) -> bytes:
    """The answer to the question with this number for the allowed name, with an address that nobody gave."""
    header = struct.pack("!HHHHHH", number, 0x8180, 1, 1, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(FORGED)
    return header + query(ALLOWED)[12:] + record


@way
def forged_answer_in_the_gates_memory() -> None:
    """What was gathered from us must not be learnt from, when the kernel throws the real answer away."""
    s = over_tcp()
    s.sendall(framed(query(ALLOWED, number=0x4242)))
    with contextlib.suppress(PermissionError):
        s.sendall(framed(forged(0x4242)))
    s.recv(2 + len(forged(0x4242)), socket.MSG_TRUNC)
    use(FORGED)


def forge(unseen: Callable[[socket.socket, int], bytes]) -> None:
    """The number of a question comes back: two bytes of each answer are read as ever, and the others in some other way.
    What was read makes up an answer that nobody gave."""
    s = over_tcp()
    s.settimeout(None)
    stream = framed(forged(0x4242))
    s.sendall(framed(query(ALLOWED, number=0x4242)))
    unseen(s, struct.unpack("!H", unseen(s, 2))[0])
    for (number,) in struct.iter_unpack("!H", stream + bytes(len(stream) % 2)):
        s.sendall(framed(query(ALLOWED, number=number)))
        (size,) = struct.unpack("!H", unseen(s, 2))
        assert s.recv(2) == struct.pack("!H", number)
        unseen(s, size - 2)
    use(FORGED)


@way
def forged_by_reads_at_an_offset() -> None:
    """preadv2(2): offset -1 is where the file is, which a socket has as well."""

    def read(s: socket.socket, size: int) -> bytes:
        part = bytearray(size)
        return bytes(part[: os.preadv(s.fileno(), [part], -1)])

    forge(lambda s, size: exactly(lambda n: read(s, n), size))


@way
def forged_by_splice() -> None:
    out, into = os.pipe()
    forge(lambda s, size: exactly(lambda n: os.read(out, os.splice(s.fileno(), into, n)), size))


@way
def forged_by_a_copy() -> None:
    out, into = os.pipe()

    def read(s: socket.socket, size: int) -> bytes:
        if not os.fork():
            os.write(into, exactly(s.recv, size))
            os._exit(0)
        os.wait()
        return os.read(out, size)

    forge(read)


@way
def forged_by_a_program() -> None:
    forge(lambda s, size: subprocess.check_output(["/usr/bin/head", "-c", str(size)], stdin=s.fileno()))


@way
def tcp_connected_anew() -> None:
    """Its bytes would be counted from the beginning again: the kernel ends a connection by itself when it was reset and
    nobody was told yet that it was made."""
    s = socket.socket()
    s.setblocking(False)
    assert s.connect_ex(RESOLVER) == errno.EINPROGRESS
    select.select([], [s], [], 5)
    s.sendall(framed(query(CLOSING)))
    time.sleep(0.2)
    s.recv(500)
    s.sendall(framed(query(ALLOWED)))
    time.sleep(0.2)
    with contextlib.suppress(BrokenPipeError):
        s.connect(RESOLVER)
    s.connect(RESOLVER)


@way
def a_looser_rule_by_a_name_that_looks_like_it() -> None:
    """The question for the name under the narrower entry is found again by the hash of one under the wider."""
    with by_udp(query(twin(ALLOWED, "wild.example"), 1, 0)) as s:
        time.sleep(0.2)
        s.sendto(query(ALLOWED, 1, 0), RESOLVER)
        time.sleep(0.2)
        use(address_in(s.recv(512)))


# Names that only a wildcard admits.


@way
def random_label() -> None:
    socket.getaddrinfo(RANDOM, 80, socket.AF_INET)


@way
def three_random_labels() -> None:
    for i in range(3):
        socket.getaddrinfo(f"{i}{RANDOM}", 80, socket.AF_INET)


@way
def usual_label() -> None:
    socket.getaddrinfo("www.wild.example", 80)


@way
def random_label_then_connect() -> None:
    socket.create_connection((RANDOM, 80), timeout=5).close()


PRIME, BASIS, LETTERS = 16777619, 2166136261, b"abcdefghijklmnopqrstuvwxyz0123456789"


def twin(name: str, parent: str = DENIED) -> str:
    """Another name of which the hash is the same by which the gate finds its questions again (32 bits, FNV-1a): met in
    the middle of a label of seven letters."""

    def after(state: int, text: bytes) -> int:
        for c in text:
            state = (state ^ c) * PRIME & 0xFFFFFFFF
        return state

    def before(state: int, text: Sequence[int]) -> int:
        for c in reversed(text):
            state = state * inverse & 0xFFFFFFFF ^ c
        return state

    inverse = pow(PRIME, -1, 1 << 32)
    beginnings = {after(BASIS, bytes(text)): bytes(text) for text in itertools.product(LETTERS, repeat=3)}
    end = before(after(BASIS, name.encode()), f".{parent}".encode())
    for text in itertools.product(LETTERS, repeat=4):
        if beginning := beginnings.get(before(end, text)):
            return f"{(beginning + bytes(text)).decode()}.{parent}"
    raise AssertionError(f"{name} has no twin; take another name")


def by_udp(*queries: bytes) -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    for message in queries:
        s.sendto(message, RESOLVER)
    return s


@way
def two_names_that_look_like_one() -> None:
    """An IPv4 and an IPv6 address, as of one name."""
    decoy = f"decoy.{DENIED}"
    by_udp(query(decoy), query(twin(decoy), 28)).recv(512)


@way
def an_answer_that_looks_like_anothers() -> None:
    """It comes in when an allowed question was asked that has the same number and hash."""
    with by_udp(query(twin(ALLOWED), 1, 0), query(ALLOWED, 1, 0)) as s:
        use(address_in(s.recv(512)))


def errno_of(name: str) -> int | None:
    try:
        WAYS[name]()
    except socket.gaierror as error:
        return NO_SUCH_NAME if error.args[0] == socket.EAI_NONAME else error.args[0]
    except OSError as error:
        return error.errno or errno.ETIMEDOUT  # the socket's own time limit has no number
    return None


if __name__ == "__main__":
    print(json.dumps({name: errno_of(name) for name in sys.argv[1:]}))
