"""The outbox: takes what authoring wrote in its transaction to the definitions topic, in order.

A record that Kafka refuses is put aside and tried again later: the journey's `problem` says why, and those of other
journeys go on. A status is put aside with the version that it names, for workers could not find that.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter
from sqlalchemy import Row, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.rows import JourneyRow, OutboxRow
from streams.clock import now
from streams.database import OUTBOX_LOCK
from streams.errors import FairwayError
from streams.journeys.records import UnusableError, read_key
from streams.kafka.clients import explain, is_refusal, producing
from streams.kafka.connection import client_arguments
from streams.kafka.readiness import check_writable
from streams.kafka.topics import DEFINITIONS
from streams.polling import poll_for_ever
from streams.settings import Settings

PARKED = Counter("fairway_outbox_parked_total", "Definitions that Kafka refused and that were put aside.")

_log = structlog.get_logger()
_AT_ONCE = 1000
_TIMEOUT_MS = 10_000
_RETRY = timedelta(minutes=10)


class _Status(msgspec.Struct):
    version: int


async def publish(engine: AsyncEngine, producer: Any, at: datetime) -> int:
    """Send what waits in the outbox and take it out, or put it aside; return how many records that were.

    One publisher at a time, so that order holds. After a crash between the two it is sent again: the records
    are keyed, and of a status only the newest is sent. Raises KafkaError if the broker can't be reached.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": OUTBOX_LOCK})
        rows = (await connection.execute(_due(at).order_by(OutboxRow.id).limit(_AT_ONCE))).all()
        parked = set((await connection.execute(select(OutboxRow.key).where(OutboxRow.retry_at > at))).scalars())
        newest = {row.key: row for row in rows}
        for row in sorted(newest.values(), key=lambda row: row.id):
            lacks = _lacks_version(row, parked)
            refusal = _find_fault(row) or (None if lacks else await _send(producer, row))
            if refusal:
                await _tell_refusal(connection, row, refusal)
            if lacks or refusal:
                parked.add(row.key)
                await _park(connection, row, at + _RETRY)
            else:
                parked.discard(row.key)
                await _take_out(connection, row)
        return len(rows)


def _due(at: datetime) -> Any:
    return select(OutboxRow).where(or_(OutboxRow.retry_at.is_(None), OutboxRow.retry_at <= at))


def _find_fault(row: Row[Any]) -> str | None:
    """Say what is wrong with a record that authoring did not write: nobody could tell whose it is."""
    try:
        UUID(read_key(row.key.encode()).journey_id)
    except UnusableError as error:
        return str(error)
    except ValueError:
        return "Its key names no journey."
    return None


def _lacks_version(row: Row[Any], parked: Collection[str]) -> bool:
    """Say whether this is a status whose version was put aside."""
    try:
        return f"{row.key}:{msgspec.json.decode(row.value or b'', type=_Status).version}" in parked
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


async def _send(producer: Any, row: Row[Any]) -> str | None:
    """Send a record; return why Kafka refuses it, if it does."""
    try:
        await producer.send_and_wait(DEFINITIONS, row.value, key=row.key.encode(), partition=0)
    except KafkaError as error:
        if not is_refusal(error):
            raise
        size = len(row.value or b"")
        return f"Kafka refuses its version {read_key(row.key.encode()).version} of {size} bytes: {error}."
    return None


async def _tell_refusal(connection: AsyncConnection, row: Row[Any], problem: str) -> None:
    if _find_fault(row) is None:
        await _set_problem(connection, row, problem)
    if row.retry_at is None:
        PARKED.inc()
        _log.error("a definition can't be published and is put aside", key=row.key, reason=problem)


async def _park(connection: AsyncConnection, row: Row[Any], retry_at: datetime) -> None:
    """Put a record aside, with those that it is newer than."""
    same = (OutboxRow.key == row.key, OutboxRow.id <= row.id)
    await connection.execute(update(OutboxRow).where(*same).values(retry_at=retry_at))


async def _take_out(connection: AsyncConnection, row: Row[Any]) -> None:
    """Take out a record that was sent, and those that it is newer than, also if they were put aside."""
    await connection.execute(delete(OutboxRow).where(OutboxRow.key == row.key, OutboxRow.id <= row.id))
    if read_key(row.key.encode()).version is None:
        # Versions that were put aside before the one that is now in force: nobody ever entered them.
        older = (OutboxRow.key.startswith(f"{row.key}:", autoescape=True), OutboxRow.id < row.id)
        await connection.execute(delete(OutboxRow).where(*older, OutboxRow.retry_at.is_not(None)))
        await _set_problem(connection, row, None)


async def _set_problem(connection: AsyncConnection, row: Row[Any], problem: str | None) -> None:
    of_journey = update(JourneyRow).where(JourneyRow.id == read_key(row.key.encode()).journey_id)
    await connection.execute(of_journey.where(JourneyRow.problem.is_distinct_from(problem)).values(problem=problem))


async def publish_now(engine: AsyncEngine, settings: Settings) -> None:
    """Send what waits in the outbox; raises KafkaError, or FairwayError where the topic is missing."""
    # Not idempotent, for then aiokafka would try for ever; one record is sent at a time, so they stay in order.
    made = AIOKafkaProducer(**client_arguments(settings), acks="all", request_timeout_ms=_TIMEOUT_MS)
    async with producing(made) as producer:
        await check_writable(producer, DEFINITIONS)
        while await publish(engine, producer, now()) == _AT_ONCE:
            pass


async def publish_soon(engine: AsyncEngine, settings: Settings) -> FairwayError | None:
    """Send what waits in the outbox, or leave it to the next worker that can; return what was in the way."""
    try:
        await publish_now(engine, settings)
    except KafkaError as error:
        return await explain(settings, error)
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
        return (await connection.execute(_due(now()).limit(1))).first() is not None
