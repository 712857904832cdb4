"""What everybody opens connections with."""

import asyncio
import contextlib
import socket


def dial(host: str) -> None:
    socket.socket().connect_ex((host, 9))


def send(host: str) -> None:
    with contextlib.suppress(OSError):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (host, 9))


async def dial_soon(host: str) -> None:
    dial(host)


async def open_one(host: str) -> None:
    with contextlib.suppress(OSError):
        await asyncio.open_connection(host, 9)


async def open_in_a_task(host: str) -> None:
    """As clients do that race addresses with each other."""
    await asyncio.create_task(open_one(host))
