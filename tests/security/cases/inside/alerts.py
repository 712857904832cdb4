"""The channel that alerts are written to, what a line looks like, and storms of them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from common import (
    CHANNEL,
    MARK,
    Helpers,
    attempt,
    content,
    errno_of,
    opened,
    raw,
    run,
    working_directory,
)

TMP = "read_write_tmp"
SELF = "self_protection"
THERE = b"/tmp/there"
HELP = Helpers("help")


# ---- the alerts' own channel (35)


@contextlib.contextmanager
def log_descriptor() -> Iterator[int]:
    """The high descriptor on which the shield keeps stderr; unshielded, one that is made for the purpose."""
    same = os.fstat(2)
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if int(name) > 2 and os.path.samestat(os.fstat(int(name)), same):
                found.append(int(name))
    made = None if found else fcntl.fcntl(2, fcntl.F_DUPFD, 900)
    try:
        yield max(found) if made is None else made
    finally:
        with contextlib.suppress(OSError):
            os.close(-1 if made is None else made)


def silenced(alerts: tuple[int, int] = (1, 1), **facts: Any) -> Callable[[Callable[[int], object]], None]:
    """Something is done to the channel; after that, a file in /tmp is opened: the alert must come all the same."""

    def declare(function: Callable[[int], object]) -> None:
        def case() -> str:
            with log_descriptor() as log:
                with contextlib.suppress(OSError):
                    function(log)
                return content(os.open("/tmp/there", os.O_RDONLY))

        case.__name__ = function.__name__
        attempt(TMP, alone=True, alerts=alerts, says=(TMP, SELF), **facts)(case)

    return declare


@silenced()
def log_close(log: int) -> None:
    os.close(log)


@silenced()
def log_close_standard_error(_log: int) -> None:
    os.close(2)


@silenced(attach=("wrapper",))  # beside other threads it would close theirs
def log_close_everything(_log: int) -> None:
    os.closerange(3, CHANNEL[0])
    os.closerange(CHANNEL[0] + 1, 5000)


@silenced(attach=("wrapper",))  # beside other threads it would close theirs
def log_raw_close_range(_log: int) -> None:
    raw("close_range", 3, CHANNEL[0] - 1, 0)
    raw("close_range", CHANNEL[0] + 1, 0xFFFFFFFF, 0)


@silenced()
def log_close_range_one(log: int) -> None:
    raw("close_range", log, log, 0)


@silenced((1, 2))
def log_dup2(log: int) -> None:
    with opened("/dev/null", os.O_WRONLY) as nowhere:
        os.dup2(nowhere, log)


@silenced((1, 2))
def log_dup3(log: int) -> None:
    with opened("/dev/null", os.O_WRONLY) as nowhere:
        raw("dup3", nowhere, log, os.O_CLOEXEC)


@silenced()
def log_standard_error_elsewhere(_log: int) -> None:
    with opened("/dev/null", os.O_WRONLY) as nowhere:
        os.dup2(nowhere, 2)


@silenced((1, 2))
def log_close_on_exec(log: int) -> None:
    os.set_inheritable(log, False)
    fcntl.fcntl(log, fcntl.F_SETFD, fcntl.FD_CLOEXEC)


@silenced()
def log_not_blocking(log: int) -> None:
    fcntl.fcntl(log, fcntl.F_SETFL, os.O_NONBLOCK)


@silenced()
def log_lowered_limit(_log: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@silenced((1, 2))  # beside other threads it is refused, and reported
def log_unshared_and_closed(log: int) -> None:
    raw("close_range", log, log, 2)  # CLOSE_RANGE_UNSHARE


@attempt(TMP, alone=True)
def log_of_a_child_without_descriptors() -> None:
    def close_all() -> None:
        os.closerange(3, 5000)
        fcntl.ioctl(2, 0x5451)  # FIOCLEX

    run([MARK, "--tmp"], preexec_fn=close_all, env={})


@attempt(TMP, alone=True)
def log_of_a_child_after_ioctl() -> None:
    """FIOCLEX marks a descriptor close-on-exec without fcntl."""
    with log_descriptor() as log:
        fcntl.ioctl(log, 0x5451)
        run([MARK, "--tmp"], env={})


@attempt(TMP)
def log_of_a_child_with_captured_output() -> list[str]:
    done = subprocess.run([MARK, "--tmp"], capture_output=True, text=True, close_fds=True, check=False)
    if done.stdout or done.stderr:
        raise AssertionError(f"the child's own pipes hold {done.stdout!r} {done.stderr!r}")
    if done.returncode:
        raise OSError(done.returncode, "the child")
    return []


@attempt(TMP, alone=True, alerts=(2, 2))
def log_pipe_is_full() -> str:
    """Nobody reads for a moment: the call does not wait. The line is lost, but counted in the next one."""
    copy = os.dup(2)
    flags = fcntl.fcntl(copy, fcntl.F_GETFL)
    fcntl.fcntl(copy, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while os.write(copy, b"\n" * size):
                pass
    fcntl.fcntl(copy, fcntl.F_SETFL, flags)
    os.close(copy)
    began, waits = time.monotonic(), resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    errno_of(lambda: os.close(os.open("/tmp/there", os.O_RDONLY)))
    # A machine that is busy with others takes the processor away: that is no wait.
    waited = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw > waits
    assert time.monotonic() - began < 0.2 or not waited, "it waited for the reader"
    time.sleep(1)  # session.py reads meanwhile
    return content(os.open("/tmp/there", os.O_RDONLY))


# ---- one line of JSON, whatever the bytes (36)

ODD = {
    "newline": b"new\nline",
    "quotes": b"quote\"back\\slash'",
    "invalid_utf8": b"\xff\xfe\xc3\x28",
    "cut_character": b"x" * 200 + "é漢😀".encode()[:-1],
    "control_characters": bytes(range(1, 32)) + b"\x7f",
    "long": b"x" * 255,
    "separators": "\u2028\u2029\u0085".encode(),
    "json": b'","policy":"none","a":"',
}


def odd(name: str, text: bytes) -> None:
    def path() -> None:
        os.mkdir(b"/tmp/" + text.replace(b"/", b"_"))

    def argument() -> None:
        run([MARK, b"an argument", text])

    path.__name__, argument.__name__ = f"line_path_with_{name}", f"line_argument_with_{name}"
    attempt(TMP)(path)
    attempt("create_child_process")(argument)


for _name, _text in ODD.items():
    odd(_name, _text)


@attempt("create_child_process")
def line_with_many_arguments() -> None:
    run([MARK, *("argument" * 40 for _ in range(500))])


@attempt(TMP)
def line_with_a_very_long_path() -> None:
    """Every byte of it must be escaped."""
    with working_directory("/tmp"):
        os.mkdir(b"./" * 2000 + b"made")


# ---- storms (37): the count of lines and of folded ones is exact

STORM = 20_000


@attempt(TMP, alone=True, alerts=(STORM + 1, STORM + 1))
def storm_of_one_thread() -> str:
    refused = HELP.storm(THERE, ctypes.c_long(STORM))
    assert refused in (0, STORM), refused
    time.sleep(1.1)
    return content(os.open("/tmp/there", os.O_RDONLY))


@attempt(TMP, alone=True, alerts=(STORM + 1, STORM + 1))
def storm_of_ten_threads() -> str:
    refused: list[int] = []
    threads = [
        threading.Thread(target=lambda: refused.append(HELP.storm(THERE, ctypes.c_long(STORM // 10))))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(refused) in (0, STORM), refused
    time.sleep(1.1)
    return content(os.open("/tmp/there", os.O_RDONLY))
