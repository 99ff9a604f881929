"""Parked records as a visitor may see them."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.history.projector import Projector
from streams.web.access.masking import Mask
from streams.web.queries.parked import count_parked, find_parked, list_parked
from streams.web.queries.query import Reader
from tests.history.activity import Message

pytestmark = pytest.mark.database

MAIL = b'{"tenantId": "pinehurst", "customerId": "c-1", "email": "ann@x.example"}'


@pytest.fixture
async def parked(engine: AsyncEngine, database_url: str) -> AsyncEngine:
    projector = Projector.connect(database_url)
    theirs = [Message(offset, b"no json", key=b"augusta:c-9") for offset in range(3)]
    await projector.project(1, [*theirs, Message(3, MAIL), Message(4, b"nobody's")], 0, 5)
    await projector.close()
    return engine


async def test_a_visitor_sees_what_is_parked_of_their_tenants(parked: AsyncEngine) -> None:
    async with parked.connect() as connection:
        seen = {}
        for name, tenants in (("all", None), ("augusta", ["augusta"]), ("pinehurst", ["pinehurst"])):
            reader = Reader(connection, tenants, Mask())
            page = await list_parked(reader)
            assert await count_parked(reader) == len(page.rows)
            seen[name] = sorted(row["offset"] for row in page.rows)
    assert seen == {"all": [0, 1, 2, 3, 4], "augusta": [0, 1, 2], "pinehurst": [3]}


async def test_a_list_goes_on_where_a_page_ended(parked: AsyncEngine) -> None:
    async with parked.connect() as connection:
        reader = Reader(connection, None, Mask())
        first = await list_parked(reader, limit=2)
        rest = await list_parked(reader, cursor=first.next)
    assert [row["offset"] for row in (*first.rows, *rest.rows)] == [4, 3, 2, 1, 0]
    assert rest.next is None


async def test_personal_fields_of_a_parked_record_are_hidden(parked: AsyncEngine) -> None:
    async with parked.connect() as connection:
        whole = await find_parked(Reader(connection, None, Mask()), 1, 3)
        hidden = await find_parked(Reader(connection, None, Mask(["email"])), 1, 3)
        other = await find_parked(Reader(connection, ["augusta"], Mask()), 1, 3)
        far = await find_parked(Reader(connection, None, Mask()), 2**40, 2**70)
    assert whole is not None
    assert whole["record"] == MAIL
    assert whole["size"] == len(MAIL)
    assert hidden is not None
    assert b"ann" not in hidden["record"]
    assert other is None
    assert far is None
