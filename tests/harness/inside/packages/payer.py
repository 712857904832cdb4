"""The package that the entries name."""

from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor

import transport


def pay(host: str) -> None:
    transport.dial(host)


def send(host: str) -> None:
    transport.send(host)


def pay_in_a_pool(host: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(transport.dial, host).result()


async def pay_in_a_task(host: str) -> None:
    await transport.open_in_a_task(host)


def pay_soon(host: str) -> Coroutine[None, None, None]:
    return transport.dial_soon(host)
