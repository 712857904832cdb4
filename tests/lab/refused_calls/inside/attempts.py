# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
"""Runs inside the sandbox: asks for an event, then does what must go on working, and tries what must be denied.

Prints one JSON object: for each attempt "done", or how it ended. Most of what must be denied are cases
(security/cases/inside).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import mmap
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable

import common
import handler
import memory
import network
import tmp
import tmp_calls
import tmp_spellings
from hellos import HOST, connected, hello
from tools import LIBC, checked, forked, in_child

THERE = "/tmp/there"
FOREIGN, LISTED, RESOLVER = ("203.0.113.77", 443), ("198.51.100.9", 443), ("169.254.78.1", 53)
FOREIGN_NAME = hello("evil.example")
CASES = {
    network: "net_connect net_connect_ipv6 net_sendto net_sendmsg net_udp_connect net_handmade_query "
    "net_connected_query_by_write net_query_over_tcp",
    tmp: "tmp_open_existing tmp_open_write_only tmp_open_new tmp_listdir",
    tmp_spellings: "tmp_relative_from_outside tmp_directory_descriptor tmp_proc_self_root tmp_link_from_outside "
    "tmp_relative",
    tmp_calls: "tmp_mkdir tmp_rename tmp_link tmp_symlink tmp_unlink tmp_chmod tmp_truncate tmp_bind",
    handler: "handler_open handler_by_proc_root handler_up_from_proc",
    memory: "memory_anonymous_by_python",
}
WORKS: dict[str, Callable[[], object]] = {}
DENIED = {name: common.FUNCTIONS[name] for names in CASES.values() for name in names.split()}


def works(function: Callable[[], object]) -> Callable[[], object]:
    WORKS[function.__name__] = function
    return function


def denied(function: Callable[[], object]) -> Callable[[], object]:
    DENIED[function.__name__] = function
    return function


def udp() -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    return s


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
    socket.create_connection(LISTED, timeout=5).close()


@works
def question_by_udp() -> None:
    with udp() as s:
        s.sendto(network.query(HOST), RESOLVER)
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
    with mmap.mmap(-1, 1 << 20) as mapped:
        mapped[0] = 1


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


# What must be denied, beside the cases.


@denied
def tcp_without_waiting() -> None:
    with socket.socket() as s:
        s.setblocking(False)
        s.connect(FOREIGN)


@denied
def second_connect() -> None:
    with socket.socket() as s:
        s.connect(LISTED)
        LIBC.connect(s.fileno(), bytes(16), 16)  # AF_UNSPEC
        s.connect(FOREIGN)


@denied
def connect_of_a_duplicate() -> None:
    with socket.socket() as s, s.dup() as other:
        other.connect(FOREIGN)


@denied
def question_to_another_server() -> None:
    with udp() as s:
        s.sendto(network.query(HOST), (FOREIGN[0], 53))


@denied
def foreign_name_in_tls() -> None:
    with connected() as s:
        s.sendall(FOREIGN_NAME)


@denied
def foreign_name_in_tls_by_write() -> None:
    with connected() as s:
        os.write(s.fileno(), FOREIGN_NAME)


@denied
def foreign_name_in_tls_of_a_copy() -> None:
    with connected() as s:
        in_child(lambda: s.sendall(FOREIGN_NAME))


@denied
def packets_of_another_family() -> None:
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()


@denied
def generic_netlink() -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16).close()


@denied
def program() -> None:
    subprocess.run(["/bin/echo", "leaked"], check=False, timeout=20)


@denied
def program_by_posix_spawn() -> None:
    os.waitpid(os.posix_spawn("/bin/echo", ["echo", "leaked"], {}), 0)


@denied
def program_by_exec() -> None:
    forked(lambda: os.execv("/bin/echo", ["echo", "leaked"]))


@denied
def program_by_a_descriptor() -> None:
    file = os.open("/bin/echo", os.O_RDONLY)
    forked(lambda: os.execve(file, ["echo", "leaked"], {}))


@denied
def listed_program_that_is_shielded() -> None:
    """What is not allowed is not allowed to it either."""
    done = subprocess.run(["/bin/cat", THERE], capture_output=True, check=False, timeout=20)
    if done.returncode:
        raise PermissionError(13, done.stderr.decode())


@denied
def memory_made_to_run() -> None:
    address = ctypes.addressof(ctypes.c_char.from_buffer(mmap.mmap(-1, 4096)))
    checked(LIBC.mprotect(ctypes.c_void_p(address), 4096, mmap.PROT_READ | mmap.PROT_EXEC))


@denied
def ring() -> None:
    checked(LIBC.syscall(425, 4, ctypes.create_string_buffer(120)))  # io_uring_setup, everywhere


@denied
def namespace_of_its_own() -> None:
    in_child(lambda: checked(LIBC.unshare(0x10000000)))


@denied
def own_memory_by_proc() -> None:
    os.open("/proc/self/mem", os.O_RDWR)


def ask_for_an_event() -> None:
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        s.sendall(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert s.recv(4096)


def outcome(function: Callable[[], object]) -> str:
    if not os.path.exists(THERE):  # without the shield, the one before took it away
        with open(THERE, "w") as file:
            file.write("content")
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
    print(json.dumps(told), flush=True)


main()
