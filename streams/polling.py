"""Brings what waits in Postgres to Kafka, for as long as a worker runs."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from streams.database import UNREACHABLE, create_engine
from streams.errors import FairwayError

_log = structlog.get_logger()
_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between looks, and between attempts while something is away


async def poll_for_ever(database_url: str, look: Callable[[AsyncEngine], Awaitable[None]], trouble: str) -> None:
    """Look every second; where Postgres, Kafka or a topic is away, log `trouble` and try again, ever less often."""

    def warn(attempt: RetryCallState) -> None:
        error = attempt.outcome and attempt.outcome.exception()
        _log.warning(trouble, error=str(error).partition("\n")[0], pause=attempt.upcoming_sleep)

    engine = create_engine(database_url, connections=1)
    attempts = AsyncRetrying(
        retry=retry_if_exception_type((*UNREACHABLE, KafkaError, FairwayError)),
        wait=wait_exponential(2 * _PAUSE, max=_LONGEST_PAUSE),
        before_sleep=warn,
    )
    try:
        while True:
            await attempts(look, engine)
            await asyncio.sleep(_PAUSE)
    finally:
        await engine.dispose()
