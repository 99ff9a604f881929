"""Journeys, versions and names, of the tenants that may be seen."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.web.access.masking import Mask
from streams.web.queries import journeys
from streams.web.queries.query import Reader

pytestmark = pytest.mark.database


async def test_journeys_are_listed_by_name_page_by_page(reader: Reader) -> None:
    whole = (await journeys.list_journeys(reader, limit=100)).rows
    found, cursor = [], None
    while True:
        page = await journeys.list_journeys(reader, cursor=cursor, limit=2)
        found += page.rows
        if (cursor := page.next) is None:
            break
    assert found == whole
    assert [row["name"] for row in whole] == sorted(row["name"] for row in whole)


async def test_a_filter_is_of_tenant_status_trigger_and_a_part_of_the_name(reader: Reader) -> None:
    async def names(**wanted: str) -> list[str]:
        return [
            row["name"] for row in (await journeys.list_journeys(reader, journeys.Filter(**wanted), limit=9)).rows
        ]

    assert await names(part="WELCOME of") == ["Welcome of new members"]
    assert await names(part="%") == []
    assert await names(status="DRAFT") == await names(tenant="augusta") == []
    assert await names(trigger="teetime.booked") == await names(status="ACTIVE", trigger="teetime.booked") != []


async def test_another_tenant_s_journeys_have_no_names_and_are_not_found(
    engine: AsyncEngine, reader: Reader
) -> None:
    (row,) = (await journeys.list_journeys(reader, limit=1)).rows
    assert await journeys.name_journeys(reader, [row["id"]]) == {row["id"]: row["name"]}
    async with engine.connect() as connection:
        stranger = Reader(connection, frozenset({"augusta"}), Mask())
        assert await journeys.find_journey(stranger, row["id"]) is None
        assert await journeys.name_journeys(stranger, [row["id"]]) == {}
        assert await journeys.list_tenants(stranger) == []


async def test_a_version_is_read_as_it_was_authored(reader: Reader) -> None:
    (row,) = (await journeys.list_journeys(reader, journeys.Filter(part="Welcome of"), limit=1)).rows
    (version,) = await journeys.list_versions(reader, row["id"])
    journey = await journeys.read_version(reader, row["id"], version["version"])
    assert journey is not None
    assert journey.name == row["name"]
    assert await journeys.read_version(reader, row["id"], 9) is None
