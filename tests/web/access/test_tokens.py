"""Tokens of Fairway's own: granted, known, listed without their secret, and taken back."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.rows import TokenRow
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
