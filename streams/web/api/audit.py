"""The audit: who changed what, when, and how it was before."""

from typing import Annotated

from fastapi import APIRouter, Query

from streams.web.api.parameters import (
    Administering,
    After,
    Limit,
    Reading,
    Who,
    read_cursor,
    tenant_for,
    write_cursor,
)
from streams.web.api.shapes import Change, Page
from streams.web.queries import history

router = APIRouter(tags=["audit"])


@router.get("/audit", dependencies=[Administering])
async def list_changes(
    connection: Reading,
    visitor: Who,
    tenant: Annotated[str | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[Change]:
    """List changes, newest first."""
    tenants = visitor.tenants if tenant is None else frozenset({tenant_for(visitor, tenant)})
    place = read_cursor(after, int)
    rows = await history.page_audit(connection, tenants, place and place[0], limit + 1)
    following = write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[Change.model_validate(row) for row in rows[:limit]], next=following)
