"""The engine and its own safety: signals, threads, stacks, odd states.

The result is the same as unshielded, in every mode. `calls` that are refused meanwhile are refused as ever.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from common import MARK, Helpers, attempt, content, each, effects, ended, run, unchanged

TMP = "read_write_tmp"
THERE = b"/tmp/there"
STATES = Helpers("states")
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
    signals_ten_thousand_a_second=lambda: STATES.calls_under_signals(THERE, b"/tmp/allowed/data", 0, 700),
    signals_that_restart_calls=lambda: STATES.calls_under_signals(THERE, b"/tmp/allowed/data", SA_RESTART, 700),
)


each(
    same(),
    signal_interrupts_an_open=lambda: STATES.waiting_open_interrupted(FIFO, 0),
    signal_restarts_an_open=lambda: STATES.waiting_open_interrupted(FIFO, 1),
    signal_interrupts_a_receive=lambda: STATES.waiting_receive_interrupted(0),
    signal_restarts_a_receive=lambda: STATES.waiting_receive_interrupted(1),
)


@same(alone=True)
def cancelled_in_an_open() -> int:
    return STATES.cancelled_open(FIFO)


@same(alone=True, leaves=5)
def cancelled_in_an_open_of_an_object() -> int:
    """What is not opened by its path leaves the reference that it was judged by."""
    return STATES.cancelled_open(FIFO.replace(b"/fifo", b"/./fifo"))


@same(alone=True)
def cancelled_in_a_receive() -> int:
    return STATES.cancelled_receive()


@same(alerts=(0, 1))
def cancelled_before_an_open() -> int:
    return STATES.cancelled_before(THERE)


@same()
def backtrace_through_a_waiting_open() -> int:
    return STATES.backtrace_through_open(FIFO)


each(
    same(alerts=(1, 1)),
    alternate_signal_stack=lambda: STATES.on_an_alternate_stack(THERE),
    smallest_thread_stack=lambda: STATES.on_the_smallest_stack(THERE),
)


@same(alerts=MANY, alone=True)
def threads_that_come_and_go() -> int:
    return STATES.threads_that_come_and_go(THERE)


@same(alerts=(1, 1), alone=True)
def thread_that_exits_by_system_call() -> int:
    return STATES.thread_that_exits_by_itself(THERE)


@same(alerts=MANY, alone=True)
def vfork_in_many_threads() -> int:
    return STATES.vfork_in_threads(THERE)


@same(alone=True)
def vfork_child_killed_in_an_open() -> int:
    return STATES.vfork_killed_in_open(FIFO)


@same()
def frozen_in_an_open() -> int:
    return STATES.stopped_and_continued(FIFO)


@same(alerts=MANY, alone=True)
def frozen_again_and_again() -> int:
    return STATES.stopped_between_calls(THERE, 200)


# ---- what is inherited (42)


def inherited(prepare: Callable[[], None], **options: Any) -> None:
    """The allowed child starts in an odd state: it is shielded, and alerts, all the same."""
    try:
        run([MARK, "--tmp"], preexec_fn=prepare, **options)
    except subprocess.SubprocessError as error:
        raise AssertionError(f"the child was not started: {error}") from None


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
    status = int(content(reading))
    if status:
        raise OSError(status, "the child")


@attempt(TMP)
def inherited_signals_blocked() -> None:
    def block() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 64))

    inherited(block)


@attempt(TMP)
def inherited_signals_ignored() -> None:
    def ignore() -> None:
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM, signal.SIGSEGV, signal.SIGTRAP, signal.SIGSYS):
            signal.signal(number, signal.SIG_IGN)

    inherited(ignore)


@attempt(TMP)
def inherited_standard_descriptors_closed() -> None:
    child = os.fork()
    if child == 0:
        for descriptor in range(3):
            os.close(descriptor)
        try:
            os.execv(MARK, ["mark", "--tmp"])
        except OSError as error:
            os._exit(error.errno or 255)
    ended(child)


@attempt(TMP)
def inherited_three_descriptors() -> None:
    """RLIMIT_NOFILE of 3, and none of them in use: the child needs two itself."""
    child = os.fork()
    if child == 0:
        for descriptor in range(3):
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        try:
            os.execv(MARK, ["mark", "--tmp"])
        except OSError as error:
            os._exit(error.errno or 255)
    ended(child)


effects(
    attempt(TMP),
    inherited_small_stack=lambda: inherited(lambda: resource.setrlimit(resource.RLIMIT_STACK, (65536, 65536))),
    inherited_little_memory=lambda: inherited(lambda: resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))),
    # RLIMIT_FSIZE of 0 ends who writes to a file; a pipe is none.
    inherited_no_file_size=lambda: inherited(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))),
)


NO_DESCRIPTOR = {
    "alert": "the gate needs a descriptor of its own, so the call fails with EMFILE: see docs/security/limits.md"
}


@attempt(TMP, alone=True, refusal=(13, 24), alerts=(0, 1), not_in=NO_DESCRIPTOR)
def no_descriptors_left() -> None:
    """What needs no descriptor unshielded is not let through because there is none to judge it with."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        os.mkdir("/tmp/made")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@unchanged(TMP)
def many_threads_open_at_once() -> int:
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                with open("/etc/passwd") as f:
                    assert f.read(1) == "r"
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(problems)
