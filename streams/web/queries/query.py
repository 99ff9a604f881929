"""How pages and the API ask Postgres: for one visitor, who sees rows of their tenants alone."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from streams.web.access.masking import Mask
from streams.web.access.visitor import Tenants

PAGE = 50

Row = Mapping[str, Any]
Query = Select[*tuple[Any, ...]]


class Reader(msgspec.Struct, frozen=True):
    """Reads for one visitor: rows come as they may see them."""

    connection: AsyncConnection
    tenants: Tenants
    mask: Mask

    def within(self, query: Query, column: Any) -> Query:
        """Return a query for what belongs to the visitor's tenants alone."""
        return query if self.tenants is None else query.where(column.in_(self.tenants))

    async def fetch(self, query: Query) -> list[Row]:
        """Return all rows of a query."""
        rows = (await self.connection.execute(query)).mappings()
        return [self.mask.row({str(name): value for name, value in row.items()}) for row in rows]

    async def fetch_one(self, query: Query) -> Row | None:
        """Return the first row of a query."""
        found = await self.fetch(query.limit(1))
        return found[0] if found else None

    async def scalar(self, query: Query) -> Any:
        """Return the first column of the first row; None if there is none."""
        return (await self.connection.execute(query)).scalar()


def read_id(given: str) -> str:
    """Return a UUID as Postgres writes it; empty for what is none."""
    try:
        return str(UUID(given))
    except ValueError:
        return ""
