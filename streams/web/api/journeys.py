"""Journeys: made, changed with the revision that was read, moved, copied, exported and imported."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import yaml
from anyio.to_thread import run_sync
from fastapi import APIRouter, Body, Header, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException

from models.journey import Journey, JourneyStatus
from streams.engine.check import check, find_twins
from streams.engine.reading import read_journeys
from streams.engine.transitions import Move
from streams.errors import FairwayError
from streams.journeys import authoring, stored
from streams.journeys.outbox import publish_soon
from streams.journeys.upgrades import refuse_newer
from streams.web.access.visitor import Visitor
from streams.web.api.journey_shapes import (
    Clone,
    Conversion,
    Fault,
    JourneyDetail,
    JourneySummary,
    Statistics,
    StepStatistics,
    Verdict,
    Version,
)  # fmt: skip
from streams.web.api.parameters import (
    EXPECTING,
    Acting,
    After,
    By,
    From,
    Id,
    Limit,
    Reading,
    author_of,
    find_journey,
    missing,
    tenant_for,
)  # fmt: skip
from streams.web.api.shapes import Page
from streams.web.queries import journeys, totals
from streams.web.queries.query import Reader, Row
from streams.web.queries.statistics import StepCounts
from streams.web.sources.sources import Sources

router = APIRouter(tags=["journeys"])
Definition = Annotated[dict[str, Any], Body(description="A journey as its file holds it.")]
IfMatch = Annotated[str | None, Header(description="The ETag that was read.")]
_YAML = "application/yaml"
_AS_YAML: dict[int | str, dict[str, Any]] = {200: {"content": {_YAML: {}}}}
_FROM_YAML = {"requestBody": {"required": True, "content": {_YAML: {"schema": {"type": "string"}}}}}


@router.get("/journeys")
async def list_journeys(
    reader: Reading, visitor: By,
    tenant: str | None = None, status: JourneyStatus | None = None, trigger: str | None = None,
    limit: Limit = 50, cursor: After = None,
) -> Page[JourneySummary]:  # fmt: skip
    """List journeys by tenant and name."""
    wanted = journeys.Filter(None if tenant is None else tenant_for(visitor, tenant), status, trigger)
    return Page.of(JourneySummary, await journeys.list_journeys(reader, wanted, cursor=cursor, limit=limit))


@router.post("/journeys", status_code=201, dependencies=[Acting])
async def make_journey(sources: From, visitor: By, response: Response, definition: Definition) -> JourneyDetail:
    """Store a new journey."""
    journey = await _check(visitor, definition)

    async def make(connection: AsyncConnection) -> str:
        bound = await authoring.bind(connection, journey)
        if await journeys.find_journey(sources.reader(connection, visitor), bound.id) is not None:
            raise HTTPException(409, f"Journey '{journey.name}' exists; change it by PUT.")
        await refuse_newer(sources.settings, [bound])
        return (await authoring.apply(connection, bound, author_of(visitor))).id

    return await _answer(sources, visitor, response, await _write(sources, make))


@router.post("/journeys/validate")
async def validate_journey(definition: Definition) -> Verdict:
    """Say everything that is wrong with a journey; nothing is stored."""
    _, problems = await run_sync(check, definition)
    return Verdict(valid=not problems, problems=[Fault(step=each.step, text=each.text) for each in problems])


@router.post("/journeys/import", dependencies=[Acting], openapi_extra=_FROM_YAML)
async def import_journeys(sources: From, visitor: By, request: Request) -> list[JourneySummary]:
    """Create or update the journeys of a YAML or JSON file, all or none."""
    try:
        documents = await run_sync(read_journeys, (await request.body()).decode())
    except (FairwayError, UnicodeDecodeError) as error:
        raise HTTPException(422, str(error)) from None
    found = [await _check(visitor, raw) for raw in documents]
    for _, twin in find_twins(found):
        raise HTTPException(422, twin.text)

    async def store(connection: AsyncConnection) -> list[Row | None]:
        await refuse_newer(sources.settings, found)
        author = author_of(visitor)
        ids = [(await authoring.apply(connection, journey, author)).id for journey in found]
        reader = sources.reader(connection, visitor)
        return [await journeys.find_journey(reader, id_) for id_ in ids]

    return [JourneySummary.model_validate(row) for row in await _write(sources, store)]


@router.get("/journeys/{journey_id}", responses={304: {"description": "It is as `If-None-Match` says."}})
async def show_journey(
    reader: Reading, response: Response, journey_id: Id,
    if_none_match: Annotated[str | None, Header()] = None,
) -> JourneyDetail:  # fmt: skip
    """Show a journey with its newest definition; its ETag is for If-Match."""
    row = await find_journey(reader, journey_id)
    if if_none_match == _tag(row):
        raise HTTPException(304, headers={"etag": _tag(row)})
    response.headers["etag"] = _tag(row)
    return await _detail(reader, row)


@router.put("/journeys/{journey_id}", dependencies=[Acting], responses=EXPECTING)
async def change_journey(
    sources: From, visitor: By, response: Response, journey_id: Id, definition: Definition, if_match: IfMatch = None
) -> JourneyDetail:
    """Change a journey; a changed trigger, setting or step makes a new version."""

    async def change(connection: AsyncConnection) -> str:
        row = await find_journey(sources.reader(connection, visitor), journey_id)
        revision = _expect(row, if_match)
        journey = await _check(visitor, definition | {"id": row["id"], "tenantId": row["tenant_id"]})
        await refuse_newer(sources.settings, [journey])
        return (await authoring.apply(connection, journey, author_of(visitor), revision=revision)).id

    return await _answer(sources, visitor, response, await _write(sources, change))


@router.delete("/journeys/{journey_id}", status_code=204, dependencies=[Acting], responses=EXPECTING)
async def delete_journey(sources: From, visitor: By, journey_id: Id, if_match: IfMatch = None) -> None:
    """Archive a journey and hide it; who is in it leaves, its history stays."""

    async def remove(connection: AsyncConnection) -> None:
        row = await find_journey(sources.reader(connection, visitor), journey_id)
        revision = _expect(row, if_match)
        await authoring.remove(connection, row["tenant_id"], row["id"], author_of(visitor), revision=revision)

    await _write(sources, remove)


@router.post("/journeys/{journey_id}/clone", status_code=201, dependencies=[Acting])
async def clone_journey(
    sources: From, visitor: By, response: Response, journey_id: Id, clone: Clone
) -> JourneyDetail:
    """Store a copy of a journey's newest version under another name, as a draft."""

    async def copy(connection: AsyncConnection) -> str:
        reader = sources.reader(connection, visitor)
        row = await find_journey(reader, journey_id)
        plain = await stored.export(connection, row["tenant_id"], row["id"])
        dropped = ("id", "version", "status", "campaignId")
        kept = {name: value for name, value in plain.items() if name not in dropped}
        journey = await authoring.bind(connection, await _check(visitor, kept | {"name": clone.name}))
        if await journeys.find_journey(reader, journey.id) is not None:
            raise HTTPException(409, f"Journey '{clone.name}' exists; choose another name.")
        await refuse_newer(sources.settings, [journey])
        return (await authoring.apply(connection, journey, author_of(visitor))).id

    return await _answer(sources, visitor, response, await _write(sources, copy))


@router.get("/journeys/{journey_id}/export", response_class=Response, responses=_AS_YAML)
async def export_journey(reader: Reading, journey_id: Id) -> Response:
    """Return a journey as the YAML file that 'import' and 'fairway journeys apply' take."""
    row = await find_journey(reader, journey_id)
    plain = await stored.export(reader.connection, row["tenant_id"], row["id"])
    return Response(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), media_type=_YAML)


@router.get("/journeys/{journey_id}/versions")
async def list_versions(reader: Reading, journey_id: Id) -> list[Version]:
    """List a journey's versions, newest first."""
    row = await find_journey(reader, journey_id)
    return [Version.model_validate(each) for each in await journeys.list_versions(reader, row["id"])]


@router.get("/journeys/{journey_id}/versions/{version}")
async def show_version(reader: Reading, journey_id: Id, version: int) -> Version:
    """Show one version of a journey."""
    row = await find_journey(reader, journey_id)
    for each in await journeys.list_versions(reader, row["id"]):
        if each["version"] == version:
            journey = await journeys.read_version(reader, row["id"], version)
            return Version.model_validate({**each, "definition": journey and journey.plain()})
    raise missing()


@router.get("/journeys/{journey_id}/statistics")
async def show_statistics(
    reader: Reading, journey_id: Id, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Statistics:
    """Show a version of a journey as a funnel: how many came to each step, are there, went on, reached the goal."""
    row = await find_journey(reader, journey_id)
    number = version or row["version"]
    journey = await journeys.read_version(reader, row["id"], number)
    if journey is None:
        raise missing()
    counts = await totals.count_version(reader, row["id"], number)
    total = counts.steps.get(journey.steps[0].id, StepCounts()).enrollments
    steps = [
        StepStatistics.of(step.id, step.step_number, step.type, counts.steps.get(step.id, StepCounts()), total)
        for step in journey.steps
    ]
    goal = Conversion.of(counts.whole) if journey.goal else None
    refused = await totals.count_refusals(reader, row["id"])
    return Statistics(version=number, goal=goal, steps=steps, refused=refused)


@router.post("/journeys/{journey_id}/{action}", dependencies=[Acting], responses=EXPECTING)
async def move_journey(
    sources: From, visitor: By, response: Response, journey_id: Id, action: Move, if_match: IfMatch = None
) -> JourneyDetail:
    """Activate, pause, resume or archive a journey; 409 where its status does not allow that."""

    async def move(connection: AsyncConnection) -> str:
        row = await find_journey(sources.reader(connection, visitor), journey_id)
        revision = _expect(row, if_match) if if_match is not None else None
        author, tenant = author_of(visitor), row["tenant_id"]
        return (await authoring.move(connection, tenant, row["id"], action, author, revision=revision)).id

    return await _answer(sources, visitor, response, await _write(sources, move))


async def _check(visitor: Visitor, definition: dict[str, Any]) -> Journey:
    journey, problems = await run_sync(check, definition)  # beside the loop: a long one takes a while
    if journey is None:
        raise HTTPException(
            422, " ".join(f"{each.step}: {each.text}" if each.step else each.text for each in problems)
        )
    tenant_for(visitor, journey.tenant_id)
    return journey


def _tag(row: Row) -> str:
    return f'"{row["revision"]}"'


def _expect(row: Row, if_match: str | None) -> int:
    if if_match is None:
        raise HTTPException(428, "Say in If-Match which ETag you read, so that no change is lost.")
    if if_match not in ("*", _tag(row)):
        raise HTTPException(412, f"Journey '{row['name']}' was changed in the meantime; read it again.")
    return int(row["revision"])


async def _write(sources: Sources, change: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
    """Run a change in one transaction, then send what it left in the outbox, or leave that to the workers."""
    async with sources.engine.begin() as connection:
        done = await change(connection)
    await publish_soon(sources.engine, sources.settings)
    return done


async def _answer(sources: Sources, visitor: Visitor, response: Response, journey_id: str) -> JourneyDetail:
    async with sources.engine.connect() as connection:
        reader = sources.reader(connection, visitor)
        row = await find_journey(reader, journey_id)
        response.headers["etag"] = _tag(row)
        return await _detail(reader, row)


async def _detail(reader: Reader, row: Row) -> JourneyDetail:
    journey = await journeys.read_version(reader, row["id"], row["version"])
    return JourneyDetail.model_validate({**row, "definition": journey.plain() if journey else {}})
