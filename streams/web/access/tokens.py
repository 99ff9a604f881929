"""Tokens of Fairway's own, in Postgres.

They are kept as SHA-256: they are 256 random bits, so there is nothing to guess and no need for a slow hash.
"""

import secrets
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic.alias_generators import to_camel
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import Request

from models import limits
from models.rows import TokenRow
from streams.errors import FairwayError
from streams.web.access.credentials import read_secret, refusal
from streams.web.access.visitor import Visitor, make_visitor


class TokenIdentity:
    """Knows the bearers of tokens."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def __call__(self, request: Request) -> Visitor:
        """Return who asks; raises HTTPException 401 for a token that is not, or no longer, valid."""
        query = select(TokenRow).where(TokenRow.hash == hash_token(read_secret(request)))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise refusal()
        return make_visitor(row["name"], row["role"], [row["tenant_id"]])


def hash_token(token: str) -> str:
    """Return what is kept of a token."""
    return sha256(token.encode()).hexdigest()


async def grant(connection: AsyncConnection, name: str, tenant_id: str, role: str, now: datetime) -> str:
    """Make a token for a tenant ("*": all) and return it; only its hash is kept, so it is shown this once.

    Raises FairwayError for a name that has a token already, or is none, and for what can't be a tenant's id.
    """
    if not (name.strip() and name.isprintable() and len(name) <= limits.NAME):
        raise FairwayError(f"A token needs a name of 1 to {limits.NAME} characters that can be printed.")
    if tenant_id != "*" and not (tenant_id.strip() and limits.is_tenant_id(tenant_id)):
        raise FairwayError(f"The tenantId {limits.ALLOWED['tenantId']}; '*' stands for all tenants.")
    token = secrets.token_urlsafe(32)
    row = {"hash": hash_token(token), "name": name, "tenant_id": tenant_id, "role": role, "created_at": now}
    made = insert(TokenRow).values(**row).on_conflict_do_nothing(index_elements=["name"]).returning(TokenRow.name)
    if (await connection.execute(made)).first() is None:
        raise FairwayError(f"'{name}' has a token; revoke it first: fairway access revoke '{name}'.")
    return token


async def list_tokens(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Return whose tokens there are, by name."""
    rows = (await connection.execute(select(TokenRow.__table__).order_by(TokenRow.name))).mappings()
    names = "name", "tenant_id", "role", "created_at"
    return [{to_camel(name): row[name] for name in names} for row in rows]


async def revoke(connection: AsyncConnection, name: str) -> bool:
    """Take somebody's token back; say whether there was one."""
    return bool((await connection.execute(delete(TokenRow).where(TokenRow.name == name))).rowcount)
