# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks an API for JSON, twice at once."""

import asyncio

import aiohttp
from outcome import told


async def ask():
    timeout = aiohttp.ClientTimeout(5)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def get():
            async with session.get("https://api.example/") as response:
                return await response.json()

        return await asyncio.gather(get(), get())


def use():
    return asyncio.run(ask())


handler = told(use)
