"""Runs inside the sandbox: `hiding.py <trick>`: ordinary code that wants no alarm, then violates its policy."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable

from ways import LIBC, WAYS, each, way


def quietly(step: Callable[..., object], *arguments: object) -> None:
    with contextlib.suppress(OSError, ValueError):
        step(*arguments)


def set_flags(flags: int) -> None:
    """Of the log."""
    quietly(fcntl.fcntl, 2, fcntl.F_SETFL, flags)


def violate() -> None:
    try:
        os.mkdir("/tmp/hidden")
    except OSError as error:
        quietly(os.write, 1, str(error).encode())


each(
    way,
    close_range=lambda: os.closerange(0, 1 << 20),
    an_unfinished_line=lambda: os.write(2, b'{"message": "'),
    an_unfinished_line_of_250_kilobytes=lambda: os.write(2, b"x" * 250_000),
    no_descriptors=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0)),
    appending_and_asynchronous=lambda: set_flags(os.O_ASYNC | os.O_APPEND | os.O_DIRECT | os.O_NONBLOCK),
    # Of a pipe in packet mode, a reader with a small buffer loses what does not fit.
    a_packet_pipe=lambda: set_flags(fcntl.fcntl(2, fcntl.F_GETFL) | os.O_DIRECT),
    signals_are_blocked=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)),
)


@way
def close_every_descriptor() -> None:
    for descriptor in range(65536):
        quietly(os.close, descriptor)


@way
def every_descriptor_to_null() -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in range(2, 2048):
        if descriptor != null:
            quietly(os.dup2, null, descriptor)


@way
def a_thread_that_writes_without_an_end() -> None:
    def write() -> None:
        while True:
            os.write(2, b"y" * 997)

    threading.Thread(target=write, daemon=True).start()
    time.sleep(0.1)


@way
def read_the_log_away() -> None:
    """A pipe can be opened again at its other end."""
    for name in ("/dev/stderr", "/proc/self/fd/2", "/dev/fd/2", *(f"/proc/self/fd/{n}" for n in range(3, 1024))):
        for flags in (os.O_RDONLY, os.O_RDWR):
            threading.Thread(target=quietly, args=(drain, name, flags), daemon=True).start()
    time.sleep(0.1)


def drain(name: str, flags: int) -> None:
    descriptor = os.open(name, flags | os.O_NONBLOCK)
    while True:
        with contextlib.suppress(OSError):
            os.read(descriptor, 1 << 16)


@way
def no_file_may_grow() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@way
def a_small_pipe_that_does_not_wait() -> None:
    quietly(fcntl.fcntl, 2, 1031, 4096)
    set_flags(fcntl.fcntl(2, fcntl.F_GETFL) | os.O_NONBLOCK)


@way
def another_environment() -> None:
    for name in ("AWS_LAMBDA_LOG_LEVEL", "AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_FUNCTION_NAME", "SHIELD_READ_WRITE_TMP"):
        os.environ[name] = "FATAL"


@way
def another_table_of_descriptors() -> None:
    LIBC.unshare(0x400)  # CLONE_FILES
    os.closerange(0, 4096)


@way
def a_forked_copy() -> None:
    if (copy := os.fork()) == 0:
        os.closerange(0, 4096)
        violate()
        os._exit(0)
    os.waitpid(copy, 0)


if __name__ == "__main__":
    WAYS[sys.argv[1]]()
    violate()
    os._exit(0)
