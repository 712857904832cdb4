"""Runs inside the sandbox: `app.py <way>...`, each way with its name in the log in front of it, and its own address."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import leaker
import payer

sys.path.append("/var/extras/site-packages")


def by_leaker(host: str) -> None:
    leaker.leak(host)


def in_a_pool(work: Callable[..., object], argument: object) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work, argument).result()


async def wait(other: Awaitable[Any]) -> None:
    await other


def in_a_task_that_c_code_resumes(host: str) -> None:
    """As uvloop does, whose loop has no frames."""
    with contextlib.suppress(StopIteration):
        payer.pay_soon(host).send(None)


def in_a_task_made_by_own_code(host: str) -> None:
    async def make() -> None:
        await asyncio.create_task(leaker.leak_soon(host))

    asyncio.run(make())


async def fetch(host: str) -> None:
    import aiohttp

    with contextlib.suppress(OSError, aiohttp.ClientError):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(1)) as session:
            await session.get(f"http://{host}:9/")


def in_greenlets(host: str) -> None:
    import gevent

    gevent.joinall([gevent.spawn(leaker.leak, host), gevent.spawn(payer.pay, host)])


WAYS: dict[str, Callable[[str], object]] = {
    "by_payer": payer.pay,
    "by_leaker": leaker.leak,
    "by_leaker_thrice": lambda host: [leaker.leak(host) for _ in range(3)],
    "by_itself": lambda host: socket.socket().connect_ex((host, 9)),
    "by_name": lambda _: leaker.leak("pay.example"),
    "where_another_entry_admits_it": lambda _: leaker.leak("198.51.100.7"),
    "under_a_false_name": leaker.leak_under_a_false_name,
    "in_a_pool_of_payer": payer.pay_in_a_pool,
    "in_a_thread_of_leaker": leaker.leak_in_a_thread,
    "in_a_coroutine_that_leaker_resumes": leaker.leak_by_send,
    "leaker_in_a_pool": lambda host: in_a_pool(leaker.leak, host),
    "own_code_in_a_pool": lambda host: in_a_pool(by_leaker, host),
    "the_standard_library_in_a_pool": lambda host: in_a_pool(socket.socket().connect_ex, (host, 9)),
    "in_a_task_of_payer": lambda host: asyncio.run(wait(payer.pay_in_a_task(host))),
    "in_coroutines_of_leaker": lambda host: asyncio.run(wait(leaker.leak_soon(host))),
    "in_a_task_that_c_code_resumes": in_a_task_that_c_code_resumes,
    "in_an_awaitable_of_leaker": lambda host: asyncio.run(wait(leaker.Leak(host))),
    "in_a_task_made_by_own_code": in_a_task_made_by_own_code,
    "datagrams_of_payer": payer.send,
    "datagrams_of_leaker": lambda host: [leaker.send(host) for _ in range(2)],
    "by_aiohttp": lambda _: asyncio.run(fetch("192.0.2.1")),
    "by_aiohttp_for_others": lambda host: asyncio.run(fetch(host)),
    "in_greenlets": in_greenlets,
}


def main() -> None:
    for number, way in enumerate(sys.argv[1:], 1):
        print("---", way, file=sys.stderr, flush=True)
        WAYS[way](f"203.0.113.{number}")


main()
