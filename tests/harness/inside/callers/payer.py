"""The package that the entries name."""

from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor

from dialler import client


def pay(host: str) -> None:
    client.call(host)


def send(host: str) -> None:
    client.send(host)


def pay_in_a_pool(host: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(client.call, host).result()


async def pay_in_a_task(host: str) -> None:
    await client.open_in_a_task(host)


def pay_soon(host: str) -> Coroutine[None, None, None]:
    return client.call_soon(host)
