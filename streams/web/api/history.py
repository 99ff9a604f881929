"""What happened: enrolments, a customer's timeline, and why somebody is not in a journey."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from streams.web.api.parameters import (
    After,
    By,
    From,
    Id,
    Limit,
    Reading,
    find_journey,
    missing,
    tenant_for,
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
from streams.web.queries import history, journeys
from streams.web.queries.history import Filter, Records

router = APIRouter(tags=["history"])
_NDJSON = "application/x-ndjson"
_AS_NDJSON: dict[int | str, dict[str, Any]] = {200: {"content": {_NDJSON: {}}}}
_AT_ONCE = 500


@router.get("/journeys/{journey_id}/enrollments")
async def list_enrollments(
    reader: Reading, journey_id: Id,
    status: EnrollmentStatus | None = None, step: str | None = None, customer: str | None = None,
    due_before: Annotated[AwareDatetime | None, Query(alias="dueBefore")] = None,
    limit: Limit = 50, cursor: After = None,
) -> Page[Enrollment]:  # fmt: skip
    """List a journey's enrolments, newest first; `step` means those who are there now."""
    row = await find_journey(reader, journey_id)
    wanted = Filter(status, step, customer, due_before)
    return Page.of(Enrollment, await history.list_enrollments(reader, row, wanted, cursor=cursor, limit=limit))


@router.get("/journeys/{journey_id}/enrollments.ndjson", response_class=StreamingResponse, responses=_AS_NDJSON)
async def export_enrollments(reader: Reading, sources: From, visitor: By, journey_id: Id) -> StreamingResponse:
    """Return all enrolments of a journey, one JSON a line, newest first."""
    row = await find_journey(reader, journey_id)

    async def lines() -> AsyncIterator[bytes]:
        cursor = None
        while True:
            async with sources.engine.connect() as connection:
                part = await history.list_enrollments(
                    sources.reader(connection, visitor), row, Filter(), cursor=cursor, limit=_AT_ONCE
                )
            for each in part.rows:
                yield Enrollment.model_validate(each).model_dump_json(by_alias=True).encode() + b"\n"
            if (cursor := part.next) is None:
                return

    return StreamingResponse(lines(), media_type=_NDJSON)


@router.get("/enrollments/{enrollment_id}")
async def show_enrollment(reader: Reading, enrollment_id: Id) -> EnrollmentDetail:
    """Show an enrolment with all steps of its version; those not reached are PENDING."""
    row = await history.find_enrollment(reader, enrollment_id)
    if row is None:
        raise missing()
    known = {step["step_id"]: step for step in await history.list_enrollment_steps(reader, row["id"])}
    journey = await journeys.read_version(reader, row["journey_id"], row["version"])
    steps = [EnrollmentStep.model_validate(step) for step in known.values()]
    pending = [step for step in (journey.steps if journey else ()) if step.id not in known]
    steps += [EnrollmentStep(step_id=step.id, step_number=step.step_number, status="PENDING") for step in pending]
    steps.sort(key=lambda step: step.step_number)
    return EnrollmentDetail.model_validate({**row, "steps": steps})


@router.get("/customers/{tenant}/{customer}")
async def show_customer(reader: Reading, tenant: Tenant, customer: CustomerId) -> CustomerDetail:
    """Show a customer's profile as last seen."""
    row = await history.find_customer(reader, tenant, customer)
    if row is None:
        raise missing()
    return CustomerDetail.model_validate(row)


@router.get("/customers/{tenant}/{customer}/enrollments")
async def list_customer_enrollments(
    reader: Reading, visitor: By, tenant: Tenant, customer: CustomerId
) -> list[Enrollment]:
    """List a customer's 200 newest enrolments, ACTIVE ones first."""
    rows = await history.list_customer_enrollments(reader, tenant_for(visitor, tenant), customer)
    return [Enrollment.model_validate(row) for row in rows]


@router.get("/customers/{tenant}/{customer}/timeline")
async def show_timeline(
    reader: Reading, visitor: By, tenant: Tenant, customer: CustomerId, limit: Limit = 50, cursor: After = None
) -> Page[Happening]:
    """Show everything that happened to a customer, newest first."""
    tenant_for(visitor, tenant)
    return Page.of(Happening, await history.list_activity(reader, tenant, customer, cursor=cursor, limit=limit))


@router.get("/customers/{tenant}/{customer}/why-not")
async def show_refusals(
    reader: Reading, visitor: By, tenant: Tenant, customer: CustomerId, limit: Limit = 50, cursor: After = None
) -> Page[Happening]:
    """Show what a customer was refused, newest first: the journey, the reason, and the rules with what they saw."""
    tenant_for(visitor, tenant)
    refused = Records(refused=True)
    found = await history.list_activity(reader, tenant, customer, refused, cursor=cursor, limit=limit)
    page = Page.of(Happening, found)
    for happening in page.items:
        happening.entries = [entry for entry in happening.entries if entry["type"] == "enrollment.refused"]
    return page
