"""What every route shares: who asks, what they read from, and what is refused for all alike."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from starlette.exceptions import HTTPException

from streams.clock import now
from streams.journeys.authoring import Author
from streams.web.access.visitor import Visitor, visitor_of
from streams.web.api.shapes import Problem
from streams.web.queries import journeys
from streams.web.queries.query import Reader, Row
from streams.web.sources.sources import Sources, reading, sources_of

PROBLEM: dict[str, Any] = {"model": Problem, "content": {"application/problem+json": {}}}
"""How /openapi.json describes an answer that says what is wrong."""

From = Annotated[Sources, Depends(sources_of)]
By = Annotated[Visitor, Depends(visitor_of)]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(alias="cursor", max_length=2000, description="`next` of the page before.")]
Id = Annotated[str, Path(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]


async def _lend_reader(request: Request) -> AsyncIterator[Reader]:
    async with reading(request) as reader:
        yield reader


Reading = Annotated[Reader, Depends(_lend_reader, scope="function")]


def author_of(visitor: Visitor) -> Author:
    """Return who acts, and when, for the audit."""
    return Author(visitor.name or "api", now())


def may_act(visitor: By) -> None:
    """Refuse those who may only read."""
    if not visitor.may_act:
        raise HTTPException(403, "Your role may read but not change anything.")


def may_administer(visitor: By) -> None:
    """Refuse all but administrators."""
    if visitor.role != "admin":
        raise HTTPException(403, "Only the role admin may do this.")


Acting = Depends(may_act)
EXPECTING: dict[int | str, dict[str, Any]] = dict.fromkeys((412, 428), PROBLEM)
"""How a change is refused that does not say, or no longer knows, what it changes."""

Administering = Depends(may_administer)


def missing() -> HTTPException:
    """Return the answer for what is not there, or not this visitor's to see: nobody can tell which."""
    return HTTPException(404, "There is no such thing here.")


async def find_journey(reader: Reader, journey_id: str) -> Row:
    """Return a journey that the visitor may see."""
    row = await journeys.find_journey(reader, journey_id.lower())
    if row is None or row["deleted_at"] is not None:
        raise missing()
    return row


def tenant_for(visitor: Visitor, tenant_id: str) -> str:
    """Return the tenant, if it is the visitor's."""
    if not visitor.sees(tenant_id):
        raise missing()
    return tenant_id
