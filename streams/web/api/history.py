"""What happened: enrolments, a customer's timeline, and why somebody is not in a journey."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from streams.web.access.masking import show_row
from streams.web.access.visitor import Visitor
from streams.web.api.parameters import (
    After,
    Asked,
    Id,
    Limit,
    Reading,
    Who,
    find_journey,
    missing,
    read_cursor,
    tenant_for,
    write_cursor,
)  # fmt: skip
from streams.web.api.shapes import (
    CustomerDetail,
    CustomerId,
    Enrollment,
    EnrollmentDetail,
    EnrollmentStatus,
    EnrollmentStep,
    Happening,
    Page,
    Tenant,
)  # fmt: skip
from streams.web.pages.site import Site
from streams.web.queries import history

router = APIRouter(tags=["history"])
_NDJSON = "application/x-ndjson"
_AS_NDJSON: dict[int | str, dict[str, Any]] = {200: {"content": {_NDJSON: {}}}}
_AT_ONCE = 500


@router.get("/journeys/{journey_id}/enrollments")
async def list_enrollments(
    connection: Reading, site: Asked, visitor: Who, journey_id: Id,
    status: EnrollmentStatus | None = None, step: str | None = None, customer: str | None = None,
    due_before: Annotated[AwareDatetime | None, Query(alias="dueBefore")] = None,
    limit: Limit = 50, after: After = None,
) -> Page[Enrollment]:  # fmt: skip
    """List a journey's enrolments, newest first; `step` means those who are there now."""
    row = await find_journey(connection, visitor, journey_id)
    wanted = history.Wanted(status, step, customer, due_before)
    place = read_cursor(after, datetime, str)
    rows = await history.page_enrollments(connection, row, wanted, place, limit + 1)
    following = write_cursor(rows[limit - 1]["enrolled_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[_enrollment(site, visitor, each) for each in rows[:limit]], next=following)


@router.get("/journeys/{journey_id}/enrollments.ndjson", response_class=StreamingResponse, responses=_AS_NDJSON)
async def export_enrollments(connection: Reading, site: Asked, visitor: Who, journey_id: Id) -> StreamingResponse:
    """Return all enrolments of a journey, one JSON a line, newest first."""
    row = await find_journey(connection, visitor, journey_id)

    async def lines() -> AsyncIterator[bytes]:
        place, everyone = None, history.Wanted()
        while True:
            async with site.engine.connect() as reader:
                rows = await history.page_enrollments(reader, row, everyone, place, _AT_ONCE)
            for each in rows:
                yield _enrollment(site, visitor, each).model_dump_json(by_alias=True).encode() + b"\n"
            if len(rows) < _AT_ONCE:
                return
            place = rows[-1]["enrolled_at"], rows[-1]["id"]

    return StreamingResponse(lines(), media_type=_NDJSON)


@router.get("/enrollments/{enrollment_id}")
async def show_enrollment(connection: Reading, site: Asked, visitor: Who, enrollment_id: Id) -> EnrollmentDetail:
    """Show an enrolment with all steps of its version; those not reached are PENDING."""
    row = await history.find_enrollment(connection, visitor.tenants, enrollment_id)
    if row is None:
        raise missing()
    known = {step["step_id"]: step for step in await history.list_enrollment_steps(connection, row["id"])}
    journey = await history.read_version(connection, row["journey_id"], row["version"])
    steps = [EnrollmentStep.model_validate(show_row(site, visitor, step)) for step in known.values()]
    pending = [step for step in (journey.steps if journey else ()) if step.id not in known]
    steps += [EnrollmentStep(step_id=step.id, step_number=step.step_number, status="PENDING") for step in pending]
    steps.sort(key=lambda step: step.step_number)
    return EnrollmentDetail.model_validate({**show_row(site, visitor, row), "steps": steps})


@router.get("/customers/{tenant}/{customer}")
async def show_customer(
    connection: Reading, site: Asked, visitor: Who, tenant: Tenant, customer: CustomerId
) -> CustomerDetail:
    """Show a customer's profile as last seen."""
    row = await history.find_customer(connection, visitor.tenants, tenant, customer)
    if row is None:
        raise missing()
    return CustomerDetail.model_validate(show_row(site, visitor, row))


@router.get("/customers/{tenant}/{customer}/enrollments")
async def list_customer_enrollments(
    connection: Reading, site: Asked, visitor: Who, tenant: Tenant, customer: CustomerId
) -> list[Enrollment]:
    """List a customer's 200 newest enrolments, ACTIVE ones first."""
    rows = await history.list_customer_enrollments(connection, tenant_for(visitor, tenant), customer)
    return [_enrollment(site, visitor, row) for row in rows]


@router.get("/customers/{tenant}/{customer}/timeline")
async def show_timeline(
    connection: Reading, site: Asked, visitor: Who, tenant: Tenant, customer: CustomerId,
    limit: Limit = 50, after: After = None,
) -> Page[Happening]:  # fmt: skip
    """Show everything that happened to a customer, newest first."""
    return await _happenings(connection, site, visitor, (tenant, customer), after, limit, refused=False)


@router.get("/customers/{tenant}/{customer}/why-not")
async def show_refusals(
    connection: Reading, site: Asked, visitor: Who, tenant: Tenant, customer: CustomerId,
    limit: Limit = 50, after: After = None,
) -> Page[Happening]:  # fmt: skip
    """Show what a customer was refused, newest first: the journey, the reason, and the rules with what they saw."""
    page = await _happenings(connection, site, visitor, (tenant, customer), after, limit, refused=True)
    for happening in page.items:
        happening.entries = [entry for entry in happening.entries if entry["type"] == "enrollment.refused"]
    return page


async def _happenings(
    connection: Any,
    site: Site,
    visitor: Visitor,
    person: tuple[str, str],
    after: str | None,
    limit: int,
    *,
    refused: bool,
) -> Page[Happening]:
    place = read_cursor(after, datetime, int)
    tenant_for(visitor, person[0])
    rows = await history.list_activity(connection, *person, refused=refused, before=place, limit=limit + 1)
    following = write_cursor(rows[limit - 1]["at"], rows[limit - 1]["offset"]) if len(rows) > limit else None
    return Page(
        items=[Happening.model_validate(show_row(site, visitor, row)) for row in rows[:limit]], next=following
    )


def _enrollment(site: Site, visitor: Visitor, row: Any) -> Enrollment:
    return Enrollment.model_validate(show_row(site, visitor, row))
