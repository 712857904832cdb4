"""Runs inside the sandbox: ways to say a server name on a connection whose address was allowed by another.

The last line of output is, for each way that was named, the errno that it ended with, or null, as JSON.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import fcntl
import importlib
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import time

import landlock
from hellos import (
    FOREIGN,
    HOST,
    LIBC,
    SSL_REQUEST,
    WAYS,
    address,
    checked,
    connected,
    cut,
    each,
    extension,
    foreign,
    hello,
    send_all,
    server_name,
    taken_over,
    way,
    with_extensions,
)

TWO_NAMES = b"".join(b"\x00" + struct.pack("!H", len(n)) + n.encode() for n in (HOST, FOREIGN))
BOTH = with_extensions(server_name(HOST) + server_name(FOREIGN))
# What only some servers take for a beginning: OpenSSL, Go, Java or BoringSSL.
WARNING, NO_CHANGE = b"\x15\x03\x01\x00\x02\x01\x5a", b"\x14\x03\x03\x00\x00"


def record(body: bytes) -> bytes:
    return b"\x16\x03\x01" + struct.pack("!H", len(body)) + body


each(
    foreign,
    send=lambda: send_all(hello()),
    write=lambda: os.write(connected().detach(), hello()),
    sendto=lambda: connected().sendto(hello(), address()),
    duplicate=lambda: os.write(os.dup(connected().detach()), hello()),
    duplicate_high=lambda: os.write(fcntl.fcntl(connected().detach(), fcntl.F_DUPFD_CLOEXEC, 300), hello()),
    one_byte_first=lambda: send_all(*cut(hello(), 1)),
    header_first=lambda: send_all(*cut(hello(), 5)),
    in_two_records=lambda: send_all(b"".join(map(record, cut(hello()[5:], 40)))),
    without_a_name=lambda: send_all(hello(None)),
    with_two_names=lambda: send_all(BOTH),
    with_two_names_in_one=lambda: send_all(
        with_extensions(extension(0, struct.pack("!H", len(TWO_NAMES)) + TWO_NAMES))
    ),
    after_a_question=lambda: send_all(SSL_REQUEST, hello()),
    with_a_question_in_one=lambda: send_all(SSL_REQUEST + hello()),
    after_half_a_question=lambda: send_all(*cut(SSL_REQUEST, 4), hello()),
    after_a_warning=lambda: send_all(WARNING, hello()),
    with_a_warning_in_front=lambda: send_all(WARNING + hello()),
    after_ten_warnings_in_one=lambda: send_all(b"\x15\x03\x01\x00\x14" + b"\x01\x5a" * 10, hello()),
    with_an_empty_record_in_front=lambda: send_all(record(b"") + hello()),
    with_an_empty_change_in_front=lambda: send_all(NO_CHANGE + hello()),
    of_another_version=lambda: send_all(hello()[:1] + b"\x02" + hello()[2:]),
    in_the_form_of_ssl_2=lambda: send_all(b"\x80\x2e\x01\x03\x01" + bytes(43) + FOREIGN.encode()),
    in_a_second_hello_at_once=lambda: send_all(hello(HOST) + hello()),
    # The first write ends behind an allowed name; Java takes the last of two.
    in_the_rest_of_a_hello=lambda: send_all(*cut(BOTH, len(BOTH) - len(server_name(FOREIGN)))),
    behind_early_data=lambda: send_all(
        with_extensions(server_name(HOST) + extension(42, b"")), b"\x17\x03\x03\x00\x30" + bytes(48), hello()
    ),
)
each(
    way,
    # The server asks for another one when it did not like the first (HelloRetryRequest), and may take its name.
    in_a_second_hello=lambda: send_all(hello(HOST), hello()),
)


@foreign
def writev() -> None:
    data = hello()
    os.writev(connected().detach(), [data[:3], data[3:90], data[90:]])


@foreign
def sendmsg() -> None:
    data = hello()
    connected().sendmsg([data[:50], data[50:]])


class Message(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_len", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_len", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint32),
    ]


def vector_of(data: bytes) -> ctypes.Array[ctypes.c_void_p]:
    holder = ctypes.create_string_buffer(data, len(data))
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(holder), len(data))
    vector.holder = holder  # type: ignore[attr-defined]
    return vector


@foreign
def sendmmsg() -> None:
    vector = vector_of(hello())
    message = Message(vectors=ctypes.addressof(vector), count=1)
    checked(LIBC.sendmmsg(connected().detach(), ctypes.byref(message), 1, 0))


@way
def pwritev2() -> None:
    vector = vector_of(hello())
    checked(LIBC.pwritev2(connected().detach(), vector, 1, ctypes.c_long(-1), 0))


@way
def sendfile() -> None:
    file = os.memfd_create("hello")
    data = hello()
    os.write(file, data)
    os.sendfile(connected().detach(), file, 0, len(data))


@way
def splice() -> None:
    reads, writes = os.pipe()
    data = hello()
    os.write(writes, data)
    os.splice(reads, connected().detach(), len(data))


@foreign
def duplicate_over() -> None:
    other = os.open("/dev/null", os.O_WRONLY)
    os.dup2(connected().detach(), other)
    os.write(other, hello())


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
    other = os.dup(s.fileno())
    data = hello()
    s.send(data[:60])
    os.write(other, data[60:])


@way
def after_urgent_data() -> None:
    s = connected()
    s.send(b"X", socket.MSG_OOB)
    s.send(hello())


@foreign
def duplicate_before_it_is_connected() -> None:
    s = socket.socket()
    other = os.dup(s.fileno())
    s.connect(address())
    os.write(other, hello())


@foreign
def forked_before_it_is_connected() -> None:
    s = socket.socket()
    reads, writes = os.pipe()
    where, data = address(), hello()
    child = os.fork()
    if not child:
        try:
            os.read(reads, 1)
            os.write(s.fileno(), data)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    s.connect(where)
    os.write(writes, b"x")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))


@foreign
def inherited_before_it_is_connected() -> None:
    s = socket.socket()
    code = (
        "import os, sys\nprint(flush=True)\nos.read(0, 1)\n"
        "try: os.write(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))\nexcept OSError as e: sys.exit(e.errno)"
    )
    argv = [sys.executable, "-c", code, str(s.fileno()), hello().hex()]
    with subprocess.Popen(argv, pass_fds=[s.fileno()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.readline()
        s.connect(address())
        child.stdin.write(b"x")
    if child.returncode:
        raise OSError(child.returncode, os.strerror(child.returncode))


@foreign
def handed_over_before_it_is_connected() -> None:
    ours, theirs = socket.socketpair()
    s = socket.socket()
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
    _, control, _, _ = theirs.recvmsg(1, 64)
    s.connect(address())
    os.write(array.array("i", control[0][2])[0], hello())


def _fails_to_write(s: socket.socket) -> None:
    with contextlib.suppress(OSError):
        s.sendmsg([b"plain"], [(socket.SOL_SOCKET, 999, b"")])


@foreign
def after_a_question_and_a_failed_write() -> None:
    s = connected()
    with s.dup():
        s.send(SSL_REQUEST)
        _fails_to_write(s)
        s.send(hello())


@foreign
def under_a_failed_duplicate() -> None:
    s = connected()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.connect(("169.254.78.1", 53))
    LIBC.dup3(other.fileno(), s.fileno(), 0x7FFF0000)
    os.write(s.fileno(), hello())


@foreign
def under_a_mark_that_a_program_left() -> None:
    """What starts a program lays other descriptors over its own numbers, in this process's memory."""
    s = connected()
    name_server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    name_server.connect(("169.254.78.1", 53))
    actions = [(os.POSIX_SPAWN_DUP2, name_server.fileno(), s.fileno())]
    with contextlib.suppress(OSError):
        os.posix_spawn("/nowhere", ["nowhere"], {}, file_actions=actions)
    s.send(hello())


@foreign
def before_it_is_connected() -> None:
    s = socket.socket()
    where = address()
    s.setblocking(False)
    s.connect_ex(where)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            s.send(hello())
            return
        except BlockingIOError:
            pass


@foreign
def fast_open() -> None:
    s = socket.socket()
    s.sendto(hello(), socket.MSG_FASTOPEN, address())


@way
def fast_open_by_option() -> None:
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, 30, 1)
    s.connect(address())
    s.send(hello())


@way
def zero_copy() -> None:
    s = connected()
    s.setsockopt(socket.SOL_SOCKET, 60, 1)
    s.send(hello(), 0x4000000)


@way
def asynchronous() -> None:
    context = ctypes.c_ulong(0)
    io_setup = {"x86_64": 206, "aarch64": 0}[os.uname().machine]
    checked(LIBC.syscall(io_setup, 8, ctypes.byref(context)))
    data = hello()
    holder = ctypes.create_string_buffer(data, len(data))
    target, place = connected().detach(), ctypes.addressof(holder)
    block = struct.pack("=QIIHHIQQqQII", 0, 0, 0, 1, 0, target, place, len(data), 0, 0, 0, 0)
    control = ctypes.create_string_buffer(block, len(block))
    blocks = (ctypes.c_void_p * 1)(ctypes.addressof(control))
    checked(LIBC.syscall(io_setup + (3 if io_setup else 2), context, 1, blocks))


@foreign
def handed_over() -> None:
    os.write(taken_over(connected()), hello())


@foreign
def handed_over_after_a_question() -> None:
    s = connected()
    s.send(SSL_REQUEST)
    os.write(taken_over(s), hello())


@foreign
def in_a_forked_copy() -> None:
    s = connected()
    data = hello()
    child = os.fork()
    if not child:
        try:
            os.write(s.fileno(), data)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))


@foreign
def in_a_program() -> None:
    s = connected()
    code = (
        "import os, sys\n"
        "try: os.write(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))\nexcept OSError as e: sys.exit(e.errno)"
    )
    argv = [sys.executable, "-c", code, str(s.fileno()), hello().hex()]
    done = subprocess.run(argv, pass_fds=[s.fileno()], check=False)
    if done.returncode:
        raise OSError(done.returncode, os.strerror(done.returncode))


@way
def in_a_program_that_may_list_nothing() -> None:
    """It inherits a connection, and cannot look what it inherited."""
    s = connected()
    reads, writes = os.pipe()
    os.write(writes, hello())
    os.close(writes)
    landlock.keep(landlock.READ_DIR)
    done = subprocess.run(["/bin/cat"], stdin=reads, stdout=s.fileno(), stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise PermissionError(errno.EACCES, done.stderr)


@foreign
def after_a_program_closed_it() -> None:
    """A vfork child closes its copy; the mark is on memory that it shares."""
    s = connected()
    subprocess.run(["/bin/true"], close_fds=True, check=False)
    s.send(hello())


@foreign
def a_handshake_of_the_standard_library() -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    s = connected()
    s.settimeout(1)
    with contextlib.suppress(TimeoutError):  # whoever listens there is no TLS server
        context.wrap_socket(s, server_hostname=FOREIGN)


@way
def said_to_have_been_seen() -> None:
    s = connected()
    s.setsockopt(socket.SOL_SOCKET, 44, 1)
    s.send(hello())


@way
def by_another_tcp() -> None:
    """Multipath TCP, whose sockets the kernel does not let remember that they were seen."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as s:
        s.connect(address())
        s.send(hello())


def errno_of(name: str) -> int | None:
    try:
        WAYS[name]()
    except OSError as error:
        return error.errno or errno.ETIMEDOUT  # the socket's own time limit has no number
    return None


if __name__ == "__main__":
    for module in ("lost_peers", "passing_names"):
        importlib.import_module(module)  # its ways join these
    select.select([], [], [], 0)
    print(json.dumps({name: errno_of(name) for name in sys.argv[1:]}))
