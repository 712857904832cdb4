"""Runs inside the sandbox: record locks (fcntl(2)), which end when any number of the file is closed in the process.

Prints whether another process could take the lock, before and after.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sqlite3
import sys
from collections.abc import Callable

from ways import copy_returns, in_threads, refusal, taken_over

LOCKED, DATABASE = "/tmp/lock", "/tmp/database"


def _takes_lock() -> bool:
    with open(LOCKED, "r+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _closed_sockets() -> set[int]:
    sockets = [socket.socket() for _ in range(8)]
    numbers = {s.fileno() for s in sockets}
    for s in sockets:
        s.close()
    return numbers


def _around(use: Callable[[int], object]) -> list[bool]:
    numbers = _closed_sockets()
    with open(LOCKED, "w+") as file:
        assert file.fileno() in numbers
        fcntl.lockf(file, fcntl.LOCK_EX)
        before = copy_returns(_takes_lock)
        use(file.fileno())
        return [before, copy_returns(_takes_lock)]


def written_under_a_sockets_number() -> list[bool]:
    return _around(lambda number: [os.write(number, b"x") for _ in range(2)])


def _hand_over(number: int) -> None:
    """To another process: to close it in this one ends the lock."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [number, sys.stdout.fileno(), number])

        def takes() -> bool:
            fds = socket.recv_fds(theirs, 1, 3)[1]
            return [os.fstat(fd).st_ino for fd in fds[::2]] == [os.stat(LOCKED).st_ino] * 2

        assert copy_returns(takes)


def handed_over() -> list[bool]:
    return _around(_hand_over)


def in_a_refused_message() -> list[bool]:
    """A connection that has to stay comes behind it."""

    def use(number: int) -> None:
        with socket.socket() as unconnected:
            assert refusal(lambda: taken_over(number, unconnected.fileno())) == errno.EACCES

    return _around(use)


def a_database() -> list[bool]:
    _closed_sockets()
    database = sqlite3.connect(DATABASE, isolation_level=None)
    database.execute("create table t(a)")
    database.execute("begin exclusive")
    before = copy_returns(_begins)
    database.execute("insert into t values(1)")
    return [before, copy_returns(_begins)]


def _begins() -> bool:
    try:
        sqlite3.connect(DATABASE, timeout=0, isolation_level=None).execute("begin exclusive")
    except sqlite3.OperationalError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[2] == "threads":
        in_threads(1, int)
    print(*globals()[sys.argv[1]]())
