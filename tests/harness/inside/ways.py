"""For the programs inside: the register of what they try, and what several of them need for that."""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
WAYS: dict[str, Callable[[], Any]] = {}
tried: list[str] = []  # the way that is tried is the last


def way(function: Callable[[], Any]) -> Callable[[], Any]:
    WAYS[function.__name__] = function
    return function


def each(declare: Callable[[Callable[[], Any]], object], /, **functions: Callable[[], Any]) -> None:
    """Declares expressions as ways, by these names."""
    for name, function in functions.items():
        function.__name__ = name
        declare(function)


def refusal(function: Callable[[], object]) -> int | None:
    """The errno with which something is refused; None when it is done."""
    try:
        function()
    except OSError as error:
        return error.errno or errno.ETIMEDOUT  # the socket's own time limit has no number
    return None


def checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def copy_returns(work: Callable[[], Any]) -> Any:
    """What a forked copy of this process returns, by JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading) as result:
        return json.load(result)


def copy_does(work: Callable[[], object]) -> Callable[[], None]:
    """Starts it in a forked copy. Returns how to wait for its end, which raises the copy's OSError."""
    child = os.fork()
    if not child:
        status = 255
        try:
            status = refusal(work) or 0
        finally:
            os._exit(status)

    return partial(ended, child)


def ended(child: int) -> None:
    """Waits for a child; its exit status is the errno that it met."""
    raise_from(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def raise_from(status: int) -> None:
    """Of a program that exits with its errno."""
    if status:
        raise OSError(status, os.strerror(status))


def in_threads(number: int, work: Callable[[], Any]) -> list[Any]:
    """What so many threads return at once; the first of their errors is raised."""
    results: list[Any] = []
    problems: list[BaseException] = []

    def keep() -> None:
        try:
            results.append(work())
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=keep) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


@contextmanager
def meanwhile(work: Callable[[], object], number: int = 1) -> Iterator[None]:
    """Other threads do this over and over, until the block ends."""
    done = threading.Event()

    def repeat() -> None:
        while not done.is_set():
            work()

    sys.setswitchinterval(1e-5)
    for _ in range(number):
        threading.Thread(target=repeat, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def taken_over(*numbers: int) -> list[int]:
    """Other numbers of the same, as a process gets them that they are handed over to."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], numbers)
        return socket.recv_fds(theirs, 1, len(numbers))[1]


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_char_p), ("size", ctypes.c_size_t))


def send_messages(number: int, data: bytes) -> None:
    """By sendmmsg(2), whose struct mmsghdr has eight words."""
    vector = Vector(data, len(data))
    message = (ctypes.c_size_t * 8)(0, 0, ctypes.addressof(vector), 1)
    checked(LIBC.sendmmsg(number, message, 1, 0))


def disconnect(number: int) -> None:
    checked(LIBC.connect(number, bytes(16), 16))


def ask_for_work(line: bytes = NEXT) -> None:
    """As a runtime client does: the request line alone matters, and nobody answers."""
    here, _there = socket.socketpair()
    here.sendall(line)


def print_result() -> None:
    """Of the way that the command line names."""
    print(json.dumps(WAYS[sys.argv[1]]()))


def print_refusals(*modules: str) -> None:
    """For each way that the command line names, the errno that it ended with, or null. The ways of `modules` are among
    them. Each has a copy of this process to itself, and its name in the log in front of its lines."""
    for module in modules:
        importlib.import_module(module)
    results: dict[str, int | None] = {}
    for name in sys.argv[1:]:
        tried.append(name)
        os.write(2, f"--- {name}\n".encode())
        results[name] = copy_returns(partial(refusal, WAYS[name]))
    print(json.dumps(results))
