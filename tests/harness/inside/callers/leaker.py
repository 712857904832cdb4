"""A package that no entry names."""

import contextlib
import threading
from collections.abc import Generator
from typing import Any

from dialler import client


def leak(host: str) -> None:
    client.call(host)


def send(host: str) -> None:
    client.send(host)


def leak_in_a_thread(host: str) -> None:
    thread = threading.Thread(target=leak, args=(host,))
    thread.start()
    thread.join()


async def leak_soon(host: str) -> None:
    await client.open_one(host)


def leak_by_send(host: str) -> None:
    with contextlib.suppress(StopIteration):
        client.call_soon(host).send(None)


class Leak:
    def __init__(self, host: str) -> None:
        self.host = host

    def __await__(self) -> Generator[Any, None, None]:
        yield from leak_soon(self.host).__await__()


def leak_under_a_false_name(host: str) -> None:
    names = {"dial": client.call}
    exec(compile("def pay(host): dial(host)", "/var/task/payer.py", "exec"), names)
    names["pay"](host)
