"""Connects, from a generator in a comprehension, and in the ways of asyncio."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator


class Client:
    """Of one host."""

    def __init__(self, host: str) -> None:
        self.host = host

    def dial(self) -> None:
        """Connects."""
        s = socket.socket()
        s.connect_ex((self.host, 9))
        s.close()

    def often(self) -> Iterator[None]:
        """One connection an item."""
        for _ in range(1):
            yield self.dial()


def call(host: str) -> list[None]:
    """Connects once."""
    return [made for made in Client(host).often() if not made]


def send(host: str) -> None:
    """One datagram."""
    with contextlib.suppress(OSError):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (host, 9))


async def call_soon(host: str) -> None:
    """Connects once, without a loop."""
    call(host)


async def open_one(host: str) -> None:
    """Connects by the loop."""
    with contextlib.suppress(OSError):
        await asyncio.open_connection(host, 9)


async def open_in_a_task(host: str) -> None:
    """As clients do that race addresses with each other."""
    await asyncio.create_task(open_one(host))
