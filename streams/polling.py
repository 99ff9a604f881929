"""Brings what waits in Postgres to Kafka, for as long as a worker runs.

Whoever writes what a worker looks for says so (`call`, a NOTIFY of Postgres), and is heard when it is committed. A
call that is lost, as behind a pooler of connections, costs the time until the next look.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from streams.database import UNREACHABLE, create_engine
from streams.errors import FairwayError

OUTBOX, RUNS, FAILURES = "fairway_outbox", "fairway_runs", "fairway_failures"
"""Channels of Postgres, by what was written."""

_log = structlog.get_logger()
_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between looks, and between attempts while something is away
_QUIET = 4.0  # seconds more until the next look, where nobody calls
_CALL = text("SELECT pg_notify(:channel, '')")


async def call(connection: AsyncConnection, channel: str) -> None:
    """Let whoever polls for this look when the transaction at hand is committed."""
    await connection.execute(_CALL, {"channel": channel})


async def poll_for_ever(
    database_url: str, look: Callable[[AsyncEngine], Awaitable[None]], channel: str, trouble: str
) -> None:
    """Look when somebody calls, once a second at most, and every five seconds where nobody does.

    Where Postgres, Kafka or a topic is away, log `trouble` and try again, ever less often.
    """

    def warn(attempt: RetryCallState) -> None:
        error = attempt.outcome and attempt.outcome.exception()
        _log.warning(trouble, error=str(error).partition("\n")[0], pause=attempt.upcoming_sleep)

    engine, called = create_engine(database_url, connections=1), asyncio.Event()
    _listen(engine, channel, called)
    attempts = AsyncRetrying(
        retry=retry_if_exception_type((*UNREACHABLE, KafkaError, FairwayError)),
        wait=wait_exponential(2 * _PAUSE, max=_LONGEST_PAUSE),
        before_sleep=warn,
    )
    try:
        while True:
            called.clear()
            await attempts(look, engine)
            await asyncio.sleep(_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(_QUIET):
                    await called.wait()
    finally:
        await engine.dispose()


def _listen(engine: AsyncEngine, channel: str, called: asyncio.Event) -> None:
    """Let each connection of the engine hear calls, also while it waits to be used again; its end is one."""

    def hear(*_: Any) -> None:
        called.set()

    def begin(connection: Any, _: object) -> None:
        connection.run_async(lambda driver: driver.add_listener(channel, hear))
        connection.driver_connection.add_termination_listener(hear)

    event.listen(engine.sync_engine, "connect", begin)
