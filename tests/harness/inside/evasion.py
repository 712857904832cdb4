"""Runs inside the sandbox: what an attacker tried. Each prints as JSON what came of it; the tests say what must.

`evasion.py <evasion> <numbers>`: the numbers of this machine's system calls as JSON, by name.
"""

from __future__ import annotations

import _ctypes
import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import subprocess
import sys
import threading
import time

from changing import SECONDS
from syscalls import call
from ways import LIBC, ask_for_work, copy_does, in_threads, meanwhile, print_result, refusal, way

LIBC.mmap.restype = ctypes.c_void_p


def address_of(name: str) -> int:
    return ctypes.cast(getattr(LIBC, name), ctypes.c_void_p).value or 0


def engine_pages() -> list[tuple[int, int]]:
    """The engine's library and the nameless data behind it."""
    with open("/proc/self/maps") as maps:
        lines = [line.split() for line in maps]
    last = max(i for i, line in enumerate(lines) if "libshield" in line[-1])
    ranges = []
    for line in lines[: last + 3]:
        low, high = (int(part, 16) for part in line[0].split("-"))
        if "libshield" in line[-1] or (ranges and low == ranges[-1][1]):
            ranges.append((low, high))
    return ranges


@way
def advice_that_brings_text_back() -> list[int]:
    """Of libc, and, wiped in a copy, of the engine."""
    page, (low, high) = address_of("connect") & ~4095, engine_pages()[-1]
    results = [call("madvise", ctypes.c_void_p(page), 4096, advice) for advice in (4, 8, 9, 18, 102)]
    return [*results, call("madvise", ctypes.c_void_p(low), high - low, 18)]


@way
def descriptor_table_of_its_own() -> list[int]:
    """A thread whose descriptors are not the process's: /proc/self/fd shows others than the ones it uses."""
    results: list[int] = []

    def work() -> None:
        call("close_range", 0xFFFFFFF0, 0xFFFFFFFF, 2)
        results.append(call("openat", -100, b"/tmp/there", 0, 0))
        results.append(call("openat", -100, b"/tmp/made", os.O_CREAT | os.O_WRONLY, 0o600))
        results.append(call("mkdirat", -100, b"/tmp/folder2", 0o700))

    in_threads(1, work)
    return results


CHILD = """
import os, socket
def refusal(f):
    try: f()
    except OSError as e: return e.errno
def connect():
    s = socket.socket(); s.settimeout(2); s.connect(("203.0.113.9", 80))
print([refusal(lambda: os.listdir("/tmp")), refusal(connect)])
"""


@way
def descriptors_of_the_gates_range() -> list[object]:
    """Who has all others open gets these too, and closes them; nobody else reaches them."""
    file = os.open("/dev/null", os.O_RDONLY)

    def laid_over(number: int) -> int | None:
        return refusal(lambda: os.dup2(file, number))

    first = [laid_over(767), laid_over(768), laid_over(1023)]
    numbers = []
    with contextlib.suppress(OSError):
        while True:
            numbers.append(os.open(__file__, os.O_RDONLY))
    for number in numbers:
        os.close(number)
    after = os.open("/dev/null", os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    few = os.open(__file__, os.O_RDONLY)
    return [first, max(numbers) > 900, after in numbers, few < 100, laid_over(99), os.read(few, 3) == b'"""']


@way
def own_descriptors_in_the_gates_range() -> list[object]:
    """The JDK lays a marker over a socket that another thread waits on, and closes it then."""
    marker, zero = os.open("/dev/null", os.O_RDONLY), os.open("/dev/zero", os.O_RDONLY)
    held = [os.open("/dev/zero", os.O_RDONLY) for _ in range(850)]
    in_range = next(number for number in held if number >= 800)
    in_threads(1, lambda: os.read(zero, 1))
    found: list[object] = [os.dup2(marker, in_range) == in_range, os.read(in_range, 1) == b""]
    found += [refusal(lambda: os.close(in_range)), refusal(lambda: os.dup2(marker, in_range))]
    child = os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, marker, 1010)])
    return [*found, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


@way
def children_that_are_told_otherwise() -> list[str]:
    names = ["AWS_LAMBDA_METADATA_API", "AWS_XRAY_DAEMON_ADDRESS", "SHIELD_STATE_AWS_LAMBDA_RUNTIME_API"]
    always: dict[str, str] = dict.fromkeys(names, "203.0.113.9:80")
    library = "/var/task/early.so"
    tries: list[dict[str, str]] = [{}, {"LD_PRELOAD": ""}, {"LD_PRELOAD": "/nonexistent.so"}, {"LD_PRELOAD": library}]
    tries += [{"LD_AUDIT": library}, {"LD_LIBRARY_PATH": "/var/task/elsewhere"}, {"SHIELD_STATE_SITES": "255;"}]
    tries += [always, {"SHIELD_READ_WRITE_TMP": "allow", "SHIELD_STATE": "starting:-1:/bin/sh"}]
    return [
        subprocess.run([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, env=env, check=False).stdout
        for env in tries
    ]


@way
def links_with_a_slash() -> list[int | None]:
    return [
        refusal(lambda: os.utime("/proc/self/root/tmp/", follow_symlinks=False)),
        refusal(lambda: os.setxattr("/proc/self/root/tmp/folder/", "user.x", b"1", follow_symlinks=False)),
    ]


@way
def queries_that_carry_more() -> None:
    def labels(name: str) -> bytes:
        return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0\0\1\0\1"

    option = b"\xfd\xe9\0\6secret"
    edns = b"\0\0\x29\4\xd0\0\0\0\0" + len(option).to_bytes(2, "big") + option
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        message = b"\x12\x34\1\0\0\1\0\0\0\0\0\1" + labels("allowed.example") + edns + b"trailing"
        s.sendto(message, ("169.254.78.1", 53))
        refusal(lambda: s.recv(512))
        refusal(lambda: s.setsockopt(17, 103, 64))
        refusal(lambda: s.sendto(message[:33] + message[:33], ("169.254.78.1", 53)))


@way
def a_descriptor_that_was_a_name_servers() -> int:
    """After a look-up, its descriptor's number belongs to a stream: every byte of it must arrive."""
    refusal(lambda: socket.getaddrinfo("allowed.example", 80))
    for _ in range(8):
        ours, theirs = socket.socketpair()
        ours.sendall(b"x" * 20000)
        ours.close()
        total = 0
        while data := theirs.recv(4096):
            total += len(data)
        theirs.close()
        if total != 20000:
            return total
    return 20000


@way
def copy_of_a_closed_number() -> list[int | None]:
    """By fcntl, which os.dup calls, and by dup; with a thread that waits."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    with open("/dev/null") as file:
        number = file.fileno()
    found = [refusal(lambda: os.dup(number)), refusal(lambda: fcntl.fcntl(number, fcntl.F_DUPFD, 0))]
    ctypes.set_errno(0)
    ctypes.CDLL(None, use_errno=True).dup(number)
    end.set()
    thread.join()
    return [*found, ctypes.get_errno()]


@way
def ready_in_many_threads() -> int:
    done: list[None] = []
    in_threads(16, lambda: done.append(ask_for_work()))
    return len(done)


@way
def what_another_thread_lays_over_the_lowest_number() -> list[int]:
    """Which an open gets: a reference to the process's memory. How often it was open for writing, and any was tried."""
    planted, lowest = os.open("/proc/self/mem", os.O_PATH), os.dup(0)
    os.close(lowest)
    wrong, tries, until = 0, 0, time.monotonic() + SECONDS

    def lay_over() -> None:
        refusal(lambda: os.dup2(planted, lowest))
        refusal(lambda: os.close(lowest))

    with meanwhile(lay_over):
        while time.monotonic() < until:
            file = LIBC.open(b"/dev/null", os.O_RDWR)
            tries += 1
            with contextlib.suppress(OSError):
                is_memory = "/mem" in os.readlink(f"/proc/self/fd/{file}")
                # Last: a reference, which may be laid over what is open, is never open for writing.
                wrong += is_memory and fcntl.fcntl(file, fcntl.F_GETFL) & (os.O_ACCMODE | os.O_PATH) == os.O_RDWR
            if file != lowest:
                refusal(lambda file=file: os.close(file))
    return [wrong, tries]


@way
def programs_where_connections_were() -> list[int | None]:
    """subprocess hears through a pipe what became of a program: here by a number that was a TCP socket's."""

    def start_where_sockets_were() -> list[int | None]:
        sockets = [socket.socket() for _ in range(8)]
        for s in sockets:
            s.close()
        return [refusal(lambda: subprocess.run(["/bin/true"], check=False)) for _ in range(3)]

    alone = start_where_sockets_were()
    in_threads(1, start_where_sockets_were)
    return [*alone, *start_where_sockets_were()]


@way
def libraries_that_come_and_go() -> int:
    """More loads than the engine has places for text."""
    judged = 0
    for i in range(2500):
        library = ctypes.CDLL("/var/task/inline.so")
        if i % 250 == 0:
            judged += library.inline_open(b"/tmp/there") == -13
        _ctypes.dlclose(library._handle)
    return judged


@way
def libraries_beside_changing_descriptors() -> int:
    """The loader's descriptor has the number that another thread has just closed: the mapping waits a moment for it."""

    def load() -> int:  # by libc's function, which keeps no other thread of Python waiting
        library = LIBC.dlopen(b"/var/task/inline.so", os.RTLD_NOW)
        return library is not None and LIBC.dlclose(ctypes.c_void_p(library)) == 0

    LIBC.dlopen.restype = ctypes.c_void_p
    with meanwhile(lambda: os.close(os.open("/dev/null", os.O_RDONLY)), 4):
        return sum(load() for _ in range(2000))


@way
def a_library_without_unwind_tables() -> int:
    return ctypes.CDLL("/var/task/bare.so").inline_open(b"/tmp/there")


@way
def a_page_that_cannot_be_written() -> list[int]:
    """The kernel says EFAULT; the gate must not end the program."""
    page = LIBC.mmap(None, ctypes.c_size_t(4096), 1, 0x22, -1, 0)
    size = ctypes.c_uint32(64)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("203.0.113.53", 53))
        name = call("getpeername", s.fileno(), ctypes.c_void_p(page), ctypes.byref(size))
        room = call("getpeername", s.fileno(), ctypes.byref(size), ctypes.c_void_p(page))
    return [name, room]


@way
def a_child_with_many_variables() -> int:
    """More than a small stack could hold; the shield is there all the same."""
    many = {f"VARIABLE_{i}": "x" * 20 for i in range(5000)}
    code = "import os\nassert len(os.environ) > 5000\ntry: os.listdir('/tmp')\nexcept PermissionError: os._exit(7)"
    return subprocess.run([sys.executable, "-S", "-c", code], env=many, check=False).returncode


@way
def workers_that_are_forked() -> list[int]:
    """A copy opens a file: before the first request for an invocation, and after it."""

    def open_in_a_copy() -> int:
        return refusal(copy_does(lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)))) or 0

    before = open_in_a_copy()
    ask_for_work()
    return [before, open_in_a_copy()]


@way
def the_last_name_is_two_dots() -> list[int | None]:
    """Calls that do not follow a last link, on /tmp by way of a directory that is allowed."""
    path = "/tmp/folder/.."
    return [
        refusal(lambda: os.utime(path, (1, 1), follow_symlinks=False)),
        refusal(lambda: os.chown(path, os.getuid(), os.getgid(), follow_symlinks=False)),
        refusal(lambda: os.listxattr(path, follow_symlinks=False)),
    ]


@way
def what_is_added_to_a_query() -> list[int | None]:
    """MSG_MORE and UDP_CORK hold a datagram back until more was written to it."""
    query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x07allowed\x07example\x00\x00\x01\x00\x01"
    more, udp, cork = 0x8000, 17, 1
    with open("/etc/resolv.conf") as file:
        server = next(line.split()[1] for line in file if line.startswith("nameserver"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(query, more, (server, 53))
        written = refusal(lambda: os.write(s.fileno(), b"SECRET"))
        s.settimeout(5)
        s.recv(512)
        return [written, refusal(lambda: s.setsockopt(udp, cork, 1))]


@way
def one_write_of_several_datagrams() -> list[int | None]:
    """By the option, and by a message's own control data."""
    udp, segment = 17, 103
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        sizes = [(udp, segment, (512).to_bytes(2, sys.byteorder))]
        return [
            refusal(lambda: s.setsockopt(udp, segment, 512)),
            refusal(lambda: s.sendmsg([b"x" * 1024], sizes, 0, ("127.0.0.1", 9))),
        ]


@way
def a_library_of_the_go_compiler() -> str:
    try:
        return str(ctypes.CDLL("/var/task/go_note.so"))
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    print_result()
