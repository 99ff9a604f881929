"""How pages and the API ask Postgres: of whose rows, all of them or one."""

from typing import Any

from sqlalchemy import RowMapping, Select
from sqlalchemy.ext.asyncio import AsyncConnection

PAGE = 50

Tenants = frozenset[str] | None
"""The tenants that may be seen; None stands for all."""

Row = RowMapping
Query = Select[*tuple[Any, ...]]


def within(query: Query, column: Any, tenants: Tenants) -> Query:
    """Return a query for what belongs to these tenants alone."""
    return query if tenants is None else query.where(column.in_(tenants))


async def fetch(connection: AsyncConnection, query: Query) -> list[Row]:
    """Return all rows of a query."""
    return list((await connection.execute(query)).mappings())


async def fetch_one(connection: AsyncConnection, query: Query) -> Row | None:
    """Return the first row of a query."""
    return (await connection.execute(query)).mappings().first()
