"""Runs: none holds up another, be it long or refused by Kafka."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import Journey
from models.rows import RunRow
from streams.control.publishing import OutgoingRecord, Sender, send
from streams.control.runs import advance
from streams.journeys.authoring import Author, apply
from streams.kafka.topics import INBOX
from streams.settings import Settings
from tests import client

pytestmark = [pytest.mark.broker, pytest.mark.database]
AUTHOR = Author("ann", datetime(2026, 11, 23, 10, tzinfo=UTC))
STEPS = [{"type": "TRIGGER"}, {"type": "END"}]


async def begin(engine: AsyncEngine, tenant: str, count: int, **more: Any) -> int:
    """Begin a run over so many customers of a tenant, and return its id."""
    given = {"tenantId": tenant, "name": "Welcome", "triggerType": "MANUAL", "steps": STEPS}
    async with engine.begin() as connection:
        applied = await apply(connection, Journey.model_validate(given), AUTHOR)
        made = {
            "tenant_id": tenant, "journey_id": applied.id, "idempotency_key": "k", "action": "enroll",
            "total": count, "created_at": AUTHOR.now, "created_by": "ann", "data": {},
            "customer_ids": [f"c-{number}" for number in range(count)],
        }  # fmt: skip
        return int((await connection.execute(insert(RunRow).values(made | more).returning(RunRow.id))).scalar_one())


async def look(engine: AsyncEngine, run: int) -> Any:
    async with engine.connect() as connection:
        return (await connection.execute(select(RunRow).where(RunRow.id == run))).one()


async def test_a_short_run_does_not_wait_for_a_long_one_that_began_before(
    engine: AsyncEngine, settings: Settings
) -> None:
    long, short = await begin(engine, "pinehurst", 2_000), await begin(engine, "augusta", 10)
    sender = partial(send, settings)
    assert await advance(engine, sender)
    assert await advance(engine, sender)
    assert ((await look(engine, long)).done, (await look(engine, short)).done) == (500, 10)


async def test_tenants_have_turns_however_many_runs_one_of_them_begins(engine: AsyncEngine) -> None:
    for number in range(20):
        await begin(engine, "augusta", 1, idempotency_key=f"k-{number}")
    await begin(engine, "pinehurst", 1)
    await begin(engine, "sawgrass", 1)
    turns: list[str | None] = [""]
    while turns[-1] is not None:
        turns.append(await advance(engine, count, turns[-1]))
    assert turns[1:5] == ["augusta", "pinehurst", "sawgrass", "augusta"]
    assert turns[5:] == ["augusta"] * 18 + [None]


async def test_a_run_that_lost_the_list_of_its_customers_ends(engine: AsyncEngine) -> None:
    broken = await begin(engine, "augusta", 3, customer_ids=None)
    assert await advance(engine, count) == "augusta"
    assert await advance(engine, count) is None
    assert (await look(engine, broken)).finished_at is not None


async def count(lines: list[OutgoingRecord]) -> int:
    return len(lines)


async def test_a_sender_goes_on_with_another_producer_after_what_kafka_refuses(settings: Settings) -> None:
    sender = Sender(settings)
    try:
        assert await sender.send([OutgoingRecord(INBOX, b"t:a", b"1"), OutgoingRecord(INBOX, b"t:a", b"2")]) == 2
        with pytest.raises(MessageSizeTooLargeError):
            await sender.send([OutgoingRecord(INBOX, b"t:a", b"x" * 2_000_000)])
        assert await sender.send([OutgoingRecord(INBOX, b"t:a", b"3")]) == 1
    finally:
        await sender.close()
    assert [record.value for record in client.read_committed(settings.brokers, INBOX)] == [b"1", b"2", b"3"]


async def test_a_run_that_kafka_refuses_ends_with_the_reason_and_the_next_goes_on(
    engine: AsyncEngine, settings: Settings
) -> None:
    refused = await begin(engine, "pinehurst", 3, data={"text": "x" * 2_000_000})
    good = await begin(engine, "augusta", 3)
    while await advance(engine, partial(send, settings)):
        pass
    ended = await look(engine, refused)
    assert (ended.done, ended.customer_ids, ended.finished_at is None) == (0, None, False)
    assert ended.error.startswith("Kafka refuses what it would send: ")
    assert ((await look(engine, good)).done, (await look(engine, good)).error) == (3, None)
    keys = {record.key for record in client.read_committed(settings.brokers, INBOX)}
    assert keys == {b"augusta:c-0", b"augusta:c-1", b"augusta:c-2"}
