"""The outbox: takes what authoring wrote in its transaction to the definitions topic, in order."""

from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.rows import OutboxRow
from streams.database import OUTBOX_LOCK
from streams.errors import FairwayError
from streams.kafka.clients import explain, missing_topic, producing
from streams.kafka.topics import DEFINITIONS
from streams.polling import poll_for_ever
from streams.settings import Settings

_AT_ONCE = 1000
_TIMEOUT_MS = 10_000


async def publish(engine: AsyncEngine, producer: Any) -> int:
    """Send what waits in the outbox and take it out; return how many records that were.

    One publisher at a time, so that order holds. After a crash between the two it is sent again: the records
    are keyed, and of a status only the newest is sent.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": OUTBOX_LOCK})
        rows = (await connection.execute(select(OutboxRow).order_by(OutboxRow.id).limit(_AT_ONCE))).all()
        newest = {row.key: row for row in rows}
        for row in sorted(newest.values(), key=lambda row: row.id):
            await producer.send_and_wait(DEFINITIONS, row.value, key=row.key.encode(), partition=0)
        await connection.execute(delete(OutboxRow).where(OutboxRow.id.in_([row.id for row in rows])))
        return len(rows)


async def publish_now(engine: AsyncEngine, settings: Settings) -> None:
    """Send what waits in the outbox; raises KafkaError, or FairwayError where the topic is missing."""
    # Not idempotent, for then aiokafka would try for ever; one record is sent at a time, so they stay in order.
    made = AIOKafkaProducer(bootstrap_servers=settings.brokers, acks="all", request_timeout_ms=_TIMEOUT_MS)
    async with producing(made) as producer:
        if DEFINITIONS not in (await producer.client.fetch_all_metadata()).topics():
            raise missing_topic(DEFINITIONS)
        while await publish(engine, producer) == _AT_ONCE:
            pass


async def publish_soon(engine: AsyncEngine, settings: Settings) -> FairwayError | None:
    """Send what waits in the outbox, or leave it to the next worker that can; return what was in the way."""
    try:
        await publish_now(engine, settings)
    except KafkaError as error:
        return explain(settings.brokers, error)
    except FairwayError as error:
        return error
    return None


async def publish_for_ever(settings: Settings) -> None:
    """Look every second whether something waits, and send it; Postgres or Kafka may be away meanwhile."""

    async def look(engine: AsyncEngine) -> None:
        if await _is_waiting(engine):
            await publish_now(engine, settings)

    await poll_for_ever(settings.database_url, look, "the outbox can't be sent for now")


async def _is_waiting(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return (await connection.execute(select(OutboxRow.id).limit(1))).first() is not None
