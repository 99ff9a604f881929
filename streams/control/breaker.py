"""The breaker: pauses a journey of whose enrolments more fail than may (R68).

It looks at what history has counted, where all partitions come together; so journeys never wait for it. Every
worker looks; the first pauses the journey as a person would, in one transaction with the audit and the outbox.
"""

from datetime import datetime

import structlog
from prometheus_client import Counter
from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import JourneyStatus
from models.rates import Rate
from models.rows import FailureCountRow, JourneyRow
from streams.clock import now
from streams.journeys.authoring import Author, move
from streams.journeys.stored import find
from streams.polling import FAILURES, poll_for_ever
from streams.settings import Settings

ACTOR = "breaker"
"""Its name in the audit."""
TRIPS = Counter("fairway_breaker_trips_total", "Journeys paused, since more of their enrolments failed than may.")

_log = structlog.get_logger()
_PRUNE = text(
    "DELETE FROM journey_failures WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM journey_failures WHERE at < :before LIMIT 5000 FOR UPDATE SKIP LOCKED))"
)


async def trip(engine: AsyncEngine, limit: Rate, at: datetime) -> list[str]:
    """Pause the journeys of whose enrolments more failed than may; return their ids."""
    since = at - limit.per
    async with engine.begin() as connection:
        await connection.execute(_PRUNE, {"before": since})
        over = (await connection.execute(_find_over(limit, since))).all()
    return [row.id for row in over if await _pause(engine, row, limit, at)]


def _find_over(limit: Rate, since: datetime) -> Select[str, str, str, int]:
    """Return the query of ACTIVE journeys with too many failures, since they were last activated."""
    journey, failure = JourneyRow, FailureCountRow
    number = func.sum(failure.number)
    return (
        select(journey.id, journey.tenant_id, journey.name, number.label("failed"))
        .join(failure, failure.journey_id == journey.id)
        .where(journey.status == JourneyStatus.ACTIVE, failure.at >= since)
        .where(failure.at >= func.coalesce(journey.activated_at, since))
        .group_by(journey.id)
        .having(number > limit.limit)
    )


async def _pause(engine: AsyncEngine, seen: Row[str, str, str, int], limit: Rate, at: datetime) -> bool:
    """Pause a journey that is still as it was seen: another worker may have paused it, and a person resumed it."""
    async with engine.begin() as connection:
        await find(connection, seen.tenant_id, seen.id, lock=True)
        again = _find_over(limit, at - limit.per).where(JourneyRow.id == seen.id)
        row = (await connection.execute(again)).first()
        if row is None:
            return False
        because = describe(row.failed, limit)
        await move(connection, row.tenant_id, row.id, "pause", Author(ACTOR, at), because=because)
    TRIPS.inc()
    _log.error("The breaker paused a journey.", tenant=row.tenant_id, journey=row.name, why=because)
    return True


def describe(failed: int, limit: Rate) -> str:
    """Return in a sentence why a journey is paused."""
    return (
        f"The breaker paused it: {failed:,} enrolments failed within one {limit.unit}, "
        f"and FAIRWAY_MAX_FAILURES allows {limit.limit:,}."
    )


async def watch_for_ever(settings: Settings) -> None:
    """Look when failures were counted, if they are limited; Postgres may be away meanwhile."""
    limit = settings.failures
    if limit is None:
        return

    async def look(engine: AsyncEngine) -> None:
        await trip(engine, limit, now())

    await poll_for_ever(settings.database_url, look, FAILURES, "the breaker can't look for now")
