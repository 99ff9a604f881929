"""The audit: who changed what, when, and how it was before."""

from typing import Annotated

from fastapi import APIRouter, Query

from streams.web.api.parameters import Administering, After, By, Limit, Reading, tenant_for
from streams.web.api.shapes import Change, Page
from streams.web.queries import journeys

router = APIRouter(tags=["audit"])


@router.get("/audit", dependencies=[Administering])
async def list_changes(
    reader: Reading, visitor: By, tenant: Annotated[str | None, Query()] = None, limit: Limit = 50,
    cursor: After = None,
) -> Page[Change]:  # fmt: skip
    """List changes, newest first."""
    wanted = None if tenant is None else tenant_for(visitor, tenant)
    return Page.of(Change, await journeys.list_changes(reader, wanted, cursor=cursor, limit=limit))
