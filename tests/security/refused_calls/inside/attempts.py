# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
"""Runs inside the sandbox: asks for an event, then does what must go on working, and tries what must be denied.

Prints one JSON object: for each attempt "done", or how it ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import mmap
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from hellos import HOST, connected, hello

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
AT_FDCWD, THERE, HANDLER = -100, "/tmp/there", "/var/task/app.py"
FOREIGN_V4, LISTED, RESOLVER = "203.0.113.77", "198.51.100.9", "169.254.78.1"
WORKS: dict[str, Callable[[], object]] = {}
DENIED: dict[str, Callable[[], object]] = {}
NUMBERS = {"io_uring_setup": 425, "userfaultfd": 323 if platform.machine() == "x86_64" else 282}


def works(function: Callable[[], object]) -> Callable[[], object]:
    WORKS[function.__name__] = function
    return function


def denied(function: Callable[[], object]) -> Callable[[], object]:
    DENIED[function.__name__] = function
    return function


def checked(result: int | None) -> int:
    if result is None or result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def query(name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def found(answer: bytes) -> None:
    """Raises where it holds no address: what is asked in place of a forbidden name has none (RFC 1035, 4.1.1)."""
    if struct.unpack("!H", answer[6:8]) == (0,):
        raise PermissionError(13, "no address")


def in_child(work: Callable[[], object]) -> None:
    """In a forked copy, whose errno comes back as its status."""
    child = os.fork()
    if child == 0:
        status = 0
        try:
            work()
        except OSError as error:
            status = error.errno or 255
        except BaseException:
            status = 254
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise OSError(status, os.strerror(status))


# What must go on working.


@works
def name_is_found() -> object:
    return socket.getaddrinfo(HOST, 443, socket.AF_INET)


@works
def connection_by_name() -> None:
    with connected() as s:
        s.sendall(hello(HOST))


@works
def connection_by_address() -> None:
    socket.create_connection((LISTED, 443), timeout=5).close()


@works
def question_by_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(query(HOST), (RESOLVER, 53))
        assert len(s.recv(512)) > 12


@works
def file_of_the_system() -> None:
    with open("/etc/resolv.conf") as file:
        assert file.read()


@works
def listing_of_the_root() -> None:
    assert "etc" in os.listdir("/")


@works
def file_in_listed_tmp() -> None:
    with open("/tmp/listed/file", "w") as file:
        file.write("text")
    os.rename("/tmp/listed/file", "/tmp/listed/renamed")
    os.unlink("/tmp/listed/renamed")


@works
def listed_program() -> None:
    assert subprocess.run(["/bin/true"], check=False, timeout=20).returncode == 0


@works
def pipe() -> None:
    read, write = os.pipe()
    os.write(write, b"x")
    assert os.read(read, 1) == b"x"
    os.close(read)
    os.close(write)


@works
def forked_copy() -> None:
    in_child(lambda: None)


@works
def thread() -> None:
    done = threading.Event()
    threading.Thread(target=done.set).start()
    assert done.wait(5)


@works
def anonymous_memory() -> None:
    with mmap.mmap(-1, 1 << 20) as memory:
        memory[0] = 1


@works
def library() -> object:
    return importlib.import_module("_decimal")


@works
def pair_of_sockets() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"


@works
def signal_handler() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert seen


@works
def own_status() -> None:
    with open("/proc/self/status") as file:
        assert "Name" in file.read()
    time.sleep(0)


# What must be denied: hosts.


@denied
def tcp() -> None:
    socket.create_connection((FOREIGN_V4, 443), timeout=2)


@denied
def tcp_by_ipv6() -> None:
    socket.create_connection(("2001:db8::77", 443), timeout=2)


@denied
def tcp_without_waiting() -> None:
    with socket.socket() as s:
        s.setblocking(False)
        s.connect((FOREIGN_V4, 443))


@denied
def second_connect() -> None:
    with socket.socket() as s:
        s.connect((LISTED, 443))
        LIBC.connect(s.fileno(), bytes(16), 16)  # AF_UNSPEC
        s.connect((FOREIGN_V4, 443))


@denied
def connect_of_a_duplicate() -> None:
    with socket.socket() as s, s.dup() as other:
        other.connect((FOREIGN_V4, 443))


@denied
def udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", (FOREIGN_V4, 443))


@denied
def udp_by_sendmsg() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendmsg([b"x"], [], 0, (FOREIGN_V4, 443))


@denied
def udp_connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((FOREIGN_V4, 443))


@denied
def question_to_another_server() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(query(HOST), (FOREIGN_V4, 53))


@denied
def question_for_a_foreign_name() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(query("other.example"), (RESOLVER, 53))
        found(s.recv(512))


@denied
def question_for_a_foreign_name_when_connected() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect((RESOLVER, 53))
        s.send(query("other.example"))
        found(s.recv(512))


@denied
def question_by_tcp() -> None:
    with socket.create_connection((RESOLVER, 53), timeout=2) as s:
        asked = query("other.example")
        s.sendall(struct.pack("!H", len(asked)) + asked)
        found(s.recv(2) and s.recv(512))


@denied
def foreign_name_in_tls() -> None:
    with connected() as s:
        s.sendall(hello("evil.example"))


@denied
def foreign_name_in_tls_by_write() -> None:
    with connected() as s:
        os.write(s.fileno(), hello("evil.example"))


@denied
def foreign_name_in_tls_of_a_copy() -> None:
    with connected() as s:
        in_child(lambda: s.sendall(hello("evil.example")))


@denied
def packets_of_another_family() -> None:
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()


@denied
def generic_netlink() -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16).close()


# Files in /tmp.


@denied
def tmp_read() -> None:
    os.open(THERE, os.O_RDONLY)


@denied
def tmp_write() -> None:
    os.open(THERE, os.O_WRONLY)


@denied
def tmp_create() -> None:
    os.open("/tmp/new", os.O_CREAT | os.O_WRONLY)


@denied
def tmp_list() -> None:
    os.listdir("/tmp")


@denied
def tmp_by_a_relative_path() -> None:
    os.chdir("/etc")
    os.open("../tmp/there", os.O_RDONLY)


@denied
def tmp_by_a_directory() -> None:
    root = os.open("/", os.O_RDONLY)
    os.open("tmp/there", os.O_RDONLY, dir_fd=root)


@denied
def tmp_by_proc() -> None:
    os.open("/proc/self/root/tmp/there", os.O_RDONLY)


@denied
def tmp_by_a_link() -> None:
    os.open("/var/task/link", os.O_RDONLY)


@denied
def tmp_by_the_working_directory() -> None:
    os.chdir("/tmp")
    os.open("there", os.O_RDONLY)


@denied
def tmp_mkdir() -> None:
    os.mkdir("/tmp/made")


@denied
def tmp_rename() -> None:
    os.rename(THERE, "/tmp/moved")
    os.rename("/tmp/moved", THERE)


@denied
def tmp_link() -> None:
    os.link(THERE, "/tmp/linked")


@denied
def tmp_symlink() -> None:
    os.symlink("/etc/passwd", "/tmp/symlink")


@denied
def tmp_unlink() -> None:
    os.unlink(THERE)
    with open(THERE, "w") as file:
        file.write("content")


@denied
def tmp_chmod() -> None:
    os.chmod(THERE, 0o600)


@denied
def tmp_truncate() -> None:
    os.truncate(THERE, 0)


@denied
def tmp_socket() -> None:
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("/tmp/socket")


# Programs.


@denied
def program() -> None:
    subprocess.run(["/bin/echo", "leaked"], check=False, timeout=20)


@denied
def program_by_posix_spawn() -> None:
    os.waitpid(os.posix_spawn("/bin/echo", ["echo", "leaked"], {}), 0)


@denied
def program_by_exec() -> None:
    in_child(lambda: os.execv("/bin/echo", ["echo", "leaked"]))


@denied
def program_by_a_descriptor() -> None:
    file = os.open("/bin/echo", os.O_RDONLY)
    in_child(lambda: os.execve(file, ["echo", "leaked"], {}))


@denied
def listed_program_that_is_shielded() -> None:
    """What is not allowed is not allowed to it either."""
    done = subprocess.run(["/bin/cat", THERE], capture_output=True, check=False, timeout=20)
    if done.returncode:
        raise PermissionError(13, done.stderr.decode())


# The handler.


@denied
def handler_read() -> None:
    os.open(HANDLER, os.O_RDONLY)


@denied
def handler_by_proc() -> None:
    os.open("/proc/self/root/var/task/app.py", os.O_RDONLY)


@denied
def handler_by_a_directory() -> None:
    task = os.open("/var/task", os.O_RDONLY)
    os.open("app.py", os.O_RDONLY, dir_fd=task)


# Memory, and the shield itself.


@denied
def memory_to_write_and_run() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


@denied
def memory_made_to_run() -> None:
    memory = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    checked(LIBC.mprotect(ctypes.c_void_p(address), 4096, mmap.PROT_READ | mmap.PROT_EXEC))


@denied
def own_memory_by_proc() -> None:
    os.open("/proc/self/mem", os.O_RDWR)


@denied
def io_uring() -> None:
    parameters = ctypes.create_string_buffer(120)
    checked(LIBC.syscall(NUMBERS["io_uring_setup"], 8, parameters))


@denied
def new_namespace() -> None:
    in_child(lambda: checked(LIBC.unshare(0x10000000)))  # CLONE_NEWUSER


def ask_for_an_event() -> None:
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        s.sendall(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert s.recv(4096)


def outcome(function: Callable[[], object]) -> str:
    try:
        function()
    except socket.gaierror as error:
        return f"EAI {error.args[0]}"
    except OSError as error:
        return f"errno {error.errno}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        with contextlib.suppress(OSError):
            os.chdir("/")
    return "done"


def main() -> None:
    ask_for_an_event()
    told = {
        kind: {name: outcome(each) for name, each in table.items()}
        for kind, table in (("works", WORKS), ("denied", DENIED))
    }
    print(json.dumps(told))
    sys.stdout.flush()


main()
