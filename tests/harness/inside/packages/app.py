"""Runs inside the sandbox: `app.py <way>...`, each way with its name in the log in front of it, and its own address."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import leaker
import payer

sys.path.append("/var/extras/site-packages")


def by_payer(host: str) -> None:
    payer.pay(host)


def by_leaker(host: str) -> None:
    leaker.leak(host)


def by_leaker_thrice(host: str) -> None:
    for _ in range(3):
        leaker.leak(host)


def by_itself(host: str) -> None:
    socket.socket().connect_ex((host, 9))


def by_name(_: str) -> None:
    leaker.leak("pay.example")


def where_another_entry_admits_it(_: str) -> None:
    leaker.leak("198.51.100.7")


def under_a_false_name(host: str) -> None:
    leaker.leak_under_a_false_name(host)


def in_a_pool_of_payer(host: str) -> None:
    payer.pay_in_a_pool(host)


def in_a_thread_of_leaker(host: str) -> None:
    leaker.leak_in_a_thread(host)


def in_a_coroutine_that_leaker_resumes(host: str) -> None:
    leaker.leak_by_send(host)


def leaker_in_a_pool(host: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(leaker.leak, host).result()


def own_code_in_a_pool(host: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(by_leaker, host).result()


def the_standard_library_in_a_pool(host: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(socket.socket().connect_ex, (host, 9)).result()


async def wait(other: Awaitable[Any]) -> None:
    await other


def in_a_task_of_payer(host: str) -> None:
    asyncio.run(wait(payer.pay_in_a_task(host)))


def in_coroutines_of_leaker(host: str) -> None:
    asyncio.run(wait(leaker.leak_soon(host)))


def in_a_task_that_c_code_resumes(host: str) -> None:
    """As uvloop does, whose loop has no frames."""
    with contextlib.suppress(StopIteration):
        payer.pay_soon(host).send(None)


def in_an_awaitable_of_leaker(host: str) -> None:
    asyncio.run(wait(leaker.Leak(host)))


def in_a_task_made_by_own_code(host: str) -> None:
    async def make() -> None:
        await asyncio.create_task(leaker.leak_soon(host))

    asyncio.run(make())


def datagrams_of_payer(host: str) -> None:
    payer.send(host)


def datagrams_of_leaker(host: str) -> None:
    leaker.send(host)
    leaker.send(host)


async def fetch(host: str) -> None:
    import aiohttp

    with contextlib.suppress(OSError, aiohttp.ClientError):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(1)) as session:
            await session.get(f"http://{host}:9/")


def by_aiohttp(_: str) -> None:
    asyncio.run(fetch("192.0.2.1"))


def by_aiohttp_for_others(host: str) -> None:
    asyncio.run(fetch(host))


def in_greenlets(host: str) -> None:
    import gevent

    gevent.joinall([gevent.spawn(leaker.leak, host), gevent.spawn(payer.pay, host)])


def main() -> None:
    for number, way in enumerate(sys.argv[1:], 1):
        print("---", way, file=sys.stderr, flush=True)
        globals()[way](f"203.0.113.{number}")


main()
