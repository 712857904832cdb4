"""Runs inside the sandbox: one scenario, named on the command line, whose last line of output is its result as JSON."""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
SCENARIOS: dict[str, Callable[[], Any]] = {}


def scenario(function: Callable[[], Any]) -> Callable[[], Any]:
    SCENARIOS[function.__name__] = function
    return function


def refusal(function: Callable[[], object]) -> int | None:
    """The errno with which something is refused; None when it is done."""
    try:
        function()
    except OSError as error:
        return error.errno or errno.ETIMEDOUT  # the socket's own time limit has no number
    return None


def libc(name: str, *arguments: object) -> Callable[[], None]:
    def call() -> None:
        if getattr(LIBC, name)(*arguments) == -1:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return call


def text_page() -> ctypes.c_void_p:
    """The page of libc's text that holds getppid."""
    address = ctypes.cast(LIBC.getppid, ctypes.c_void_p).value or 0
    return ctypes.c_void_p(address & ~4095)


def shield_mappings() -> list[tuple[int, int]]:
    ranges = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            if "libshield.so" in line:
                low, high = line.split(" ")[0].split("-")
                ranges.append((int(low, 16), int(high, 16)))
    return ranges


def log_descriptor() -> int:
    """The high descriptor on which the shield keeps stderr."""
    same = os.readlink("/proc/self/fd/2")
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    return max(n for n in numbers if n > 2 and os.path.lexists(f"/proc/self/fd/{n}") and link_of(n) == same)


def link_of(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


@scenario
def text_cannot_change() -> dict[str, int | None]:
    page, size = text_page(), ctypes.c_size_t(4096)
    return {
        "mprotect": refusal(libc("mprotect", page, size, 7)),
        "madvise": refusal(libc("madvise", page, size, mmap.MADV_DONTNEED)),
        "mem": refusal(lambda: open("/proc/self/mem", "r+b").close()),
        "thread_mem": refusal(lambda: open(f"/proc/self/task/{os.getpid()}/mem", "r+b").close()),
        "anonymous": refusal(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)),
    }


@scenario
def engine_cannot_be_unmapped() -> dict[str, int | None]:
    low, high = shield_mappings()[0]
    start, size = ctypes.c_void_p(low), ctypes.c_size_t(high - low)
    LIBC.mmap.restype = ctypes.c_void_p
    fixed_anonymous = 0x10 | 0x20 | 0x02

    def map_over() -> None:
        if LIBC.mmap(start, size, 3, fixed_anonymous, -1, ctypes.c_long(0)) == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), "mmap")

    return {
        "munmap": refusal(libc("munmap", start, size)),
        "mprotect": refusal(libc("mprotect", start, size, 3)),
        "map_over": refusal(map_over),
        "tmp": refusal(lambda: os.listdir("/tmp")),
    }


@scenario
def alerts_cannot_be_silenced() -> dict[str, int | None]:
    log = log_descriptor()
    refusal(lambda: os.close(log))
    os.closerange(3, 2048)
    refusal(lambda: os.dup2(0, log))
    libc("close_range", 3, 0x7FFFFFFF, 0)()
    os.set_inheritable(log, True)
    os.close(2)
    return {"tmp": refusal(lambda: os.listdir("/tmp"))}


@scenario
def child_alerts_reach_the_function() -> dict[str, Any]:
    code = "import os\ntry: os.listdir('/tmp')\nexcept PermissionError: print('refused')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={}, check=False)
    return {"stdout": done.stdout, "stderr": done.stderr, "returncode": done.returncode}


@scenario
def child_environment_is_shielded() -> list[str]:
    code = "import os\ntry: os.listdir('/tmp')\nexcept PermissionError: print('refused')"
    tries: list[dict[str, str]] = [
        {},
        {"LD_PRELOAD": ""},
        {"SHIELD_READ_WRITE_TMP": "allow", "SHIELD_STATE": "starting:-1:/bin/sh"},
        {"LD_PRELOAD": "/nonexistent.so"},
    ]
    return [
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env, check=False).stdout
        for env in tries
    ]


@scenario
def own_system_calls_are_judged() -> dict[str, int]:
    """A library with an inline system-call instruction, loaded after start."""
    library = ctypes.CDLL("/var/task/inline.so")
    return {"open": library.inline_open(b"/tmp/there"), "other": library.inline_open(b"/etc/passwd")}


@scenario
def registers_are_kept() -> dict[str, list[str]]:
    """Of each call: its result, and the registers that had another value after it."""
    library = ctypes.CDLL("/var/task/registers.so")
    text = ctypes.create_string_buffer(4096)
    with (
        socket.socket() as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
        open("/var/task/registers.so", "rb") as file,
    ):
        descriptors = [ctypes.c_int64(opened.fileno()) for opened in (tcp, udp, file)]
        library.registers_lost(*descriptors, text, ctypes.c_uint64(4096))
    lines = text.value.decode().split(";")[:-1]
    return {name: rest.split() for name, rest in (re.split(r" (?=-?\d)", line, maxsplit=1) for line in lines)}


@scenario
def second_libc_is_judged() -> dict[str, int]:
    library = ctypes.CDLL("/var/task/namespace.so")
    return {"open": library.open_in_second_libc(b"/tmp/there")}


def serve_runtime_api() -> int:
    """A listener that answers nothing: the request line alone matters."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return_port = listener.getsockname()[1]

    def answer() -> None:
        while True:
            client, _ = listener.accept()
            client.recv(4096)
            client.close()

    threading.Thread(target=answer, daemon=True).start()
    return return_port


def request(port: int, line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(line + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


def handler_spellings() -> dict[str, Callable[[], object]]:
    folder = os.open("/var/task", os.O_RDONLY)
    return {
        "plain": lambda: open("/var/task/app.py").read(),
        "relative": lambda: os.close(os.open("app.py", os.O_RDONLY, dir_fd=folder)),
        "root": lambda: open("/proc/self/root/var/task/app.py").read(),
        "dots": lambda: open("/var/task/../task/./app.py").read(),
        "o_path": lambda: os.close(os.open("/var/task/app.py", os.O_PATH)),
        "bytecode": lambda: open("/var/task/__pycache__/app.cpython-399.pyc", "rb").read(),
    }


@scenario
def handler_is_locked_when_ready() -> dict[str, Any]:
    port = serve_runtime_api()
    spellings = handler_spellings()
    start = {name: refusal(function) for name, function in spellings.items()}
    request(port, b"GET /2018-06-01/runtime/init/metadata")
    request(port, b"POST /2018-06-01/runtime/init/error")
    metadata = {name: refusal(function) for name, function in spellings.items()}
    request(port, b"GET /2018-06-01/runtime/invocation/next")
    ready = {name: refusal(function) for name, function in spellings.items()}
    return {"start": start, "metadata": metadata, "ready": ready, "other": refusal(lambda: open("/var/task/other.py"))}


@scenario
def a_mark_holds_nothing() -> dict[str, list[int | None]]:
    """X-Ray's mark in /tmp, made by a function at work as the SDKs make it; then what else its name could serve."""
    folder, mark = "/tmp/.aws-xray", "/tmp/.aws-xray/initialized"
    request(serve_runtime_api(), b"GET /2018-06-01/runtime/invocation/next")

    def store() -> None:
        with open(mark, "w+b") as kept:
            kept.write(b"kept")

    def bind() -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(mark)

    made: list[Callable[[], object]] = [
        lambda: open(folder, "w+b").close(),
        lambda: os.remove(folder),
        lambda: os.mkdir(folder),
        lambda: open(mark, "w+b").close(),
        lambda: open(mark, "rb").close(),
        lambda: os.utime(mark),
        store,
    ]
    full: list[Callable[[], object]] = [
        lambda: open(mark, "rb").close(),
        lambda: open(mark, "w+b").close(),
        lambda: os.utime(mark),
        lambda: os.truncate(mark, 0),
        lambda: os.rename(mark, f"{folder}/other"),
    ]
    other: list[Callable[[], object]] = [
        lambda: os.symlink("/etc/passwd", mark),
        lambda: os.unlink(mark),
        lambda: os.mkfifo(mark),
        lambda: os.unlink(mark),
        bind,
        lambda: os.listdir(folder),
        lambda: os.chmod(folder, 0o700),
        lambda: os.mkdir(f"{folder}/another"),
    ]
    steps = {"made": made, "full": full, "gone": [lambda: os.unlink(mark)], "other": other}
    return {name: [refusal(step) for step in of] for name, of in steps.items()}


@scenario
def files_are_read_when_ready() -> dict[str, int | None]:
    """Of the files that the environment names."""
    request(serve_runtime_api(), b"GET /2018-06-01/runtime/invocation/next")
    names = json.loads(os.environ["FILES"])
    return {name: refusal(lambda name=name: open(f"/var/task/{name}").read()) for name in names}


@scenario
def signals_during_guarded_calls() -> dict[str, int]:
    """Thousands of signals while files are opened and sockets connected: every call has one of its own results."""
    ticks = 0

    def tick(_number: int, _frame: object) -> None:
        nonlocal ticks
        ticks += 1

    signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    done = 0
    until = time.monotonic() + 2
    while time.monotonic() < until:
        with open("/etc/passwd") as f:
            assert f.read(1)
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
        assert refusal(lambda: os.listdir("/tmp")) == 13
        done += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {"ticks": ticks, "done": done}


@scenario
def bad_pointers() -> dict[str, int | None]:
    s = socket.socket()
    bad = ctypes.c_void_p(8)
    return {
        "open_null": refusal(libc("open", None, 0)),
        "open_bad": refusal(libc("open", bad, os.O_CREAT | os.O_RDWR, 0o600)),
        "mkdir_bad": refusal(libc("mkdir", bad, 0o700)),
        "connect_null": refusal(libc("connect", s.fileno(), None, 16)),
        "connect_bad": refusal(libc("connect", s.fileno(), bad, 16)),
        "connect_long": refusal(libc("connect", s.fileno(), bad, 4096)),
        "connect_negative": refusal(libc("connect", s.fileno(), b"x" * 16, -1)),
        "execve_bad": refusal(libc("execve", bad, None, None)),
        "long_path": refusal(lambda: os.mkdir("/tmp/" + "x" * 5000)),
    }


@scenario
def descriptors_are_the_lowest() -> list[int]:
    first = os.open("/var/lowest", os.O_CREAT | os.O_WRONLY, 0o600) if os.access("/var", os.W_OK) else -1
    second = os.open("/tmp/allowed/lowest", os.O_CREAT | os.O_WRONLY, 0o600)
    os.close(second)
    third = os.open("/etc/passwd", os.O_RDONLY)
    return [first, second, third]


def _use_a_relative_socket(folder: str) -> None:
    """Binds by a relative name, and goes by the name that the kernel then says, as libuv's listen does for its mode."""
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("../allowed/relative")
        server.listen()
        os.chmod(server.getsockname(), 0o600)
        client.connect("relative")


@scenario
def allowed_paths_work() -> dict[str, int | None]:
    base = "/tmp/allowed"
    os.umask(0o027)
    descriptor = os.open(f"{base}/file", os.O_CREAT | os.O_WRONLY, 0o666)
    mode = os.fstat(descriptor).st_mode & 0o777
    cloexec = not os.get_inheritable(descriptor)
    os.write(descriptor, b"content")
    os.close(descriptor)
    results = {
        "mkdir": refusal(lambda: os.mkdir(f"{base}/folder")),
        "rename": refusal(lambda: os.rename(f"{base}/file", f"{base}/folder/file")),
        "truncate": refusal(lambda: os.truncate(f"{base}/folder/file", 3)),
        "link": refusal(lambda: os.link(f"{base}/folder/file", f"{base}/second")),
        "symlink": refusal(lambda: os.symlink("folder/file", f"{base}/link")),
        "through_link": refusal(lambda: open(f"{base}/link", "w").close()),
        "dangling": refusal(lambda: os.symlink("new", f"{base}/dangling")),
        "create_through_dangling": refusal(lambda: open(f"{base}/dangling", "w").close()),
        "unlink": refusal(lambda: os.unlink(f"{base}/link")),
        "bind": refusal(lambda: socket.socket(socket.AF_UNIX).bind(f"{base}/socket")),
        "bind_relative": refusal(lambda: _use_a_relative_socket(base)),
        "outside": refusal(lambda: open("/tmp/outside", "w").close()),
        "out_by_rename": refusal(lambda: os.rename(f"{base}/second", "/tmp/outside")),
        "out_by_dots": refusal(lambda: open(f"{base}/../outside", "w").close()),
    }
    os.symlink("/tmp/outside", f"{base}/escape")
    results["out_by_link"] = refusal(lambda: open(f"{base}/escape", "w").close())
    created = os.path.exists(f"{base}/new")
    return results | {"mode": mode, "cloexec": int(cloexec), "created": int(created)}


@scenario
def datagrams_to_port_zero() -> dict[str, Any]:
    """What getaddrinfo does to sort addresses, and what could be sent then."""
    result: dict[str, Any] = {}
    for host, family in (("198.51.100.9", socket.AF_INET), ("2001:db8::66", socket.AF_INET6)):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.connect((host, 0))
            result[host] = {"own": s.getsockname()[0], "send": refusal(lambda s=s: s.send(b"datagram to port zero"))}
    return result


@scenario
def allowed_hosts_work() -> dict[str, Any]:
    def connect(host: str, port: int) -> Callable[[], None]:
        return lambda: socket.create_connection((host, port), timeout=5).close()

    def by_name(name: str) -> int | None:
        try:
            socket.create_connection((name, 80), timeout=5).close()
        except socket.gaierror as error:
            return error.args[0]
        except OSError as error:
            return error.errno or errno.ETIMEDOUT
        return None

    before = refusal(connect("203.0.113.9", 80))
    return {
        "address_before_name": before,
        "name": by_name("allowed.example"),
        "address_after_name": refusal(connect("203.0.113.9", 80)),
        "other_port": refusal(connect("203.0.113.9", 81)),
        "subdomain": by_name("x.wild.example"),
        "bare_domain": by_name("wild.example"),
        "look_alike": by_name("allowed.example.evil.example"),
        "listed_address": refusal(connect("198.51.100.9", 80)),
        "listed_network": refusal(connect("198.51.100.66", 443)),
        "aws": by_name("s3.us-east-1.amazonaws.com"),
        "aws_other_region": by_name("s3.eu-west-3.amazonaws.com"),
        "loopback": refusal(connect("127.0.0.1", serve_runtime_api())),
        "rebinding": by_name("rebind.example"),
    }


@scenario
def denied_lookup_is_quick() -> float:
    times = []
    for i in range(20):
        start = time.perf_counter()
        refusal(lambda i=i: socket.getaddrinfo(f"n{i}.denied.example", 443))
        times.append(time.perf_counter() - start)
    return sorted(times)[10] * 1000


@scenario
def odd_names_in_alerts() -> None:
    for name in (b"new\nline", b'quote"backslash\\', b"\xff\xfe invalid", b"x" * 250, b"tab\tnul-free", "é漢".encode()):
        refusal(lambda name=name: os.mkdir(b"/tmp/" + name))


@scenario
def a_copy_that_starts_programs() -> int:
    """How many descriptors a forked copy cannot close while a child of its own is running."""
    copy = os.fork()
    if copy == 0:
        with subprocess.Popen(["/bin/sleep", "10"]) as running:
            descriptors = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(8)]
            failed = sum(refusal(lambda d=d: os.close(d)) is not None for d in descriptors)
            running.kill()
        os._exit(failed)
    return os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])


@scenario
def many_living_children() -> int:
    children = [subprocess.Popen(["/bin/sleep", "600"]) for _ in range(300)]
    for child in children:
        child.kill()
    return sum(child.wait() == -9 for child in children)


@scenario
def a_directory_is_not_created() -> int | None:
    return refusal(lambda: os.open("/etc", os.O_CREAT))


@scenario
def a_mapping_that_fails_leaves_what_was_there() -> list[str]:
    memory = mmap.mmap(-1, 4096)
    memory.write(b"kept")
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    LIBC.mmap.restype = ctypes.c_void_p
    executable, fixed_private = 5, 0x12
    failed = LIBC.mmap(ctypes.c_void_p(address), ctypes.c_size_t(4096), executable, fixed_private, 999, 0)
    return [hex(failed), ctypes.string_at(address, 4).decode()]


if __name__ == "__main__":
    print(json.dumps(SCENARIOS[sys.argv[1]]()))
