"""Databases of tests as copies of one that was filled once: a copy is made sooner than tables are."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.database import create_engine

EMPTY = "template1"
"""What an empty database is a copy of."""


@contextmanager
def database(server: str, name: str, content: str = EMPTY) -> Iterator[str]:
    """Lend the URL of a new database, a copy of `content`; it is dropped afterwards."""
    asyncio.run(_execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{content}"'))
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        asyncio.run(_execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def filled(server: str, fill: Callable[[AsyncEngine, str], Awaitable[None]]) -> Iterator[str]:
    """Lend the name of a database that `fill` was given, by engine and URL, for others to be copies of it."""
    name = f"c{uuid4().hex[:8]}"
    with database(server, name) as url:
        asyncio.run(_fill(url, fill))
        yield name


def stop_flushing(server: str) -> None:
    """Let Postgres not wait until the disk has what it writes: that counts only when a machine fails."""
    for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
        asyncio.run(_execute(server, statement))


async def _fill(url: str, fill: Callable[[AsyncEngine, str], Awaitable[None]]) -> None:
    engine = create_engine(url)
    await fill(engine, url)
    await engine.dispose()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
