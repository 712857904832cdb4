"""The channel that alerts are written to, what a line looks like, and storms of them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator

from common import CHANNEL, attempt, each, effects
from tools import MARK, Helpers, errno_of, in_threads, inside, raw, read, run, using

TMP = "read_write_tmp"
SELF = "self_protection"
THERE = b"/tmp/there"
HELP = Helpers("help")
NUMBER = resource.RLIMIT_NOFILE


# ---- the alerts' own channel (35)


@contextlib.contextmanager
def log_descriptor() -> Iterator[int]:
    """The high descriptor on which the shield keeps stderr; unshielded, one that is made for the purpose."""
    same = os.fstat(2)
    found = []
    for number in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if number > 2 and os.path.samestat(os.fstat(number), same):
                found.append(number)
    made = None if found else fcntl.fcntl(2, fcntl.F_DUPFD, 900)
    try:
        yield max(found) if made is None else made
    finally:
        with contextlib.suppress(OSError):
            os.close(-1 if made is None else made)


def silenced(
    alerts: tuple[int, int] = (1, 1),
    attach: tuple[str, ...] = ("wrapper", "late"),
    /,
    **functions: Callable[[int], object],
) -> None:
    """Something is done to the channel; after that, a file in /tmp is opened: the alert must come all the same."""

    def open_after(function: Callable[[int], object]) -> str:
        with log_descriptor() as log:
            with contextlib.suppress(OSError):
                function(log)
            return read("/tmp/there")

    for name, function in functions.items():
        declare = attempt(TMP, alone=True, alerts=alerts, attach=attach, says=(TMP, SELF))
        each(declare, **{name: lambda function=function: open_after(function)})


def nowhere(function: Callable[[int], object]) -> None:
    using("/dev/null", function, os.O_WRONLY)


silenced(
    log_close=os.close,
    log_close_standard_error=lambda _: os.close(2),
    log_close_range_one=lambda log: raw("close_range", log, log, 0),
    log_standard_error_elsewhere=lambda _: nowhere(lambda null: os.dup2(null, 2)),
    log_not_blocking=lambda log: fcntl.fcntl(log, fcntl.F_SETFL, os.O_NONBLOCK),
    log_lowered_limit=lambda _: resource.setrlimit(NUMBER, (64, resource.getrlimit(NUMBER)[1])),
)
silenced(
    (1, 2),
    log_dup2=lambda log: nowhere(lambda null: os.dup2(null, log)),
    log_dup3=lambda log: nowhere(lambda null: raw("dup3", null, log, os.O_CLOEXEC)),
    log_close_on_exec=lambda log: [os.set_inheritable(log, False), fcntl.fcntl(log, fcntl.F_SETFD, fcntl.FD_CLOEXEC)],
    # CLOSE_RANGE_UNSHARE: beside other threads it is refused, and reported.
    log_unshared_and_closed=lambda log: raw("close_range", log, log, 2),
)
silenced(
    (1, 1),
    ("wrapper",),  # beside other threads it would close theirs
    log_close_everything=lambda _: [os.closerange(3, CHANNEL[0]), os.closerange(CHANNEL[0] + 1, 5000)],
    log_raw_close_range=lambda _: [
        raw("close_range", 3, CHANNEL[0] - 1, 0),
        raw("close_range", CHANNEL[0] + 1, 0xFFFFFFFF, 0),
    ],
)


# A smaller pipe holds fewer lines, and of one of packets a reader with a smaller buffer loses what does not fit.
each(
    attempt(SELF, alone=True),
    log_pipe_of_one_page=lambda: fcntl.fcntl(2, fcntl.F_SETPIPE_SZ, 4096),
    log_pipe_of_packets=lambda: fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_DIRECT),
)


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
    return read("/tmp/there")


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


for _name, _text in ODD.items():
    effects(attempt(TMP), **{f"line_path_with_{_name}": lambda text=_text: os.mkdir(b"/tmp/" + text)})
    effects(
        attempt("create_child_process"),
        **{f"line_argument_with_{_name}": lambda text=_text: run([MARK, b"an argument", text])},
    )

effects(
    attempt("create_child_process"),
    line_with_many_arguments=lambda: run([MARK, *("argument" * 40 for _ in range(500))]),
)
# Every byte of it must be escaped.
effects(attempt(TMP), line_with_a_very_long_path=lambda: inside("/tmp", lambda: os.mkdir(b"./" * 2000 + b"made")))


# ---- storms (37): the count of lines and of folded ones is exact

STORM = 20_000


def storm(threads: int) -> str:
    refused = sum(in_threads(threads, lambda: HELP.storm(THERE, ctypes.c_long(STORM // threads))))
    assert refused in (0, STORM), refused
    time.sleep(1.1)
    return read("/tmp/there")


each(
    attempt(TMP, alone=True, alerts=(STORM + 1, STORM + 1)),
    storm_of_one_thread=lambda: storm(1),
    storm_of_ten_threads=lambda: storm(10),
)
