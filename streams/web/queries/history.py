"""What pages read from Postgres: journeys, counts, enrolments, timelines; of the tenants a visitor may see."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Text, cast, literal, or_, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from models.journey import Journey
from models.rows import (
    ActivityRow,
    AuditRow,
    CustomerRow,
    EnrollmentRow,
    EnrollmentStepRow,
    JourneyRow,
    JourneyStepRow,
    JourneyVersionRow,
)
from streams.web.queries.query import PAGE, Query, Row, Tenants, fetch, fetch_one, within

LOOKED_THROUGH = 5_000  # enrolments, for those whose step ended in some way
_ENTERED = ("IN_PROGRESS", "COMPLETED", "FAILED")
STATUSES = ("ACTIVE", "COMPLETED", "EXITED", "FAILED")

Cursor = tuple[datetime, str] | None


# --- journeys ---------------------------------------------------------------------------------------------------


async def list_journeys(
    connection: AsyncConnection,
    tenants: Tenants,
    *,
    status: str | None = None,
    trigger: str | None = None,
    part: str = "",
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[Row]:
    """Return journeys by tenant and name, from after a (tenant, name) on; those with this part in their names."""
    table = JourneyRow
    query = select(table.__table__).where(table.deleted_at.is_(None)).order_by(table.tenant_id, table.name)
    if status:
        query = query.where(table.status == status)
    if trigger:
        query = query.where(table.trigger_type == trigger)
    if part:
        query = query.where(table.name.icontains(part, autoescape=True))
    if after:
        query = query.where(tuple_(table.tenant_id, table.name) > tuple_(*map(literal, after)))
    return await fetch(connection, within(query.limit(limit), table.tenant_id, tenants))


async def find_journey(connection: AsyncConnection, tenants: Tenants, journey_id: str) -> Row | None:
    """Return how a journey stands, deleted ones too: their history stays."""
    query = select(JourneyRow.__table__).where(JourneyRow.id == journey_id)
    return await fetch_one(connection, within(query, JourneyRow.tenant_id, tenants))


async def journey_names(connection: AsyncConnection, journey_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of journeys by id."""
    query = select(JourneyRow.id, JourneyRow.name).where(JourneyRow.id.in_(set(journey_ids)))
    return {row["id"]: row["name"] for row in await fetch(connection, query)}


async def step_names(connection: AsyncConnection, journey_ids: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the names of the steps that have one, in the newest versions of journeys, by journey and step id."""
    table = JourneyStepRow
    query = select(table.journey_id, table.id, table.name)
    query = query.where(table.journey_id.in_(set(journey_ids)), table.name.is_not(None))
    return {(row["journey_id"], row["id"]): row["name"] for row in await fetch(connection, query)}


async def list_versions(connection: AsyncConnection, journey_id: str) -> list[Row]:
    """Return a journey's versions, newest first: when each was made and by whom."""
    columns = JourneyVersionRow.version, JourneyVersionRow.created_at, JourneyVersionRow.created_by
    query = select(*columns).where(JourneyVersionRow.journey_id == journey_id)
    return await fetch(connection, query.order_by(JourneyVersionRow.version.desc()))


async def read_version(connection: AsyncConnection, journey_id: str, version: int) -> Journey | None:
    """Return one version of a journey."""
    where = JourneyVersionRow.journey_id == journey_id, JourneyVersionRow.version == version
    definition = (await connection.execute(select(JourneyVersionRow.definition).where(*where))).scalar()
    return None if definition is None else Journey.model_validate(definition)


# --- enrolments -------------------------------------------------------------------------------------------------


class Wanted(msgspec.Struct, frozen=True):
    """Which enrolments of a journey are asked for; `step` means ACTIVE ones that are there now."""

    status: str | None = None
    step: str | None = None
    customer: str | None = None
    due_before: datetime | None = None


async def page_enrollments(
    connection: AsyncConnection, journey: Row, wanted: Wanted, before: Cursor = None, limit: int = PAGE + 1
) -> list[Row]:
    """Return enrolments of a journey, newest first, from before an (enrolledAt, id) on."""
    table = EnrollmentRow
    query = select(table.__table__).where(
        table.tenant_id == journey["tenant_id"], table.journey_id == journey["id"]
    )
    if wanted.customer is not None:
        query = query.where(table.customer_id == wanted.customer)
    if wanted.due_before is not None:
        query = query.where(table.waiting_until < wanted.due_before)
    if wanted.step is not None:
        query = query.where(table.current_step_id == wanted.step)
    status = "ACTIVE" if wanted.step is not None else wanted.status
    return await fetch(connection, newest(query, (status,) if status else STATUSES, before, limit))


async def list_enrollments(
    connection: AsyncConnection, journey: Row, status: str, step: str, before: Cursor
) -> tuple[list[Row], Cursor]:
    """Return 50 enrolments of a journey, newest first, and from where to list on (None: there are no more)."""
    rows = await page_enrollments(connection, journey, Wanted(status or None, step or None), before)
    return rows[:PAGE], _place(rows[PAGE - 1]) if len(rows) > PAGE else None


def _place(row: Row) -> Cursor:
    return row["enrolled_at"], row["id"]


async def list_step_visitors(
    connection: AsyncConnection, journey: Row, step: str, ended: str, before: Cursor = None
) -> tuple[list[Row], Cursor]:
    """Return 50 enrolments of a journey whose step was ENTERED or ended so, and from where to look on, if anywhere.

    Newest first; they are fewer, or none, where 5,000 enrolments have been looked through.
    """
    table, steps = EnrollmentRow, EnrollmentStepRow
    query = select(table.__table__).where(
        table.tenant_id == journey["tenant_id"], table.journey_id == journey["id"]
    )
    window = newest(query, STATUSES, before, LOOKED_THROUGH).cte()
    latest = select(window).order_by(window.c.enrolled_at.desc(), window.c.id.desc())
    # Not a join: its key is looked up enrolment by enrolment, whatever the planner thinks of the table's size.
    key = steps.enrollment_id == window.c.id, steps.step_id == step
    state = select(steps.status).where(*key).scalar_subquery()
    found = latest.where(state.in_(_ENTERED if ended == "ENTERED" else (ended,))).limit(PAGE + 1)
    if len(rows := await fetch(connection, found)) > PAGE:
        return rows[:PAGE], _place(rows[PAGE - 1])
    end = await fetch_one(connection, latest.offset(LOOKED_THROUGH - 1).limit(1))
    return rows, _place(end) if end else None


def newest(query: Query, statuses: Sequence[str], before: Cursor, limit: int) -> Query:
    """Return a query for the newest: the index has them in this order by status, so that none is sorted."""
    at, id_ = EnrollmentRow.enrolled_at, EnrollmentRow.id
    if before:
        query = query.where(tuple_(at, id_) < tuple_(literal(before[0]), literal(before[1], id_.type)))
    query = query.order_by(at.desc(), id_.desc()).limit(limit)
    parts = [select(query.where(EnrollmentRow.status == status).subquery()) for status in statuses]
    merged = union_all(*parts).subquery()
    return select(merged).order_by(merged.c.enrolled_at.desc(), merged.c.id.desc()).limit(limit)


async def find_enrollment(connection: AsyncConnection, tenants: Tenants, enrollment_id: str) -> Row | None:
    """Return an enrolment."""
    query = select(EnrollmentRow.__table__).where(EnrollmentRow.id == enrollment_id)
    return await fetch_one(connection, within(query, EnrollmentRow.tenant_id, tenants))


async def list_enrollment_steps(connection: AsyncConnection, enrollment_id: str) -> list[Row]:
    """Return what became of each step of an enrolment, by number."""
    table = EnrollmentStepRow
    query = select(table.__table__).where(table.enrollment_id == enrollment_id)
    return await fetch(connection, query.order_by(table.step_number))


# --- customers --------------------------------------------------------------------------------------------------


async def find_customer(connection: AsyncConnection, tenants: Tenants, tenant: str, id_: str) -> Row | None:
    """Return a customer's profile as last seen."""
    query = select(CustomerRow.__table__).where(CustomerRow.tenant_id == tenant, CustomerRow.customer_id == id_)
    return await fetch_one(connection, within(query, CustomerRow.tenant_id, tenants))


async def list_customer_enrollments(connection: AsyncConnection, tenant: str, id_: str) -> list[Row]:
    """Return a customer's 200 newest enrolments, ACTIVE ones first."""
    table = EnrollmentRow
    query = select(table.__table__).where(table.customer_id == id_, table.tenant_id == tenant)
    return await fetch(connection, query.order_by(table.status != "ACTIVE", table.enrolled_at.desc()).limit(200))


def _holds(entry: dict[str, str]) -> Any:
    """Ask for records with an entry like this; entries are JSON, cast as they are read along the primary key."""
    return cast(ActivityRow.entries, JSONB).contains([entry])


async def list_activity(
    connection: AsyncConnection,
    tenant: str,
    customer_id: str,
    *,
    enrollment_id: str = "",
    refused: bool = False,
    failed: bool = False,
    before: tuple[datetime, int] | None = None,
    limit: int = PAGE + 1,
) -> list[Row]:
    """Return up to 51 activity records of a customer, newest first; of one enrolment, or with failures alone."""
    table = ActivityRow
    query = select(table.__table__).where(table.tenant_id == tenant, table.customer_id == customer_id)
    if refused:
        query = query.where(table.refused)
    if failed:
        query = query.where(cast(table.entries, Text).contains('.failed"'))  # first, since it is cheap
        query = query.where(or_(_holds({"type": "step.failed"}), _holds({"type": "enrollment.failed"})))
    if enrollment_id:
        query = query.where(_holds({"enrollmentId": enrollment_id}))
    if before:
        query = query.where(tuple_(table.at, table.offset) < tuple_(*map(literal, before)))
    return await fetch(connection, query.order_by(table.at.desc(), table.offset.desc()).limit(limit))


async def list_refusals(
    connection: AsyncConnection, journey: Row, reason: str, before: tuple[datetime, int] | None
) -> tuple[list[Row], tuple[datetime, int] | None]:
    """Return 50 activity records that refuse entry to a journey, and from where to look on, if anywhere.

    Newest first; they are fewer, or none, where 5,000 refusals of its tenant have been looked through.
    """
    table = ActivityRow
    query = select(table.__table__).where(table.tenant_id == journey["tenant_id"], table.refused)
    if before:
        query = query.where(tuple_(table.at, table.offset) < tuple_(*map(literal, before)))
    window = query.order_by(table.at.desc(), table.offset.desc()).limit(LOOKED_THROUGH).cte()
    latest = select(window).order_by(window.c.at.desc(), window.c.offset.desc())
    wanted = {"type": "enrollment.refused", "journeyId": journey["id"]} | ({"reason": reason} if reason else {})
    rows = await fetch(connection, latest.where(cast(window.c.entries, JSONB).contains([wanted])).limit(PAGE + 1))
    end = rows[PAGE - 1] if len(rows) > PAGE else await fetch_one(connection, latest.offset(LOOKED_THROUGH - 1))
    return rows[:PAGE], (end["at"], end["offset"]) if end else None


# --- audit ------------------------------------------------------------------------------------------------------


async def page_audit(connection: AsyncConnection, tenants: Tenants, before: int | None, limit: int) -> list[Row]:
    """Return changes, newest first, from before one of them on."""
    query = select(AuditRow.__table__).order_by(AuditRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.id < before)
    return await fetch(connection, within(query, AuditRow.tenant_id, tenants))
