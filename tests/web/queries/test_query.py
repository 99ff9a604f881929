"""A reader sees the rows of its tenants alone, and no personal fields that are hidden from it."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.rows import CustomerRow
from streams.web.access.masking import MASK, Mask
from streams.web.queries.query import Reader, read_id


@pytest.mark.parametrize(
    ("given", "id_"),
    [
        ("0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("{0f8fad5bd9cb469fa16570867728950e}", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("", ""), ("c-1", ""), ("0f8fad5b", ""), ("é" * 36, ""),
    ],
)  # fmt: skip
def test_an_id_is_read_as_postgres_writes_it(given: str, id_: str) -> None:
    assert read_id(given) == id_


@pytest.mark.database
async def test_rows_come_as_the_visitor_may_see_them(engine: AsyncEngine) -> None:
    query = select(CustomerRow.__table__).order_by(CustomerRow.customer_id)
    async with engine.connect() as connection:
        whole = Reader(connection, None, Mask())
        masked = Reader(connection, frozenset({"pinehurst"}), Mask(["firstName"]))
        foreign = Reader(connection, frozenset({"augusta"}), Mask())
        rows = await whole.fetch(query)
        assert any(str(row["attributes"].get("firstName")).startswith("Ann") for row in rows)
        seen = await masked.fetch(masked.within(query, CustomerRow.tenant_id))
        assert [row["customer_id"] for row in seen] == [row["customer_id"] for row in rows]
        assert {row["attributes"].get("firstName") for row in seen} == {MASK}
        assert await foreign.fetch_one(foreign.within(query, CustomerRow.tenant_id)) is None
