"""The engine and its own safety: signals, threads, stacks, odd states.

The result is the same as unshielded, in every mode. `calls` that are refused meanwhile are refused as ever.
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from common import attempt, effects, unchanged
from tools import MARK, bytes_of, content, forked, helpers, libc, run, using
from ways import each, in_threads, refusal

TMP = "read_write_tmp"
THERE = b"/tmp/there"
STATES = functools.partial(helpers, "states")
SA_RESTART = 0x10000000
MANY = (0, 1_000_000)
# A FIFO in an allowed place: an open of it is judged, and then waits.
FIFO = b"/tmp/allowed/fifo"
ALLOWED = {"SHIELD_ALLOW_TMP": "/tmp/allowed/**", "SHIELD_OUTBOUND_CONNECTIVITY": "{mode}"}


def same(**facts: Any) -> Callable[[Any], Any]:
    """Storms, and threads that leave something behind, have a process of their own: others would be taken for them."""
    return unchanged(TMP, settings=ALLOWED, scene="fifo", **facts)


each(
    same(alerts=MANY, alone=True),
    signals_ten_thousand_a_second=lambda: STATES().calls_under_signals(THERE, b"/tmp/allowed/data", 0, 700),
    signals_that_restart_calls=lambda: STATES().calls_under_signals(THERE, b"/tmp/allowed/data", SA_RESTART, 700),
    threads_that_come_and_go=lambda: STATES().threads_that_come_and_go(THERE),
    vfork_in_many_threads=lambda: STATES().vfork_in_threads(THERE),
)


def waiting(call: Callable[[], object], wake: Callable[[], object] | None = None) -> list[object]:
    """By a function of libc, which Python does not repeat: a signal interrupts it, or it goes on until it is woken."""
    ticks: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: ticks.append(number))
    signal.siginterrupt(signal.SIGALRM, wake is None)
    waker = threading.Timer(0.1, wake or int)
    waker.start()
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    result = refusal(call)
    waker.join()
    signal.signal(signal.SIGALRM, before)
    return [result, len(ticks)]


def open_fifo() -> None:
    os.close(libc("open", FIFO, os.O_RDONLY))


def received(restarts: bool) -> list[object]:
    """With a time limit a receive is never restarted (signal(7))."""
    byte = ctypes.create_string_buffer(1)
    with socket.socket(type=socket.SOCK_DGRAM) as s, socket.socket(type=socket.SOCK_DGRAM) as other:
        s.bind(("127.0.0.1", 0))
        return waiting(
            lambda: libc("recv", s.fileno(), byte, 1, 0),
            (lambda: other.sendto(b"x", s.getsockname())) if restarts else None,
        )


def stopped_and_continued() -> list[object]:
    """Ten times while it waits in an open."""
    child = os.fork()
    if child == 0:
        os._exit(content(os.open(FIFO, os.O_RDONLY)) == "x")
    seen = []
    for _ in range(10):
        time.sleep(0.005)
        os.kill(child, signal.SIGSTOP)
        seen.append(os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]))
        os.kill(child, signal.SIGCONT)
    using(FIFO.decode(), lambda fifo: os.write(fifo, b"x"), os.O_WRONLY)
    return [all(seen), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


each(
    same(),
    signal_interrupts_an_open=lambda: waiting(open_fifo),
    signal_restarts_an_open=lambda: waiting(open_fifo, lambda: os.close(os.open(FIFO, os.O_WRONLY))),
    signal_interrupts_a_receive=lambda: received(False),
    signal_restarts_a_receive=lambda: received(True),
    backtrace_through_a_waiting_open=lambda: STATES().backtrace_through_open(FIFO),
    frozen_in_an_open=stopped_and_continued,
)
each(
    same(alone=True),
    cancelled_in_an_open=lambda: STATES().cancelled_open(FIFO),
    cancelled_in_a_receive=lambda: STATES().cancelled_receive(),
)
each(
    # What is not opened by its path leaves the reference that it was judged by.
    same(alone=True, leaves=5),
    cancelled_in_an_open_of_an_object=lambda: STATES().cancelled_open(FIFO.replace(b"/fifo", b"/./fifo")),
)
each(same(alerts=(0, 1)), cancelled_before_an_open=lambda: STATES().cancelled_before(THERE))
each(
    same(alerts=(1, 1)),
    alternate_signal_stack=lambda: STATES().on_an_alternate_stack(THERE),
    smallest_thread_stack=lambda: STATES().on_the_smallest_stack(THERE),
)
each(
    same(alerts=(1, 1), alone=True),
    thread_that_exits_by_system_call=lambda: STATES().thread_that_exits_by_itself(THERE),
)


# ---- what is inherited (42): the allowed child starts in an odd state: it is shielded, and alerts, all the same


def inherited(prepare: Callable[[], object]) -> None:
    try:
        run([MARK, "--tmp"], preexec_fn=prepare)
    except subprocess.SubprocessError as error:
        raise AssertionError(f"the child was not started: {error}") from None


def ignore_signals() -> None:
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM, signal.SIGSEGV, signal.SIGTRAP, signal.SIGSYS):
        signal.signal(number, signal.SIG_IGN)


def without_descriptors() -> None:
    os.closerange(0, 3)
    os.execv(MARK, ["mark", "--tmp"])


effects(
    attempt(TMP),
    inherited_signals_blocked=lambda: inherited(lambda: signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 64))),
    inherited_signals_ignored=lambda: inherited(ignore_signals),
    inherited_standard_descriptors_closed=lambda: forked(without_descriptors),
)


@attempt(TMP)
def inherited_children_ignored() -> None:
    """The kernel waits for them then: the status comes through a pipe."""
    signal_before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    reading, writing = os.pipe()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, writing, 9)]
        os.posix_spawn("/bin/sh", ["sh", "-c", f"{MARK} --tmp; echo $? >&9"], {}, file_actions=actions)
    finally:
        signal.signal(signal.SIGCHLD, signal_before)
        os.close(writing)
    if status := int(content(reading)):
        raise OSError(status, "the child")


def read_often() -> int:
    return sum(len(bytes_of("/etc/passwd")) == 0 for _ in range(50))


each(unchanged(TMP), many_threads_open_at_once=lambda: in_threads(20, read_often))
