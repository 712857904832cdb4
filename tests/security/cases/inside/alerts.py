"""The channel that alerts are written to, and what a line looks like."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import subprocess

from common import attempt, effects
from tools import MARK, inside, read, run
from ways import each

TMP = "read_write_tmp"
SELF = "self_protection"


# ---- the alerts' own channel (35)


@attempt(TMP, alone=True)
def log_lowered_limit() -> str:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return read("/tmp/there")


# A smaller pipe holds fewer lines, and of one of packets a reader with a smaller buffer loses what does not fit.
each(
    attempt(SELF, alone=True),
    log_pipe_of_one_page=lambda: fcntl.fcntl(2, fcntl.F_SETPIPE_SZ, 4096),
    log_pipe_of_packets=lambda: fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_DIRECT),
)


@attempt(TMP, alone=True)
def log_of_a_child_after_ioctl() -> None:
    """FIOCLEX marks a descriptor close-on-exec without fcntl: each that may be the shield's."""
    for number in range(3, 1024):
        with contextlib.suppress(OSError):
            fcntl.ioctl(number, 0x5451)
    run([MARK, "--tmp"], env={})


@attempt(TMP)
def log_of_a_child_with_captured_output() -> list[str]:
    done = subprocess.run([MARK, "--tmp"], capture_output=True, text=True, close_fds=True, check=False)
    if done.stdout or done.stderr:
        raise AssertionError(f"the child's own pipes hold {done.stdout!r} {done.stderr!r}")
    if done.returncode:
        raise OSError(done.returncode, "the child")
    return []


# ---- one line of JSON, whatever the bytes (36)

effects(
    attempt("create_child_process"),
    line_with_many_arguments=lambda: run([MARK, *("argument" * 40 for _ in range(500))]),
)
# Every byte of it must be escaped.
effects(attempt(TMP), line_with_a_very_long_path=lambda: inside("/tmp", lambda: os.mkdir(b"./" * 2000 + b"made")))
