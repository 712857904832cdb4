"""Does what its argument lists, step by step, in one process, and prints what came of each as JSON.

A step is a word (an attempt: "ok", or the name of its errno) or a dictionary (for configure: "ok", or what it raised).
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import shielded_function_runtime


def tmp() -> None:
    os.close(os.open("/tmp/probe", os.O_CREAT | os.O_WRONLY))


def program() -> None:
    if subprocess.run(["/bin/true"], check=False).returncode:
        raise OSError(errno.ECHILD, "it ended badly")


def child_tmp() -> None:
    """What a child may do, by its own account."""
    code = "import os\ntry: os.open('/tmp/probe', os.O_CREAT | os.O_WRONLY)\nexcept OSError as e: os._exit(e.errno)"
    if status := subprocess.run([sys.executable, "-S", "-c", code], check=False, env={}).returncode:
        raise OSError(status, "in the child")


def connect() -> None:
    with socket.socket() as s:
        if (result := s.connect_ex(("203.0.113.77", 9))) != errno.ECONNREFUSED:
            raise OSError(result, "connect")


def datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("203.0.113.77", 9))


def handler() -> None:
    with open("/var/task/app.py"):
        pass


def ready() -> None:
    """As the runtime's client asks for its first invocation."""
    one, other = socket.socketpair()
    one.send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n")
    one.close()
    other.close()


def memory() -> None:
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def many_mappings() -> None:
    """As many as hundreds of libraries take. Python's own mmap keeps a descriptor for each."""
    map_file = ctypes.CDLL(None).mmap
    map_file.restype = ctypes.c_void_p
    with open(__file__, "rb") as file:
        for _ in range(3000):
            if map_file(None, ctypes.c_size_t(1), mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), None) is None:
                raise OSError(errno.ENOMEM, "mmap")


def free_library(name: str = "hard") -> None:
    """Loads a library whose one system call leaves no room for a jump."""
    try:
        ctypes.CDLL(f"/var/task/lib{name}.so")
    except OSError:
        raise OSError(errno.EACCES, "dlopen") from None


def changed_libc() -> None:
    """Writes to libc's code, as a library does that hooks its functions: mkdir's number is another's."""
    libc = ctypes.CDLL(None)
    at = ctypes.cast(libc.mkdir, ctypes.c_void_p).value or 0
    number = ctypes.string_at(at, 16).index(b"\xb8\x53\0\0\0") + 1
    page = at & -mmap.PAGESIZE
    if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(2 * mmap.PAGESIZE), ctypes.c_int(7)):
        raise OSError(ctypes.get_errno(), "mprotect")
    ctypes.memset(at + number, 39, 1)


def relocated_library() -> None:
    """Loads a library that the loader writes to before its code is what it is to be."""
    free_library("relocated")


OLD_SOCKET = socket.socket()


def old_socket() -> None:
    """One that was made before anything was configured."""
    if (result := OLD_SOCKET.connect_ex(("203.0.113.77", 9))) != errno.ECONNREFUSED:
        raise OSError(result, "connect")


OLD_PEER = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
OLD_PEER.connect(("203.0.113.77", 9))


def old_peer() -> None:
    """A datagram to where a socket led before anything was configured."""
    OLD_PEER.send(b"x")


ATTEMPTS: dict[str, Callable[[], None]] = {
    f.__name__: f
    for f in (
        *(tmp, program, child_tmp, connect, datagram, handler, ready, memory, free_library, old_socket, old_peer),
        *(relocated_library, changed_libc, many_mappings),
    )
}


def attempt(step: Any, number: int = 0) -> str:
    # By a module of its own: of the same violation by the same code there is one line in a second.
    by_itself = compile("attempt()", f"/var/task/attempt_{number}.py", "exec")
    try:
        if isinstance(step, dict):
            shielded_function_runtime.configure(step)
        else:
            exec(by_itself, {"attempt": ATTEMPTS[step]})
    except shielded_function_runtime.ConfigurationError as error:
        return str(error)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "ok"


if __name__ == "__main__":
    done = [attempt(step, number) for number, step in enumerate(json.loads(sys.argv[1]))]
    print(json.dumps(done), flush=True)
    os._exit(0)
