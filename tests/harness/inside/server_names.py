"""Runs inside the sandbox: ways to say a server name on a connection whose address was allowed by another."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import landlock
from hellos import (
    HOST,
    SSL_REQUEST,
    address,
    after,
    connected,
    cut,
    extension,
    foreign,
    foreign_name,
    hello,
    joined,
    send_all,
    server_name,
    unchecked,
    with_extensions,
)
from questions import to_resolver
from ways import (
    LIBC,
    Vector,
    checked,
    copy_does,
    each,
    print_refusals,
    raise_from,
    refusal,
    send_messages,
    taken_over,
    way,
)

# What only some servers take for a beginning: OpenSSL, Go, Java or BoringSSL.
WARNING, NO_CHANGE = b"\x15\x03\x01\x00\x02\x01\x5a", b"\x14\x03\x03\x00\x00"


def record(body: bytes) -> bytes:
    return b"\x16\x03\x01" + struct.pack("!H", len(body)) + body


def both() -> bytes:
    return with_extensions(server_name(HOST) + server_name(foreign_name()))


def with_option(s: socket.socket, level: int, option: int) -> socket.socket:
    s.setsockopt(level, option, 1)
    return s


def in_memory(data: bytes) -> int:
    """A file that holds it."""
    file = os.memfd_create("hello")
    os.write(file, data)
    return file


def piped(data: bytes) -> int:
    reads, writes = os.pipe()
    os.write(writes, data)
    os.close(writes)
    return reads


def by_a_copy_made_before(copy: Callable[[int], int]) -> None:
    s = socket.socket()
    other = copy(s.fileno())
    s.connect(address())
    os.write(other, hello())


WRITES = """import os, sys
print(flush=True)
os.read(0, 1)
try: os.write(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))
except OSError as error: sys.exit(error.errno)
"""


def by_a_program(s: socket.socket, then: Callable[[], object] = int) -> None:
    """It inherits the socket, and writes once `then` is done here."""
    argv = [sys.executable, "-c", WRITES, str(s.fileno()), hello().hex()]
    with subprocess.Popen(argv, pass_fds=[s.fileno()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.readline()
        then()
        child.stdin.write(b"x")
    raise_from(child.returncode)


def over_a_number(s: socket.socket) -> int:
    return os.dup2(s.detach(), os.open("/dev/null", os.O_WRONLY))


each(
    foreign,
    send=lambda: send_all(hello()),
    write=lambda: os.write(connected().detach(), hello()),
    writev=lambda: os.writev(connected().detach(), cut(hello(), 3, 90)),
    sendto=lambda: connected().sendto(hello(), address()),
    sendmsg=lambda: connected().sendmsg(cut(hello(), 50)),
    sendmmsg=lambda: send_messages(connected().detach(), hello()),
    duplicate=lambda: os.write(os.dup(connected().detach()), hello()),
    duplicate_high=lambda: os.write(fcntl.fcntl(connected().detach(), fcntl.F_DUPFD_CLOEXEC, 300), hello()),
    duplicate_over=lambda: os.write(over_a_number(connected()), hello()),
    duplicate_before_it_is_connected=lambda: by_a_copy_made_before(os.dup),
    one_byte_first=lambda: send_all(*cut(hello(), 1)),
    header_first=lambda: send_all(*cut(hello(), 5)),
    in_two_records=lambda: send_all(b"".join(map(record, cut(hello()[5:], 40)))),
    without_a_name=lambda: send_all(hello(None)),
    with_a_zero_behind_it=lambda: send_all(with_extensions(server_name(foreign_name() + "\0"))),
    with_two_names=lambda: send_all(both()),
    with_two_names_in_one=lambda: send_all(with_extensions(server_name(HOST, foreign_name()))),
    after_a_question=lambda: send_all(SSL_REQUEST, hello()),
    with_a_question_in_one=lambda: send_all(SSL_REQUEST + hello()),
    after_half_a_question=lambda: send_all(*cut(SSL_REQUEST, 4), hello()),
    after_a_warning=lambda: send_all(WARNING, hello()),
    with_a_warning_in_front=lambda: send_all(WARNING + hello()),
    after_ten_warnings_in_one=lambda: send_all(b"\x15\x03\x01\x00\x14" + b"\x01\x5a" * 10, hello()),
    with_an_empty_record_in_front=lambda: send_all(record(b"") + hello()),
    with_an_empty_change_in_front=lambda: send_all(NO_CHANGE + hello()),
    of_another_version=lambda: send_all(hello()[:1] + b"\x02" + hello()[2:]),
    in_the_form_of_ssl_2=lambda: send_all(b"\x80\x2e\x01\x03\x01" + bytes(43) + foreign_name().encode()),
    in_a_second_hello_at_once=lambda: send_all(hello(HOST) + hello()),
    # The first write ends behind an allowed name; Java takes the last of two.
    in_the_rest_of_a_hello=lambda: send_all(*cut(both(), -len(server_name(foreign_name())))),
    behind_early_data=lambda: send_all(
        with_extensions(server_name(HOST) + extension(42, b"")), b"\x17\x03\x03\x00\x30" + bytes(48), hello()
    ),
    in_a_forked_copy=lambda: copy_does(partial(os.write, connected().detach(), hello()))(),
    in_a_program=lambda: by_a_program(connected()),
    handed_over=lambda: os.write(taken_over(connected().detach())[0], hello()),
    handed_over_before_it_is_connected=lambda: by_a_copy_made_before(lambda number: taken_over(number)[0]),
    fast_open=lambda: socket.socket().sendto(hello(), socket.MSG_FASTOPEN, address()),
    # A vfork child closes its copy; the mark is on memory that it shares.
    after_a_program_closed_it=lambda: after(lambda _: subprocess.run(["/bin/true"], close_fds=True, check=False)),
)
each(
    way,
    # The server asks for another one when it did not like the first (HelloRetryRequest), and may take its name.
    in_a_second_hello=lambda: send_all(hello(HOST), hello()),
    pwritev2=lambda: checked(
        LIBC.pwritev2(connected().detach(), ctypes.byref(Vector(hello(), len(hello()))), 1, ctypes.c_long(-1), 0)
    ),
    sendfile=lambda: os.sendfile(connected().detach(), in_memory(hello()), 0, len(hello())),
    splice=lambda: os.splice(piped(hello()), connected().detach(), len(hello())),
    zero_copy=lambda: with_option(connected(), socket.SOL_SOCKET, 60).send(hello(), 0x4000000),
    fast_open_by_option=lambda: joined(with_option(socket.socket(), socket.IPPROTO_TCP, 30)).send(hello()),
    said_to_have_been_seen=lambda: with_option(connected(), socket.SOL_SOCKET, 44).send(hello()),
    an_address_as_name=lambda: send_all(with_extensions(server_name("203.0.113.9"))),
    # Multipath TCP, whose sockets the kernel does not let remember that they were seen.
    by_another_tcp=lambda: joined(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)).send(hello()),
)


@foreign
def duplicate_after_closing_another() -> None:
    """The number of a file that was written to before is taken by the connection."""
    file = os.open("/dev/null", os.O_WRONLY)
    os.write(file, b"x")
    os.close(file)
    s = connected()
    assert s.fileno() == file
    os.write(s.detach(), hello())


@foreign
def on_a_duplicate_in_halves() -> None:
    s = connected()
    first, rest = cut(hello(), 60)
    s.send(first)
    os.write(os.dup(s.fileno()), rest)


@way
def after_urgent_data() -> None:
    s = connected()
    s.send(b"X", socket.MSG_OOB)
    s.send(hello())


@foreign
def forked_before_it_is_connected() -> None:
    s, where, data, (reads, writes) = socket.socket(), address(), hello(), os.pipe()
    end = copy_does(lambda: os.read(reads, 1) and os.write(s.fileno(), data))
    s.connect(where)
    os.write(writes, b"x")
    end()


@foreign
def inherited_before_it_is_connected() -> None:
    s = socket.socket()
    by_a_program(s, lambda: s.connect(address()))


@foreign
def after_a_question_and_a_failed_write() -> None:
    s = connected()
    with s.dup():
        s.send(SSL_REQUEST)
        refusal(lambda: s.sendmsg([b"plain"], [(socket.SOL_SOCKET, 999, b"")]))
        s.send(hello())


@foreign
def under_a_failed_duplicate() -> None:
    s = connected()
    LIBC.dup3(to_resolver().detach(), s.fileno(), 0x7FFF0000)
    os.write(s.fileno(), hello())


@foreign
def under_a_mark_that_a_program_left() -> None:
    """What starts a program lays other descriptors over its own numbers, in this process's memory."""
    name_server = to_resolver().detach()
    laid = partial(os.posix_spawn, "/nowhere", ["nowhere"], {})
    after(lambda s: laid(file_actions=[(os.POSIX_SPAWN_DUP2, name_server, s.fileno())]))


@foreign
def before_it_is_connected() -> None:
    s = socket.socket()
    where = address()
    s.setblocking(False)
    s.connect_ex(where)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            s.send(hello())
            return


@way
def asynchronous() -> None:
    context = ctypes.c_ulong(0)
    io_setup, io_submit = {"x86_64": (206, 209), "aarch64": (0, 2)}[os.uname().machine]
    checked(LIBC.syscall(io_setup, 8, ctypes.byref(context)))
    data = ctypes.create_string_buffer(hello())
    place, size = ctypes.addressof(data), len(data) - 1
    block = struct.pack("=QIIHHIQQqQII", 0, 0, 0, 1, 0, connected().detach(), place, size, 0, 0, 0, 0)
    control = ctypes.create_string_buffer(block, len(block))
    checked(LIBC.syscall(io_submit, context, 1, (ctypes.c_void_p * 1)(ctypes.addressof(control))))


@foreign
def handed_over_after_a_question() -> None:
    s = connected()
    s.send(SSL_REQUEST)
    os.write(taken_over(s.fileno())[0], hello())


@way
def in_a_program_that_may_list_nothing() -> None:
    """It inherits a connection, and cannot look what it inherited."""
    s, data = connected(), piped(hello())
    landlock.keep(landlock.READ_DIR)
    done = subprocess.run(["/bin/cat"], stdin=data, stdout=s.fileno(), stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise PermissionError(errno.EACCES, done.stderr)


@foreign
def a_handshake_of_the_standard_library() -> None:
    s = connected()
    s.settimeout(1)
    with contextlib.suppress(TimeoutError):  # whoever listens there is no TLS server
        unchecked().wrap_socket(s, server_hostname=foreign_name())


if __name__ == "__main__":
    print_refusals("lost_peers", "passing_names")
