"""What happened: enrolments, their steps, customers, and the activity that timelines show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Text as TextType
from sqlalchemy import cast, or_, select, union_all
from sqlalchemy.dialects.postgresql import JSONB

from models.rows import ActivityRow, CustomerRow, EnrollmentRow, EnrollmentStepRow
from streams.history.counts import NEVER_REACHED
from streams.web.queries.cursors import Id, Keyset, Moment, Number, Page
from streams.web.queries.query import PAGE, Query, Reader, Row

LOOKED_THROUGH = 5_000  # enrolments, for those whose step ended in some way
STATUSES = ("ACTIVE", "COMPLETED", "EXITED", "FAILED")
_MOST_OF_ONE = 200  # enrolments of one customer

ENROLLMENTS = Keyset(("enrolled_at", Moment), ("id", Id), down=True)
ACTIVITY = Keyset(("at", Moment), ("offset", Number), down=True)


# --- enrolments -------------------------------------------------------------------------------------------------


class Filter(msgspec.Struct, frozen=True):
    """Which enrolments of a journey are asked for; `step` means ACTIVE ones that are there now."""

    status: str | None = None
    step: str | None = None
    customer: str | None = None
    due_before: datetime | None = None


async def list_enrollments(
    reader: Reader, journey: Row, wanted: Filter, *, cursor: str | None = None, limit: int = PAGE
) -> Page:
    """Return enrolments of a journey, newest first."""
    table, query = EnrollmentRow, _of_journey(journey)
    if wanted.customer is not None:
        query = query.where(table.customer_id == wanted.customer)
    if wanted.due_before is not None:
        query = query.where(table.waiting_until < wanted.due_before)
    if wanted.step is not None:
        query = query.where(table.current_step_id == wanted.step)
    status = "ACTIVE" if wanted.step is not None else wanted.status
    rows = await reader.fetch(newest(query, (status,) if status else STATUSES, cursor, limit + 1))
    return ENROLLMENTS.page(rows, limit)


async def list_step_visitors(
    reader: Reader, journey: Row, step: str, ended: str, *, cursor: str | None = None
) -> Page:
    """Return 50 enrolments of a journey whose step was ENTERED or ended so, newest first.

    They are fewer, or none, where 5,000 enrolments have been looked through; the cursor goes on from there.
    """
    steps = EnrollmentStepRow
    window = newest(_of_journey(journey), STATUSES, cursor, LOOKED_THROUGH).cte()
    latest = select(window).order_by(*ENROLLMENTS.order(window.c))
    # Not a join: its key is looked up enrolment by enrolment, whatever the planner thinks of the table's size.
    key = steps.enrollment_id == window.c.id, steps.step_id == step
    if ended == "ENTERED":  # whatever became of it later: a loop may have left out what it passed before
        is_so = select(steps.visits).where(*key).scalar_subquery() > 0
    else:
        was_there = steps.result["reason"].astext.not_in(NEVER_REACHED)
        state = select(steps.status).where(*key, or_(steps.status != "SKIPPED", was_there)).scalar_subquery()
        is_so = state == ended
    found = latest.where(is_so).limit(PAGE + 1)
    return await _end_window(reader, ENROLLMENTS, await reader.fetch(found), latest)


async def _end_window(reader: Reader, order: Keyset, rows: Sequence[Row], window: Query) -> Page:
    """Return the page of what was found in a window; without more in it, the next one begins at its end."""
    if len(rows) > PAGE:
        return order.page(rows, PAGE)
    end = await reader.fetch_one(window.offset(LOOKED_THROUGH - 1).limit(1))
    return Page(list(rows), order.cursor(end) if end else None)


def _of_journey(journey: Row) -> Query:
    table = EnrollmentRow
    mine = table.tenant_id == journey["tenant_id"], table.journey_id == journey["id"]
    return select(table.__table__).where(*mine)


def newest(query: Query, statuses: Sequence[str], cursor: str | None, limit: int) -> Query:
    """Return a query for the newest: the index has them in this order by status, so that none is sorted."""
    query = query.where(*ENROLLMENTS.beyond(EnrollmentRow, cursor))
    query = query.order_by(*ENROLLMENTS.order(EnrollmentRow)).limit(limit)
    parts = [select(query.where(EnrollmentRow.status == status).subquery()) for status in statuses]
    merged = union_all(*parts).subquery()
    return select(merged).order_by(*ENROLLMENTS.order(merged.c)).limit(limit)


async def find_enrollment(reader: Reader, enrollment_id: str) -> Row | None:
    """Return an enrolment."""
    query = select(EnrollmentRow.__table__).where(EnrollmentRow.id == enrollment_id)
    return await reader.fetch_one(reader.within(query, EnrollmentRow.tenant_id))


async def list_enrollment_steps(reader: Reader, enrollment_id: str) -> list[Row]:
    """Return what became of each step of an enrolment, by number."""
    table = EnrollmentStepRow
    query = select(table.__table__).where(table.enrollment_id == enrollment_id)
    return await reader.fetch(query.order_by(table.step_number))


# --- customers --------------------------------------------------------------------------------------------------


async def find_customer(reader: Reader, tenant: str, id_: str) -> Row | None:
    """Return a customer's profile as last seen."""
    query = select(CustomerRow.__table__).where(CustomerRow.tenant_id == tenant, CustomerRow.customer_id == id_)
    return await reader.fetch_one(reader.within(query, CustomerRow.tenant_id))


async def list_customer_enrollments(reader: Reader, tenant: str, id_: str) -> list[Row]:
    """Return a customer's 200 newest enrolments, ACTIVE ones first."""
    table = EnrollmentRow
    query = select(table.__table__).where(table.customer_id == id_, table.tenant_id == tenant)
    query = query.order_by(table.status != "ACTIVE", table.enrolled_at.desc()).limit(_MOST_OF_ONE)
    return await reader.fetch(reader.within(query, table.tenant_id))


# --- activity ---------------------------------------------------------------------------------------------------


class Records(msgspec.Struct, frozen=True):
    """Which activity records of a customer are asked for: of one enrolment, of refusals, or with failures alone."""

    enrollment_id: str = ""
    refused: bool = False
    failed: bool = False


async def list_activity(
    reader: Reader, tenant: str, customer_id: str, wanted: Records | None = None,
    *, cursor: str | None = None, limit: int = PAGE,
) -> Page:  # fmt: skip
    """Return activity records of a customer, newest first."""
    table, wanted = ActivityRow, wanted or Records()
    query = select(table.__table__).where(table.tenant_id == tenant, table.customer_id == customer_id)
    if wanted.refused:
        query = query.where(table.refused)
    if wanted.failed:
        query = query.where(cast(table.entries, TextType).contains('.failed"'))  # first, since it is cheap
        query = query.where(or_(_holds(table, type="step.failed"), _holds(table, type="enrollment.failed")))
    if wanted.enrollment_id:
        query = query.where(_holds(table, enrollmentId=wanted.enrollment_id))
    query = query.where(*ACTIVITY.beyond(table, cursor)).order_by(*ACTIVITY.order(table)).limit(limit + 1)
    return ACTIVITY.page(await reader.fetch(reader.within(query, table.tenant_id)), limit)


def _holds(source: Any, **entry: str) -> Any:
    """Ask for records with an entry like this; entries are JSON, cast as they are read along the primary key."""
    return cast(source.entries, JSONB).contains([entry])


async def list_refusals(reader: Reader, journey: Row, reason: str, *, cursor: str | None = None) -> Page:
    """Return 50 activity records that refuse entry to a journey, newest first.

    They are fewer, or none, where 5,000 refusals of its tenant have been looked through; the cursor goes on there.
    """
    table = ActivityRow
    query = select(table.__table__).where(table.tenant_id == journey["tenant_id"], table.refused)
    query = query.where(*ACTIVITY.beyond(table, cursor)).order_by(*ACTIVITY.order(table))
    window = query.limit(LOOKED_THROUGH).cte()
    latest = select(window).order_by(*ACTIVITY.order(window.c))
    wanted = {"type": "enrollment.refused", "journeyId": journey["id"]} | ({"reason": reason} if reason else {})
    rows = await reader.fetch(latest.where(_holds(window.c, **wanted)).limit(PAGE + 1))
    return await _end_window(reader, ACTIVITY, rows, latest)
