"""Runs inside the sandbox: one scenario, named on the command line, whose last line of output is its result as JSON."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ways import LIBC, NEXT, ask_for_work, copy_returns, print_result, refusal, way

NO_LIMIT = 77


@way
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


@way
def a_mark_holds_nothing() -> dict[str, list[int | None]]:
    """X-Ray's mark in /tmp, made by a function at work as the SDKs make it; then what else its name could serve."""
    folder, mark = "/tmp/.aws-xray", "/tmp/.aws-xray/initialized"
    ask_for_work()

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
        lambda: Path(mark).write_bytes(b"kept"),
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


@way
def files_are_read_when_ready() -> dict[str, int | None]:
    """Of the files that the environment names."""
    ask_for_work()
    names = json.loads(os.environ["FILES"])
    return {name: refusal(lambda name=name: open(f"/var/task/{name}").read()) for name in names}


@way
def work_is_asked_for_without_memory() -> list[int | None]:
    """With which errno the handler is refused before and after that. NO_LIMIT where the limit does not count."""

    def handler_is_refused() -> int | None:
        return refusal(Path("/var/task/app.py").read_text)

    (out, _there), before = socket.socketpair(), handler_is_refused()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (0, limits[1]))
    if refusal(lambda: mmap.mmap(-1, mmap.PAGESIZE).close()) is None:
        sys.exit(NO_LIMIT)
    out.send(NEXT)
    resource.setrlimit(resource.RLIMIT_AS, limits)
    return [before, handler_is_refused()]


@way
def datagrams_to_port_zero() -> dict[str, Any]:
    """What getaddrinfo does to sort addresses, and what could be sent then."""
    result: dict[str, Any] = {}
    for host, family in (("198.51.100.9", socket.AF_INET), ("2001:db8::66", socket.AF_INET6)):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.connect((host, 0))
            result[host] = {"own": s.getsockname()[0], "send": refusal(lambda s=s: s.send(b"datagram to port zero"))}
    return result


@way
def allowed_hosts_work() -> dict[str, Any]:
    here = socket.create_server(("127.0.0.1", 0))

    def connect(host: str, port: int = 80) -> int | None:
        return refusal(lambda: socket.create_connection((host, port), timeout=5).close())

    return {
        "address_before_name": connect("203.0.113.9"),
        "name": connect("allowed.example"),
        "address_after_name": connect("203.0.113.9"),
        "other_port": connect("203.0.113.9", 81),
        "subdomain": connect("x.wild.example"),
        "bare_domain": connect("wild.example"),
        "look_alike": connect("allowed.example.evil.example"),
        "listed_address": connect("198.51.100.9"),
        "listed_network": connect("198.51.100.66", 443),
        "aws": connect("s3.us-east-1.amazonaws.com"),
        "aws_other_region": connect("s3.eu-west-3.amazonaws.com"),
        "loopback": connect(*here.getsockname()),
        "rebinding": connect("rebind.example"),
    }


@way
def a_copy_that_starts_programs() -> int:
    """How many descriptors a forked copy cannot close while a child of its own is running."""

    def close_all() -> int:
        with subprocess.Popen(["/bin/sleep", "10"]) as running:
            descriptors = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(8)]
            failed = sum(refusal(lambda d=d: os.close(d)) is not None for d in descriptors)
            running.kill()
        return failed

    return copy_returns(close_all)


@way
def many_living_children() -> int:
    children = [subprocess.Popen(["/bin/sleep", "600"]) for _ in range(300)]
    for child in children:
        child.kill()
    return sum(child.wait() == -9 for child in children)


@way
def a_mapping_that_fails_leaves_what_was_there() -> list[str]:
    memory = mmap.mmap(-1, 4096)
    memory.write(b"kept")
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    LIBC.mmap.restype = ctypes.c_void_p
    executable, fixed_private = 5, 0x12
    failed = LIBC.mmap(ctypes.c_void_p(address), ctypes.c_size_t(4096), executable, fixed_private, 999, 0)
    return [hex(failed), ctypes.string_at(address, 4).decode()]


if __name__ == "__main__":
    print_result()
