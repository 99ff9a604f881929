"""Journeys on the definitions topic, followed into memory."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import Journey, JourneyStatus
from streams.database import create_engine, upgrade
from streams.engine.journeys import Journeys
from streams.journeys.authoring import Author, apply, move
from streams.journeys.definitions import (
    Catalogue,
    Definitions,
    JourneyState,
    load_catalogue,
    read,
    status_record,
    version_record,
)
from streams.journeys.outbox import publish_for_ever
from streams.settings import Settings

AUTHOR = Author("ann", datetime(2026, 11, 23, 10, tzinfo=UTC))
STEPS = [{"type": "TRIGGER"}, {"type": "END"}]


def journey(tenant: str, version: int = 1) -> Journey:
    plain = {"tenantId": tenant, "name": "Welcome", "triggerType": "scl.member.created", "version": version}
    return Journey.model_validate(plain | {"steps": STEPS})


def known(status: JourneyStatus, revision: int) -> tuple[bytes, bytes]:
    at = AUTHOR.now.isoformat()
    key, value = status_record(JourneyState("t", journey("t").id, "Welcome", status, 1, at, revision))
    return key.encode(), value


def test_a_status_that_is_sent_again_undoes_no_newer_one() -> None:
    paused, active = known(JourneyStatus.PAUSED, 2), known(JourneyStatus.ACTIVE, 3)
    catalogue = read(Catalogue(), [paused, active, paused])
    assert catalogue.known[journey("t").id].status == JourneyStatus.ACTIVE


def test_a_tombstone_takes_a_version_out_and_a_broken_record_changes_nothing() -> None:
    records = [version_record(journey("t", version)) for version in (1, 2)]
    written = [(key.encode(), value) for key, value in records]
    catalogue = read(Catalogue(), [*written, known(JourneyStatus.ACTIVE, 1), (b"x:y:1", b"{}"), (None, b"?")])
    assert set(catalogue.versions[journey("t").id]) == {1, 2}
    assert [found.version for found in catalogue.journeys().wanted["t", "scl.member.created"]] == [1]
    assert set(read(catalogue, [(written[0][0], None)]).versions[journey("t").id]) == {2}


@pytest.mark.broker
@pytest.mark.database
async def test_a_change_in_postgres_is_in_force_within_seconds(
    settings: Settings, database_url: str, prefix: str
) -> None:
    settings = settings.model_copy(update={"database_url": database_url})
    engine = create_engine(database_url)
    await upgrade(engine)
    changes: asyncio.Queue[Journeys] = asyncio.Queue()
    definitions = Definitions(settings.brokers, changes.put_nowait)
    await definitions.start()
    publisher = asyncio.create_task(publish_for_ever(settings))
    try:
        await _apply_and_pause(engine, prefix)
        id_ = journey(prefix).id
        async with asyncio.timeout(20):
            while definitions.journeys.status(id_) != JourneyStatus.PAUSED:
                await changes.get()
        assert [found.version for found in definitions.journeys.wanted[prefix, "scl.member.created"]] == [1]
        catalogue = await load_catalogue(settings.brokers)
        assert catalogue.find(prefix, "Welcome") == catalogue.known[id_]
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
