"""Runs inside the sandbox: `app.py <way>...`, forbidden calls, each way with its name in the log in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import leaker
import payer
from dialler import client

HERE = Path(__file__).parent
HOST = "203.0.113.66"
sys.path.insert(0, str(HERE / "deps" / "site-packages"))
sys.path.append("/var/extras/site-packages")


def call() -> None:
    """By another module."""
    client.call(HOST)


def by_itself() -> None:
    socket.socket().connect_ex((HOST, 9))


def run_in_a_thread(target: Callable[..., object], *args: object) -> None:
    thread = threading.Thread(target=target, args=args)
    thread.start()
    thread.join()


def in_a_pool(threads: int, function: Callable[..., object], *arguments: object) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(function, arguments))


async def open_one() -> None:
    with contextlib.suppress(OSError):
        await asyncio.open_connection(HOST, 9)


async def open_three() -> None:
    await asyncio.gather(open_one(), asyncio.create_task(open_one()))
    await open_one()


def in_a_callback_of_c() -> None:
    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    def compare(_a: int, _b: int) -> int:
        call()
        return 0

    ctypes.CDLL(None).qsort((ctypes.c_int * 2)(1, 2), 2, 4, compare)


def look_up_in_a_thread_of_c() -> None:
    """No interpreter knows of it."""
    libc, thread = ctypes.CDLL(None), ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, libc.gethostbyname, b"evil.example")
    libc.pthread_join(thread, None)


def run_in_a_copy(work: Callable[[], object]) -> None:
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    os.waitpid(child, 0)


def in_a_subinterpreter() -> None:
    code = f"import sys; sys.path.insert(0, {str(HERE)!r})\nfrom dialler.client import call\ncall({HOST!r})"
    if sys.version_info >= (3, 13):
        interpreters = import_module("_interpreters")
        interpreters.exec(interpreters.create(), code)
    else:
        interpreters = import_module("_xxsubinterpreters")
        interpreters.run_string(interpreters.create(), code)
    call()


def by_subprocess() -> None:
    with contextlib.suppress(OSError):
        subprocess.run(["/bin/true"], check=False)


def by_subprocess_with_a_function() -> None:
    with contextlib.suppress(subprocess.SubprocessError, OSError):
        subprocess.run(["/bin/true"], preexec_fn=lambda: None, check=False)


def by_posix_spawn() -> None:
    with contextlib.suppress(OSError):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def by_exec() -> None:
    child = os.fork()
    if not child:
        with contextlib.suppress(OSError):
            os.execv("/bin/true", ["true"])
        os._exit(0)
    os.waitpid(child, 0)


def rename(function: Any, file: Path, name: str) -> None:
    function.__code__ = function.__code__.replace(co_filename=str(file), co_qualname=name)


def under_a_false_name() -> None:
    def dial() -> None:
        socket.socket().connect_ex((HOST, 9))

    rename(dial, HERE / "boto3" / "session.py", "Session.client")
    dial()


def under_no_name() -> None:
    exec(compile("s.connect_ex((HOST, 9))", "<string>", "exec"), {"s": socket.socket(), "HOST": HOST})


def ünïcode_名前() -> None:
    by_itself()


def with_foreign_names() -> None:
    rename(ünïcode_名前, HERE / "päckage" / "名前" / "😀.py", "ünïcode_名前")
    ünïcode_名前()


def at_a_far_line() -> None:
    source = "\n" * 70_000 + "def far():\n" + "\n".join(f"    {i}" for i in range(300)) + "\n    farther()\n"
    source += "\n" * 5000 + "def farther():\n    socket.socket().connect_ex((HOST, 9))\n"
    there = {"socket": socket, "HOST": HOST}
    exec(compile(source, str(HERE / "far.py"), "exec"), there)
    there["far"]()


def deep(n: int) -> None:
    return deep(n - 1) if n else by_itself()


def at_the_end_of_a_deep_stack() -> None:
    sys.setrecursionlimit(5000)
    deep(1000)


def under_long_names() -> None:
    def dial() -> None:
        socket.socket().connect_ex((HOST, 9))

    rename(dial, HERE / ("p" * 300) / ("m" * 3000), "f" * 3000)
    dial()


async def wait(other: Awaitable[Any]) -> None:
    await other


def in_a_task_that_c_code_resumes() -> None:
    """As uvloop does, whose loop has no frames."""
    with contextlib.suppress(StopIteration):
        payer.pay_soon(HOST).send(None)


def in_a_task_made_by_own_code() -> None:
    async def make() -> None:
        await asyncio.create_task(leaker.leak_soon(HOST))

    asyncio.run(make())


async def fetch(host: str) -> None:
    import aiohttp

    with contextlib.suppress(OSError, aiohttp.ClientError):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(1)) as session:
            await session.get(f"http://{host}:9/")


def in_greenlets() -> None:
    import gevent

    gevent.joinall([gevent.spawn(leaker.leak, HOST), gevent.spawn(payer.pay, HOST)])


WAYS: dict[str, Callable[[], object]] = {
    "through_libraries": lambda: import_module("asker").get(HOST),
    "when_imported": lambda: import_module("loud"),
    "in_a_thread": lambda: run_in_a_thread(client.call, HOST),
    "in_a_pool": lambda: in_a_pool(2, client.call, *[HOST] * 3),
    "only_the_standard_library_in_a_pool": lambda: in_a_pool(1, socket.socket().connect_ex, (HOST, 9)),
    "in_coroutines": lambda: asyncio.run(open_three()),
    "in_a_thread_of_c": look_up_in_a_thread_of_c,
    "in_a_forked_child": lambda: run_in_a_copy(call),
    "in_a_child_of_a_thread": lambda: run_in_a_thread(run_in_a_copy, call),
    # By packages of which an entry names one.
    "by_payer": lambda: payer.pay(HOST),
    "by_leaker": lambda: leaker.leak(HOST),
    "by_leaker_thrice": lambda: [leaker.leak(HOST) for _ in range(3)],
    "by_name": lambda: leaker.leak("pay.example"),
    "where_another_entry_admits_it": lambda: leaker.leak("198.51.100.7"),
    "leaker_under_a_false_name": lambda: leaker.leak_under_a_false_name(HOST),
    "in_a_pool_of_payer": lambda: payer.pay_in_a_pool(HOST),
    "in_a_thread_of_leaker": lambda: leaker.leak_in_a_thread(HOST),
    "in_a_coroutine_that_leaker_resumes": lambda: leaker.leak_by_send(HOST),
    "leaker_in_a_pool": lambda: in_a_pool(1, leaker.leak, HOST),
    "own_code_in_a_pool": lambda: in_a_pool(1, lambda host: [leaker.leak(host)], HOST),
    "in_a_task_of_payer": lambda: asyncio.run(wait(payer.pay_in_a_task(HOST))),
    "in_coroutines_of_leaker": lambda: asyncio.run(wait(leaker.leak_soon(HOST))),
    "in_an_awaitable_of_leaker": lambda: asyncio.run(wait(leaker.Leak(HOST))),
    "datagrams_of_payer": lambda: payer.send(HOST),
    "datagrams_of_leaker": lambda: [leaker.send(HOST) for _ in range(2)],
    "by_aiohttp": lambda: asyncio.run(fetch("192.0.2.1")),
    "by_aiohttp_for_others": lambda: asyncio.run(fetch(HOST)),
}


if __name__ == "__main__":
    for number, way in enumerate(sys.argv[1:]):
        globals()["HOST"] = f"203.0.113.{66 + number}"  # each its own: of one violation there is one line in a second
        print(f"--- {way}", file=sys.stderr, flush=True)
        (WAYS.get(way) or globals()[way])()
