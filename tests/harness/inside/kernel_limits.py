"""Runs inside the sandbox: `kernel_limits.py <what>...`, for the limits of the kernel behind the gate.

`raw` makes system calls from code of its own, which no gate sees.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ways import LIBC, ask_for_work, in_threads, refusal

RESTORE = b"GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n\r\n"
X86 = platform.machine() == "x86_64"
NUMBERS = json.loads(Path(__file__).with_name("numbers.json").read_text())
CODE = {
    True: "4889f8 4889f7 4889d6 4889ca 4d89c2 4d89c8 0f05 c3",
    False: "e80300aa e00301aa e10302aa e20303aa e30304aa e40305aa 010000d4 c0035fd6",
}[X86]
AT_FDCWD = -100


def make_raw() -> Callable[..., int]:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex(CODE.replace(" ", "")))
    begin = ctypes.c_char.from_buffer(page)  # which keeps the page
    call = ctypes.CFUNCTYPE(*[ctypes.c_long] * 7)(ctypes.addressof(begin))

    def raw(name: str, *arguments: Any) -> int:
        values = [
            ctypes.cast(ctypes.c_char_p(a), ctypes.c_void_p).value if isinstance(a, bytes) else a for a in arguments
        ]
        assert begin is not None
        return call(NUMBERS[name], *values, *[0] * (5 - len(values)))

    return raw


def held() -> list[str]:
    """As the kernel tells it, not the gate."""
    with open("/proc/self/limits") as limits:
        hard = {line[:25].strip(): line.split()[-2] for line in limits}
    names = {"Max file size": "file-growth", "Max stack size": "programs"}
    return [said for name, said in names.items() if hard[name] == "0"]


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def named(result: int) -> str:
    return errno.errorcode[-result] if result < 0 else "done"


def files() -> None:
    """What native code may and may not do with files."""
    raw = make_raw()
    before = os.memfd_create("before")
    os.write(before, b"content")
    LIBC.mmap.restype = ctypes.c_void_p
    kept = (ctypes.c_char * 7).from_address(LIBC.mmap(None, 4096, 3, mmap.MAP_SHARED, before, 0))
    os.close(before)  # an open one leaves the limit off
    ask_for_work()
    memory = raw("memfd_create", b"after", 0)
    there = raw("openat", AT_FDCWD, b"/tmp/there", os.O_RDWR)
    (read, write), size = os.pipe(), os.stat(there).st_size
    shared = mmap.mmap(there, 0)
    shared[:3] = kept[:3] = b"new"
    results = {
        "write to a memory file": raw("write", memory, b"hello", 5),
        "grow a memory file": raw("ftruncate", memory, 4096),
        "write to a file": raw("write", there, b"hello", 5),
        "write over a file's bytes": raw("pwrite64", there, b"h", 1, 0),
        "grow a file": raw("ftruncate", there, size + 1),
        "create a file": raw("openat", AT_FDCWD, b"/tmp/empty", os.O_CREAT | os.O_RDWR, 0o600),
        "create a folder": raw("mkdirat", AT_FDCWD, b"/tmp/new", 0o700),
        "create a link": raw("symlinkat", b"a text of two hundred bytes" * 7, AT_FDCWD, b"/tmp/text"),
        "store through a mapping": 0 if (shared[:3], kept[:3]) == (b"new", b"new") else -errno.EIO,
        "rename a file": raw("renameat2", AT_FDCWD, b"/tmp/there", AT_FDCWD, b"/tmp/moved", 0),
        "shrink a file": raw("ftruncate", there, 0),
        "delete a file": raw("unlinkat", AT_FDCWD, b"/tmp/moved", 0),
        "write to a pipe": raw("write", write, b"hello", 5),
        "make a socket": raw("socket", socket.AF_INET, socket.SOCK_STREAM, 0),
    }
    blocks = raw("fallocate", memory, 1, 0, 1 << 16)
    raise_it = raw("prlimit64", 0, resource.RLIMIT_FSIZE, (b"\xff" * 16), 0)
    assert os.read(read, 5) == b"hello"
    say(held=held(), blocks=named(blocks), raise_it=named(raise_it), **{k: named(v) for k, v in results.items()})


def start(raw: Callable[..., int], path: str, *arguments: str, **environment: str) -> str:
    """How a program ends that native code starts in a copy of the process."""
    argv = (ctypes.c_char_p * (len(arguments) + 2))(path.encode(), *map(os.fsencode, arguments), None)
    envp = (ctypes.c_char_p * (len(environment) + 1))(*(f"{k}={v}".encode() for k, v in environment.items()), None)
    name, argv_at, envp_at = path.encode(), ctypes.addressof(argv), ctypes.addressof(envp)
    if not (child := raw("clone", signal.SIGCHLD)):
        raw("execve", name, argv_at, envp_at)
        os._exit(99)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return "refused" if os.WEXITSTATUS(status) == 99 else str(os.WEXITSTATUS(status))


def programs() -> None:
    raw = make_raw()
    before = start(raw, "/bin/sh", "-c", "exit 42")
    ask_for_work()
    kinds = [("/bin/sh", "-c", "exit 42"), (sys.executable, "-S", "-c", "raise SystemExit(42)")]
    kinds += [("/var/task/dynamic_child",)] if os.path.exists("/var/task/dynamic_child") else []
    ends: dict[str, list[str]] = {}
    for path, *arguments in kinds:
        sizes = {start(raw, path, *arguments, "x" * size) for size in range(0, 8200, 400)}
        sizes |= {start(raw, path, *arguments, A="x" * size) for size in (50_000, 100_000, 120_000)}
        ends[os.path.basename(path)] = sorted(sizes)
    fork = os.fork() or os._exit(5)
    say(held=held(), before=before, fork=os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]), ends=ends)


def small_programs() -> None:
    """The kernel begins the stack at a random place of two pages, so that some starts leave enough of a page."""
    raw, names = make_raw(), ("own_stack", "static_child")
    ask_for_work()
    say(
        held=held(),
        ends={name: sorted({start(raw, f"/var/task/{name}", "x" * 400) for _ in range(40)}) for name in names},
    )


class Attributes(ctypes.Structure):
    _fields_ = [("room", ctypes.c_char * 256)]


def stack_size() -> int:
    """Of this thread, as libc tells it."""
    attributes, low, size = Attributes(), ctypes.c_void_p(), ctypes.c_size_t()
    LIBC.pthread_self.restype = ctypes.c_void_p
    assert LIBC.pthread_getattr_np(ctypes.c_void_p(LIBC.pthread_self()), ctypes.byref(attributes)) == 0
    LIBC.pthread_attr_getstack(ctypes.byref(attributes), ctypes.byref(low), ctypes.byref(size))
    return size.value


def answers() -> None:
    """What libraries ask for is what was there before, in children too."""
    kinds = (resource.RLIMIT_STACK, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)

    def asked() -> Any:
        old = (ctypes.c_ulong * 2)()
        assert LIBC.syscall(NUMBERS["getrlimit"], resource.RLIMIT_STACK, old) == 0
        return [*map(resource.getrlimit, kinds), resource.prlimit(os.getpid(), kinds[0]), old[0]]

    before, size = asked(), stack_size() >> 20
    ask_for_work()
    now, threads = asked() if stack_size() >> 20 == size else [], list[int]()
    in_threads(1, lambda: threads.append(stack_size()))
    if not (child := os.fork()):
        os._exit(asked() != before)
    status = os.waitpid(child, 0)[1]
    bad = LIBC.getrlimit(resource.RLIMIT_STACK, ctypes.c_void_p(8)), ctypes.get_errno()
    say(
        held=held(), same=now == before, child=status, threads=threads[0] > 0, bad=bad[0], errno=errno.errorcode[bad[1]]
    )


def restored() -> None:
    """A restore hook runs before the first event."""
    ask_for_work(RESTORE)
    hook = held()
    ask_for_work()
    say(hook=hook, held=held())


def workers() -> None:
    """Each worker asks for events; the process that forks them does not."""

    def work() -> None:
        ask_for_work()
        os._exit(len(held()))

    children = [os.fork() or work() for _ in range(2)]
    say(held=held(), workers=[os.waitstatus_to_exitcode(os.waitpid(child or 0, 0)[1]) for child in children])


def tightened() -> None:
    """As the bindings do it (bindings/engine.h), while an event is handled; the next event brings the limits."""
    from lines import configure

    ask_for_work()
    before = held()
    configure(b"SHIELD_READ_WRITE_TMP=block\nSHIELD_CREATE_CHILD_PROCESS=block\n")
    between = held()
    ask_for_work()
    say(before=before, between=between, held=held())


def deep(size: str) -> None:
    """Down to almost the end of the main thread's stack."""
    ask_for_work()
    library = ctypes.CDLL("/var/task/deep.so")
    library.deep.restype, library.deep.argtypes = ctypes.c_long, [ctypes.c_long]
    say(held=held(), deep=library.deep(int(size)))


def ordinary() -> None:
    """The gate answers first, and reports."""
    import subprocess

    ask_for_work()
    say(
        held=held(),
        file=refusal(lambda: os.close(os.open("/tmp/new", os.O_CREAT | os.O_WRONLY))),
        program=refusal(lambda: subprocess.run(["/bin/true"], check=False)),
    )


def plain() -> None:
    ask_for_work()
    say(held=held())


def memory_file() -> None:
    os.memfd_create("grows")
    plain()


WHAT = {
    f.__name__: f
    for f in (files, programs, answers, restored, workers, tightened, ordinary, plain, memory_file, small_programs)
}

if __name__ == "__main__":
    deep(sys.argv[2]) if sys.argv[1] == "deep" else WHAT[sys.argv[1]]()
