"""Brings what waits in Postgres to Kafka, for as long as a worker runs."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.database import UNREACHABLE, create_engine

_log = structlog.get_logger()
_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between looks, and between attempts while something is away


async def poll_for_ever(database_url: str, look: Callable[[AsyncEngine], Awaitable[None]], trouble: str) -> None:
    """Look every second; where Postgres or Kafka is away, log `trouble` and try again, less and less often."""
    engine, pause = create_engine(database_url, connections=1), _PAUSE
    try:
        while True:
            try:
                await look(engine)
                pause = _PAUSE
            except (*UNREACHABLE, KafkaError) as error:
                pause = min(2 * pause, _LONGEST_PAUSE)
                _log.warning(trouble, error=str(error).partition("\n")[0], pause=pause)
            await asyncio.sleep(pause)
    finally:
        await engine.dispose()
