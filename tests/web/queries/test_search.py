"""An id that somebody typed is found where it is the visitor's to see."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.rows import EnrollmentStepRow
from streams.web.access.masking import Mask
from streams.web.queries import search
from streams.web.queries.query import Reader

pytestmark = pytest.mark.database


async def test_a_command_leads_to_the_step_that_sent_it(engine: AsyncEngine, reader: Reader) -> None:
    steps = EnrollmentStepRow
    sent = await reader.fetch_one(select(steps.__table__).where(steps.result.has_key("messageId")))
    assert sent is not None
    command = sent["result"]["messageId"]
    found = await search.find_command(reader, command)
    assert found == {"id": sent["enrollment_id"], "step_id": sent["step_id"]}
    async with engine.connect() as connection:
        assert await search.find_command(Reader(connection, frozenset({"augusta"}), Mask()), command) is None


async def test_a_customer_is_found_in_the_tenants_that_may_be_seen(engine: AsyncEngine, reader: Reader) -> None:
    (found,) = await search.find_customers(reader, "c-12")
    assert found["tenant_id"] == "pinehurst"
    assert await search.find_customers(reader, "nobody") == []
    async with engine.connect() as connection:
        assert await search.find_customers(Reader(connection, frozenset({"augusta"}), Mask()), "c-12") == []


async def test_who_entered_last_is_listed_for_a_start(reader: Reader) -> None:
    rows = await search.list_newest(reader)
    assert [row["enrolled_at"] for row in rows] == sorted((row["enrolled_at"] for row in rows), reverse=True)
    assert len(rows) > 10
