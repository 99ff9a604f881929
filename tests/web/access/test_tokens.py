"""Tokens of Fairway's own: granted, known, listed without their secret, and taken back."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.rows import TokenRow
from streams.errors import FairwayError
from streams.web.access.tokens import TokenIdentity, grant, hash_token, list_tokens, revoke
from streams.web.access.visitor import Visitor
from tests.history.activity import START

pytestmark = pytest.mark.database


def bearing(token: str) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]})


async def test_a_token_is_known_until_it_is_taken_back(engine: AsyncEngine) -> None:
    identify = TokenIdentity(engine)
    async with engine.begin() as connection:
        token = await grant(connection, "ann", "golf", "write", START)
    assert await identify(bearing(token)) == Visitor("ann", frozenset({"golf"}), "write")
    async with engine.begin() as connection:
        assert await revoke(connection, "ann")
        assert not await revoke(connection, "ann")
    with pytest.raises(HTTPException) as refused:
        await identify(bearing(token))
    assert refused.value.status_code == 401


async def test_only_the_hash_of_a_token_is_kept(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        token = await grant(connection, "root", "*", "admin", START)
        (row,) = (await connection.execute(select(TokenRow.__table__))).mappings()
        listed = await list_tokens(connection)
    assert row["hash"] == hash_token(token)
    assert token not in str(dict(row))
    assert listed == [{"name": "root", "tenantId": "*", "role": "admin", "createdAt": START}]
    assert await TokenIdentity(engine)(bearing(token)) == Visitor("root", None, "admin")


@pytest.mark.parametrize(
    ("name", "tenant", "sentence"),
    [
        ("", "golf", "A token needs a name of 1 to 200 characters that can be printed."),
        (" ", "golf", "A token needs a name of 1 to 200 characters that can be printed."),
        ("a\nb", "golf", "A token needs a name of 1 to 200 characters that can be printed."),
        ("a" * 201, "golf", "A token needs a name of 1 to 200 characters that can be printed."),
        ("ann", "", "The tenantId must be a text"), ("ann", " ", "The tenantId must be a text"),
        ("ann", "a:b", "The tenantId must be a text"), ("ann", "a" * 101, "The tenantId must be a text"),
        ("ann", "a\x00", "The tenantId must be a text"),
    ],
)  # fmt: skip
async def test_a_token_is_for_somebody_and_for_what_can_be_a_tenant(
    engine: AsyncEngine, name: str, tenant: str, sentence: str
) -> None:
    async with engine.begin() as connection:
        with pytest.raises(FairwayError) as refused:
            await grant(connection, name, tenant, "read", START)
        assert str(refused.value).startswith(sentence)
        assert await list_tokens(connection) == []


async def test_a_name_has_one_token(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await grant(connection, "ann", "golf", "read", START)
    async with engine.begin() as connection:
        with pytest.raises(FairwayError) as refused:
            await grant(connection, "ann", "tennis", "read", START)
    assert str(refused.value) == "'ann' has a token; revoke it first: fairway access revoke 'ann'."
