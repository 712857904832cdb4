# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks PostgreSQL."""

import asyncio

import asyncpg
from outcome import told


async def ask():
    connection = await asyncpg.connect("postgresql://postgres@database.example/postgres", timeout=5)
    try:
        return await connection.fetchval("select 6 * 7")
    finally:
        await connection.close()


def use():
    return asyncio.run(ask())


handler = told(use)
