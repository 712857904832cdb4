# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Runs an event loop of libuv's with a thread and a look-up."""

import asyncio

import uvloop
from outcome import told


async def work():
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo("api.example", 443)
    return found[0][4][0], await asyncio.to_thread(sum, [1, 2])


def use():
    return uvloop.run(work())


handler = told(use)
