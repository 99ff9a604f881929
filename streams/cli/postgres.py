"""How commands ask Postgres: one connection and one transaction, and an error that says what to do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from streams.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

Found = TypeVar("Found")


def transact(work: "Callable[[AsyncConnection], Awaitable[Found]]") -> Found:
    """Return what the work comes to; raises FairwayError where Postgres can't be used or lacks the tables."""
    from streams.database import create_engine, reach

    async def run() -> Found:
        async with reach(create_engine(read_settings().database_url)) as engine, engine.begin() as connection:
            return await work(connection)

    return asyncio.run(run())
