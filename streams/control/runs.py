"""Runs over many customers: whichever worker is free sends the next part, so a run outlives any of them."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from aiokafka.errors import KafkaError
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from models.ids import customer_key
from models.rows import RunRow
from streams.clock import now
from streams.control.publishing import OutgoingRecord, Sender
from streams.engine.inputs import Enroll, Exit
from streams.kafka.clients import is_refusal
from streams.kafka.topics import INBOX
from streams.polling import RUNS, poll_for_ever
from streams.settings import Settings

_log = structlog.get_logger()
_AT_ONCE = 500  # customers; so many at most are sent twice, if the worker dies before it has noted them

# Made once: a statement that is made anew at each look costs more than Postgres' answer.
_NEXT = (
    select(
        RunRow.id, RunRow.tenant_id, RunRow.journey_id, RunRow.action, RunRow.created_at, RunRow.data, RunRow.done,
        RunRow.total, RunRow.customer_ids[RunRow.done + 1 : RunRow.done + _AT_ONCE].label("part"),
    )
    .where(RunRow.finished_at.is_(None))
    .order_by(RunRow.tenant_id <= bindparam("after"), RunRow.tenant_id, RunRow.done, RunRow.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)  # fmt: skip

Send = Callable[[list[OutgoingRecord]], Awaitable[int]]


async def advance(engine: AsyncEngine, send: Send, after: str = "") -> str | None:
    """Send the next part of a run that no other worker is at, and return whose it was; None if there was none.

    Tenants have turns, in order from the one after `after`, so that none holds up another. Of a tenant's runs the
    one that has come least far is first, so that a long one does not hold up the others. One that can't be sent
    ends with the reason.
    """
    async with engine.begin() as connection:
        run = (await connection.execute(_NEXT, {"after": after})).first()
        if run is None:
            return None
        done, error = run.done + len(run.part or ()), None
        try:
            await send(_write(run))
        except KafkaError as refusal:
            if not is_refusal(refusal):
                raise
            done, error = run.done, f"Kafka refuses what it would send: {refusal}."
            _log.error("a run can't go on", run=run.id, tenant=run.tenant_id, reason=error)
        await connection.execute(update(RunRow).where(RunRow.id == run.id).values(**_changes(run, done, error)))
        return str(run.tenant_id)


def _write(run: Row[Any]) -> list[OutgoingRecord]:
    message: Enroll | Exit = Exit(run.created_at, run.journey_id)
    if run.action == "enroll":
        message = Enroll(run.journey_id, run.created_at, run.data or {})
    value = msgspec.json.encode(message)
    return [OutgoingRecord(INBOX, customer_key(run.tenant_id, id_), value) for id_ in run.part or ()]


def _changes(run: Row[Any], done: int, error: str | None) -> dict[str, Any]:
    if run.done < done < run.total and error is None:
        return {"done": done}
    # Nobody is kept in the list longer than needed.
    return {"done": done, "error": error, "finished_at": now(), "customer_ids": None, "data": None}


async def advance_for_ever(settings: Settings) -> None:
    """Send what runs wait for as soon as there is one; Postgres or Kafka may be away meanwhile."""
    sender = Sender(settings)

    async def look(engine: AsyncEngine) -> None:
        tenant: str | None = ""
        try:
            while tenant is not None:
                tenant = await advance(engine, sender.send, tenant)
        finally:
            await sender.close()

    await poll_for_ever(settings.database_url, look, RUNS, "runs can't go on for now")
