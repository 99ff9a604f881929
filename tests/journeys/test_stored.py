"""Journeys as Postgres has them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import Journey, JourneyStatus
from streams.journeys.authoring import Applied, Author, apply
from streams.journeys.stored import UnknownError, export, find, list_all, read_version
from tests.engine.build import journey, send

pytestmark = pytest.mark.database

AUTHOR = Author("ann", datetime(2026, 11, 23, 10, tzinfo=UTC))
ONE = journey(send())


async def put(engine: AsyncEngine, given: Journey, **options: Any) -> Applied:
    async with engine.begin() as connection:
        return await apply(connection, given, AUTHOR, **options)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Wlecome", "Tenant 'pinehurst' has no journey 'Wlecome'; did you mean 'Welcome'?"),
        ("Payment", "Tenant 'pinehurst' has no journey 'Payment'."),
    ],
)
async def test_a_journey_is_found_by_name_or_id_or_told_what_may_be_meant(
    engine: AsyncEngine, name: str, sentence: str
) -> None:
    made = await put(engine, ONE)
    async with engine.connect() as connection:
        assert (await find(connection, "pinehurst", "Welcome"))["id"] == made.id
        assert (await find(connection, "pinehurst", made.id))["name"] == "Welcome"
        with pytest.raises(UnknownError) as caught:
            await find(connection, "pinehurst", name)
        assert str(caught.value) == sentence
        with pytest.raises(UnknownError):
            await find(connection, "augusta", "Welcome")


async def test_each_version_is_kept(engine: AsyncEngine) -> None:
    made = await put(engine, ONE)
    async with engine.connect() as connection:
        assert await read_version(connection, made.id, 1) == ONE
        assert await read_version(connection, made.id, 2) is None


async def test_a_journey_that_was_shown_can_be_applied_again(engine: AsyncEngine) -> None:
    await put(engine, journey(send(), status="ACTIVE"))
    async with engine.connect() as connection:
        shown = await export(connection, "pinehurst", "Welcome")
        assert [row["name"] for row in await list_all(connection, "pinehurst", JourneyStatus.ACTIVE)] == ["Welcome"]
        assert await list_all(connection, "augusta", None) == []
    assert (await put(engine, Journey.model_validate(shown))).change == "unchanged"
