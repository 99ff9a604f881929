"""Journeys on the definitions topic, followed into memory."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import Journey, JourneyStatus
from streams.database import create_engine, upgrade
from streams.engine.journeys import Journeys
from streams.errors import FairwayError
from streams.journeys.authoring import Author, apply, move
from streams.journeys.definitions import Definitions, load_catalogue
from streams.journeys.outbox import publish_for_ever
from streams.kafka.topics import DEFINITIONS
from streams.settings import Settings
from tests import client
from tests.broker.workers import running
from tests.journeys.build import Record, status, version

AUTHOR = Author("ann", datetime(2026, 11, 23, 10, tzinfo=UTC))
STEPS = [{"type": "TRIGGER"}, {"type": "END"}]


def journey(tenant: str, version: int = 1) -> Journey:
    plain = {"tenantId": tenant, "name": "Welcome", "triggerType": "scl.member.created", "version": version}
    return Journey.model_validate(plain | {"steps": STEPS})


def put(settings: Settings, *records: Record) -> None:
    client.produce(settings.brokers, [client.Record(DEFINITIONS, key, value) for key, value in records])


BAD = [
    (b"t:j", b'{"tenantId":"t","journeyId":"j","name":"n","status":"ACTIVE","version":1,"updatedAt":"soon"}'),
    (b"t:j:1", b'{"tenantId":"t","id":"j","steps":[{"type":"TRIGGER","nextStepId":"nowhere"}]}'),
    (b"\xff", b"["),
    (b"t:deep:1", b"[" * 3000),
]


@pytest.mark.broker
async def test_records_that_can_t_be_used_keep_no_worker_from_starting_or_following(
    settings: Settings, prefix: str
) -> None:
    one, other = journey(prefix), journey(f"{prefix}2")
    put(settings, *BAD, version(one), status(one))
    changes: asyncio.Queue[Journeys] = asyncio.Queue()
    definitions = Definitions(settings, changes.put_nowait)
    try:
        await definitions.start()
        assert definitions.journeys.status(one.id) == JourneyStatus.ACTIVE
        assert len(definitions.catalogue.refused) >= len(BAD)
        put(settings, *BAD, version(other), status(other))
        async with asyncio.timeout(client.PATIENCE):
            while definitions.journeys.status(other.id) != JourneyStatus.ACTIVE:
                await changes.get()
    finally:
        await definitions.stop()


@pytest.mark.broker
async def test_R66_a_journey_of_a_newer_form_ends_who_follows_with_a_sentence(
    settings: Settings, prefix: str
) -> None:
    one = journey(prefix)
    key, value = version(one)
    newer = key, value.replace(b'{"', b'{"needs":99,"needsFairway":"1.3","', 1)
    definitions, late = Definitions(settings), Definitions(settings)
    try:
        following = await definitions.start()
        put(settings, newer)
        with pytest.raises(FairwayError, match=r"^Journey 'Welcome' version 1 needs Fairway 1\.3 or later\.$"):
            await asyncio.wait_for(following, 20)
        with pytest.raises(FairwayError, match=r"needs Fairway 1\.3 or later\.$"):
            await late.start()
    finally:
        client.produce(settings.brokers, [client.Record(DEFINITIONS, key, None)])
        await definitions.stop()
        await late.stop()


@pytest.mark.broker
def test_R66_a_worker_ends_before_it_takes_a_partition_over(settings: Settings, prefix: str) -> None:
    key, value = version(journey(prefix))
    put(settings, (key, value.replace(b'{"', b'{"needs":99,"needsFairway":"1.3","', 1)))
    with running(settings, 1) as (worker,):
        assert worker.wait() == 1
        told = worker.log.read_text()
    assert "fairway: Journey 'Welcome' version 1 needs Fairway 1.3 or later.\n" in told
    assert "Traceback" not in told
    assert not list(settings.data_dir.glob("*/store-*"))


@pytest.mark.broker
@pytest.mark.database
async def test_a_change_in_postgres_is_in_force_within_seconds(
    settings: Settings, database_url: str, prefix: str
) -> None:
    settings = settings.model_copy(update={"database_url": database_url})
    engine = create_engine(database_url)
    await upgrade(engine)
    changes: asyncio.Queue[Journeys] = asyncio.Queue()
    definitions = Definitions(settings, changes.put_nowait)
    await definitions.start()
    publisher = asyncio.create_task(publish_for_ever(settings))
    try:
        await _apply_and_pause(engine, prefix)
        id_ = journey(prefix).id
        async with asyncio.timeout(client.PATIENCE):
            while definitions.journeys.status(id_) != JourneyStatus.PAUSED:
                await changes.get()
        assert [found.version for found in definitions.journeys.wanted[prefix, "scl.member.created"]] == [1]
        catalogue = await load_catalogue(settings)
        assert catalogue.find(prefix, "Welcome") == catalogue.states[id_]
        assert catalogue.find("another", "Welcome") is None
    finally:
        publisher.cancel()
        await definitions.stop()
        await engine.dispose()


async def _apply_and_pause(engine: AsyncEngine, tenant: str) -> None:
    async with engine.begin() as connection:
        await apply(connection, journey(tenant), AUTHOR)
        await move(connection, tenant, "Welcome", "activate", AUTHOR)
        await move(connection, tenant, "Welcome", "pause", AUTHOR)
