"""Runs over many customers: whichever worker is free sends the next part, so a run outlives any of them."""

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from models.ids import customer_key
from models.rows import RunRow
from streams.clock import now
from streams.control.publishing import OutgoingRecord, send
from streams.engine.inputs import Enroll, Exit
from streams.kafka.topics import INBOX
from streams.polling import poll_for_ever
from streams.settings import Settings

_AT_ONCE = 500  # customers; so many at most are sent twice, if the worker dies before it has noted them


async def advance(engine: AsyncEngine, brokers: str) -> bool:
    """Send the next part of the oldest run that no other worker is at; say whether there was one."""
    part = RunRow.customer_ids[RunRow.done + 1 : RunRow.done + _AT_ONCE]
    columns = RunRow.id, RunRow.tenant_id, RunRow.journey_id, RunRow.action, RunRow.created_at, RunRow.data
    query = select(*columns, RunRow.done, RunRow.total, part.label("part")).order_by(RunRow.id).limit(1)
    async with engine.begin() as connection:
        query = query.where(RunRow.finished_at.is_(None)).with_for_update(skip_locked=True)
        run = (await connection.execute(query)).first()
        if run is None:
            return False
        message = (
            Enroll(run.journey_id, run.created_at, run.data or {})
            if run.action == "enroll"
            else Exit(run.created_at, run.journey_id)
        )
        value = msgspec.json.encode(message)
        await send(brokers, [OutgoingRecord(INBOX, customer_key(run.tenant_id, id_), value) for id_ in run.part])
        done = run.done + len(run.part)
        changes = {"done": done}
        if done == run.total:  # nobody is kept in the list longer than needed
            changes |= {"finished_at": now(), "customer_ids": None, "data": None}
        await connection.execute(update(RunRow).where(RunRow.id == run.id).values(**changes))
        return True


async def advance_for_ever(settings: Settings) -> None:
    """Look every second whether a run waits, and send it; Postgres or Kafka may be away meanwhile."""

    async def look(engine: AsyncEngine) -> None:
        while await advance(engine, settings.brokers):
            pass

    await poll_for_ever(settings.database_url, look, "runs can't go on for now")
