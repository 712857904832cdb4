"""aiohttp: one GET over TLS; the loop's threads resolve the name."""

import asyncio

import aiohttp
from attempt import attempt


async def get(url: str) -> object:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
        return await response.json()


def talk(host: str, port: int) -> object:
    return asyncio.run(get(f"https://{host}:{port}/path"))


attempt(talk)
