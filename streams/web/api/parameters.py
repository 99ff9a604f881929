"""What every route shares: who asks, cursors, and what of a person they may see."""

import base64
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException

from streams.clock import now
from streams.journeys.authoring import Author
from streams.web.access.visitor import Visitor
from streams.web.api.shapes import Problem
from streams.web.pages.site import Site, site_of, visitor_of
from streams.web.queries import history
from streams.web.queries.query import Row

TELLING: dict[str, Any] = {"model": Problem, "content": {"application/problem+json": {}}}
"""How /openapi.json describes an answer that says what is wrong."""

Asked = Annotated[Site, Depends(site_of)]
Who = Annotated[Visitor, Depends(visitor_of)]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(alias="cursor", max_length=2000, description="`next` of the page before.")]
Id = Annotated[str, Path(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]


async def _reading(request: Request) -> AsyncIterator[AsyncConnection]:
    async with site_of(request).engine.connect() as connection:
        yield connection


Reading = Annotated[AsyncConnection, Depends(_reading, scope="function")]


def author_of(visitor: Visitor) -> Author:
    """Return who acts, and when, for the audit."""
    return Author(visitor.name or "api", now())


def may_act(visitor: Who) -> None:
    """Refuse those who may only read."""
    if not visitor.may_act:
        raise HTTPException(403, "Your role may read but not change anything.")


def may_administer(visitor: Who) -> None:
    """Refuse all but administrators."""
    if visitor.role != "admin":
        raise HTTPException(403, "Only the role admin may do this.")


Acting = Depends(may_act)
EXPECTING: dict[int | str, dict[str, Any]] = dict.fromkeys((412, 428), TELLING)
"""How a change is refused that does not say, or no longer knows, what it changes."""

Administering = Depends(may_administer)


def missing() -> HTTPException:
    """Return the answer for what is not there, or not this visitor's to see: nobody can tell which."""
    return HTTPException(404, "There is no such thing here.")


async def find_journey(connection: AsyncConnection, visitor: Visitor, journey_id: str) -> Row:
    """Return a journey that the visitor may see."""
    row = await history.find_journey(connection, visitor.tenants, journey_id.lower())
    if row is None or row["deleted_at"] is not None:
        raise missing()
    return row


def tenant_for(visitor: Visitor, tenant_id: str) -> str:
    """Return the tenant, if it is the visitor's."""
    if not visitor.sees(tenant_id):
        raise missing()
    return tenant_id


def write_cursor(*key: Any) -> str:
    """Return where a page ended, for a client to hand back."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: Any) -> Any:
    """Return where the page before ended, or None; raises HTTPException for a cursor that is none of ours."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = msgspec.json.decode(raw, type=tuple.__class_getitem__(kinds))
    except (ValueError, msgspec.MsgspecError):
        raise HTTPException(400, "The cursor is not one of ours; start without it.") from None
    if any(isinstance(part, datetime) and part.tzinfo is None for part in key):
        raise HTTPException(400, "The cursor is not one of ours; start without it.")
    return key
