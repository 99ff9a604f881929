"""What pages read from Postgres: journeys, counts, enrolments, timelines; of the tenants a visitor may see."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select, and_, cast, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from models.journey import Journey
from models.rows import (
    ActivityRow,
    AuditRow,
    CustomerRow,
    EnrollmentRow,
    EnrollmentStepRow,
    HourCountRow,
    JourneyRow,
    JourneyVersionRow,
    RefusalCountRow,
    StepCountRow,
)
from streams.web.outline import Counts

PAGE = 50
Tenants = frozenset[str] | None
"""The tenants that may be seen; None stands for all."""

Cursor = tuple[datetime, str] | None
Row = RowMapping
Query = Select[*tuple[Any, ...]]


def _within(query: Query, column: Any, tenants: Tenants) -> Query:
    return query if tenants is None else query.where(column.in_(tenants))


async def _all(connection: AsyncConnection, query: Query) -> list[Row]:
    return list((await connection.execute(query)).mappings())


async def _one(connection: AsyncConnection, query: Query) -> Row | None:
    return (await connection.execute(query)).mappings().first()


# --- journeys ---------------------------------------------------------------------------------------------------


async def list_journeys(
    connection: AsyncConnection, tenants: Tenants, status: str = "", part: str = ""
) -> list[Row]:
    """Return journeys by tenant and name, those with this status and this part in their names."""
    table = JourneyRow.__table__
    query = select(table).where(JourneyRow.deleted_at.is_(None)).order_by(JourneyRow.tenant_id, JourneyRow.name)
    if status:
        query = query.where(JourneyRow.status == status)
    if part:
        query = query.where(JourneyRow.name.icontains(part, autoescape=True))
    return await _all(connection, _within(query, JourneyRow.tenant_id, tenants))


async def page_journeys(
    connection: AsyncConnection,
    tenants: Tenants,
    status: str | None,
    trigger: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[Row]:
    """Return journeys by tenant and name, from after a (tenant, name) on."""
    table = JourneyRow
    query = select(table.__table__).where(table.deleted_at.is_(None)).order_by(table.tenant_id, table.name)
    if status:
        query = query.where(table.status == status)
    if trigger:
        query = query.where(table.trigger_type == trigger)
    if after:
        query = query.where(tuple_(table.tenant_id, table.name) > tuple_(*map(literal, after)))
    return await _all(connection, _within(query.limit(limit), table.tenant_id, tenants))


async def find_journey(connection: AsyncConnection, tenants: Tenants, journey_id: str) -> Row | None:
    """Return how a journey stands, deleted ones too: their history stays."""
    query = select(JourneyRow.__table__).where(JourneyRow.id == journey_id)
    return await _one(connection, _within(query, JourneyRow.tenant_id, tenants))


async def journey_names(connection: AsyncConnection, journey_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of journeys by id."""
    query = select(JourneyRow.id, JourneyRow.name).where(JourneyRow.id.in_(set(journey_ids)))
    return {row["id"]: row["name"] for row in await _all(connection, query)}


async def list_versions(connection: AsyncConnection, journey_id: str) -> list[Row]:
    """Return a journey's versions, newest first: when each was made and by whom."""
    columns = JourneyVersionRow.version, JourneyVersionRow.created_at, JourneyVersionRow.created_by
    query = select(*columns).where(JourneyVersionRow.journey_id == journey_id)
    return await _all(connection, query.order_by(JourneyVersionRow.version.desc()))


async def read_version(connection: AsyncConnection, journey_id: str, version: int) -> Journey | None:
    """Return one version of a journey."""
    where = JourneyVersionRow.journey_id == journey_id, JourneyVersionRow.version == version
    definition = (await connection.execute(select(JourneyVersionRow.definition).where(*where))).scalar()
    return None if definition is None else Journey.model_validate(definition)


async def count_steps(connection: AsyncConnection, journey_id: str, version: int) -> dict[str, Counts]:
    """Return by step how many enrolments of a version were and are there, and which ways they left."""
    where = StepCountRow.journey_id == journey_id, StepCountRow.version == version
    numbers: dict[str, Row] = {}
    ways: dict[str, dict[str, int]] = {}
    for row in await _all(connection, select(StepCountRow.__table__).where(*where)):
        if row["variant"]:
            ways.setdefault(row["step_id"], {})[row["variant"]] = row["completed"]
        else:
            numbers[row["step_id"]] = row
    names = "entered", "inside", "completed", "skipped", "failed"
    return {
        id_: Counts(**{name: row[name] for name in names}, ways=ways.get(id_, {})) for id_, row in numbers.items()
    }


async def count_refusals(connection: AsyncConnection, tenants: Tenants, journey_id: str = "") -> dict[str, int]:
    """Return how many entries were refused, by reason, most frequent first; of one journey or of all."""
    count = func.sum(RefusalCountRow.refused).label("refused")
    query = select(RefusalCountRow.reason, count).join(JourneyRow, JourneyRow.id == RefusalCountRow.journey_id)
    query = _within(query.group_by(RefusalCountRow.reason).order_by(count.desc()), JourneyRow.tenant_id, tenants)
    if journey_id:
        query = query.where(RefusalCountRow.journey_id == journey_id)
    return {row["reason"]: int(row["refused"]) for row in await _all(connection, query)}


# --- enrolments -------------------------------------------------------------------------------------------------


async def list_enrollments(
    connection: AsyncConnection, journey: Row, *, status: str = "", step: str = "", before: Cursor = None
) -> list[Row]:
    """Return up to 51 enrolments of a journey, newest first; `step` means those who are there now."""
    table = EnrollmentRow
    query = select(table.__table__).where(
        table.tenant_id == journey["tenant_id"], table.journey_id == journey["id"]
    )
    if step:
        query = query.where(table.status == "ACTIVE", table.current_step_id == step)
    elif status:
        query = query.where(table.status == status)
    return await _all(connection, _newest(query, before))


class Wanted(msgspec.Struct, frozen=True):
    """Which enrolments of a journey are asked for; `step` means ACTIVE ones that are there now."""

    status: str | None = None
    step: str | None = None
    customer: str | None = None
    due_before: datetime | None = None


async def page_enrollments(
    connection: AsyncConnection, journey: Row, wanted: Wanted, before: Cursor, limit: int
) -> list[Row]:
    """Return enrolments of a journey, newest first, from before an (enrolledAt, id) on."""
    table = EnrollmentRow
    query = select(table.__table__).where(
        table.tenant_id == journey["tenant_id"], table.journey_id == journey["id"]
    )
    if wanted.status:
        query = query.where(table.status == wanted.status)
    if wanted.step is not None:
        query = query.where(table.status == "ACTIVE", table.current_step_id == wanted.step)
    if wanted.customer is not None:
        query = query.where(table.customer_id == wanted.customer)
    if wanted.due_before is not None:
        query = query.where(table.waiting_until < wanted.due_before)
    return await _all(connection, _newest(query, before).limit(limit))


async def list_step_visitors(
    connection: AsyncConnection, journey: Row, step: str, ended: str, before: Cursor = None
) -> list[Row]:
    """Return up to 51 enrolments of a journey whose step ended so (COMPLETED, SKIPPED, FAILED), newest first."""
    table, steps = EnrollmentRow, EnrollmentStepRow
    query = select(table.__table__).join(steps, steps.enrollment_id == table.id)
    query = query.where(table.tenant_id == journey["tenant_id"], table.journey_id == journey["id"])
    return await _all(connection, _newest(query.where(steps.step_id == step, steps.status == ended), before))


def _newest(query: Query, before: Cursor) -> Query:
    at, id_ = EnrollmentRow.enrolled_at, EnrollmentRow.id
    if before:
        query = query.where(tuple_(at, id_) < tuple_(literal(before[0]), literal(before[1], id_.type)))
    return query.order_by(at.desc(), id_.desc()).limit(PAGE + 1)


async def find_enrollment(connection: AsyncConnection, tenants: Tenants, enrollment_id: str) -> Row | None:
    """Return an enrolment."""
    query = select(EnrollmentRow.__table__).where(EnrollmentRow.id == enrollment_id)
    return await _one(connection, _within(query, EnrollmentRow.tenant_id, tenants))


async def list_enrollment_steps(connection: AsyncConnection, enrollment_id: str) -> list[Row]:
    """Return what became of each step of an enrolment, by number."""
    table = EnrollmentStepRow
    query = select(table.__table__).where(table.enrollment_id == enrollment_id)
    return await _all(connection, query.order_by(table.step_number))


async def find_command(connection: AsyncConnection, tenants: Tenants, command_id: str) -> Row | None:
    """Return the step of an enrolment that sent this command on its last visit."""
    steps, table = EnrollmentStepRow, EnrollmentRow
    query = select(table.id, steps.step_id).join(steps, steps.enrollment_id == table.id)
    query = query.where(steps.result["messageId"].astext == command_id)
    return await _one(connection, _within(query, table.tenant_id, tenants))


# --- customers --------------------------------------------------------------------------------------------------


async def list_tenants(connection: AsyncConnection, tenants: Tenants) -> list[str]:
    """Return the tenants that have journeys."""
    query = _within(select(JourneyRow.tenant_id).distinct(), JourneyRow.tenant_id, tenants)
    return sorted((await connection.execute(query)).scalars())


async def find_customers(connection: AsyncConnection, tenants: Tenants, customer_id: str) -> list[Row]:
    """Return who has this id, in whichever tenant."""
    known = await list_tenants(connection, tenants)
    query = select(CustomerRow.__table__).where(CustomerRow.tenant_id.in_(known))
    return await _all(connection, query.where(CustomerRow.customer_id == customer_id).limit(PAGE))


async def find_customer(connection: AsyncConnection, tenants: Tenants, tenant: str, id_: str) -> Row | None:
    """Return a customer's profile as last seen."""
    query = select(CustomerRow.__table__).where(CustomerRow.tenant_id == tenant, CustomerRow.customer_id == id_)
    return await _one(connection, _within(query, CustomerRow.tenant_id, tenants))


async def list_newest(connection: AsyncConnection, tenants: Tenants) -> list[Row]:
    """Return the newest enrolments of the journeys that were changed last: some for a start, at little cost."""
    journeys = select(JourneyRow.id, JourneyRow.tenant_id).order_by(JourneyRow.updated_at.desc()).limit(20)
    rows: list[Row] = []
    for journey in await _all(connection, _within(journeys, JourneyRow.tenant_id, tenants)):
        rows += (await list_enrollments(connection, journey))[:10]
    return sorted(rows, key=lambda row: row["enrolled_at"], reverse=True)[:PAGE]


async def list_customer_enrollments(connection: AsyncConnection, tenant: str, id_: str) -> list[Row]:
    """Return a customer's 200 newest enrolments, ACTIVE ones first."""
    table = EnrollmentRow
    query = select(table.__table__).where(table.customer_id == id_, table.tenant_id == tenant)
    return await _all(connection, query.order_by(table.status != "ACTIVE", table.enrolled_at.desc()).limit(200))


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
    if enrollment_id:
        query = query.where(_holds({"enrollmentId": enrollment_id}))
    if failed:
        query = query.where(or_(_holds({"type": "step.failed"}), _holds({"type": "enrollment.failed"})))
    if before:
        query = query.where(tuple_(table.at, table.offset) < tuple_(*map(literal, before)))
    return await _all(connection, query.order_by(table.at.desc(), table.offset.desc()).limit(limit))


# --- audit ------------------------------------------------------------------------------------------------------


async def page_audit(connection: AsyncConnection, tenants: Tenants, before: int | None, limit: int) -> list[Row]:
    """Return changes, newest first, from before one of them on."""
    query = select(AuditRow.__table__).order_by(AuditRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.id < before)
    return await _all(connection, _within(query, AuditRow.tenant_id, tenants))


# --- waits ------------------------------------------------------------------------------------------------------


async def count_waits(
    connection: AsyncConnection, tenants: Tenants, now: datetime, until: datetime, bars: int
) -> tuple[int, list[int], int]:
    """Return how many waits are overdue, due in each of so many equal parts from now until then, and later."""
    place = func.width_bucket(
        func.extract("epoch", EnrollmentRow.waiting_until), now.timestamp(), until.timestamp(), bars
    )
    query = select(place.label("place"), func.count().label("count"))
    query = _within(query.where(EnrollmentRow.waiting_until.is_not(None)), EnrollmentRow.tenant_id, tenants)
    found = {row["place"]: row["count"] for row in await _all(connection, query.group_by(place))}
    return found.get(0, 0), [found.get(bar, 0) for bar in range(1, bars + 1)], found.get(bars + 1, 0)


async def list_waits(
    connection: AsyncConnection, tenants: Tenants, start: datetime | None, end: datetime
) -> list[Row]:
    """Return up to 50 enrolments whose wait is due from `start` to before `end`, the first due first."""
    due = EnrollmentRow.waiting_until
    query = select(EnrollmentRow.__table__).where(and_(due.is_not(None), due < end))
    if start:
        query = query.where(due >= start)
    query = query.order_by(due).limit(PAGE)
    return await _all(connection, _within(query, EnrollmentRow.tenant_id, tenants))


# --- totals -----------------------------------------------------------------------------------------------------


async def count_due(
    connection: AsyncConnection, tenants: Tenants, now: datetime, journey_id: str = ""
) -> tuple[int, int]:
    """Return how many waits are overdue, and how many are yet to come; of one journey or of all."""
    due = EnrollmentRow.waiting_until
    overdue = func.count().filter(due < now)
    query = select(overdue.label("overdue"), func.count().label("all")).where(due.is_not(None))
    if journey_id:
        query = query.where(EnrollmentRow.journey_id == journey_id)
    row = await _one(connection, _within(query, EnrollmentRow.tenant_id, tenants))
    return (row["overdue"], row["all"] - row["overdue"]) if row else (0, 0)


_STILL_IN = (
    JourneyRow.total_enrolled - JourneyRow.total_completed - JourneyRow.total_exited - JourneyRow.total_failed
)


async def count_active(connection: AsyncConnection, tenants: Tenants) -> int:
    """Return how many enrolments are ACTIVE."""
    query = _within(select(func.coalesce(func.sum(_STILL_IN), 0)), JourneyRow.tenant_id, tenants)
    return int((await connection.execute(query)).scalar_one())


async def list_failing(connection: AsyncConnection, tenants: Tenants) -> list[Row]:
    """Return the journeys with failed enrolments, most first."""
    query = select(JourneyRow.__table__).where(JourneyRow.total_failed > 0, JourneyRow.deleted_at.is_(None))
    query = query.order_by(JourneyRow.total_failed.desc()).limit(5)
    return await _all(connection, _within(query, JourneyRow.tenant_id, tenants))


async def count_hours(
    connection: AsyncConnection, tenants: Tenants, since: datetime
) -> dict[str, dict[str, dict[datetime, int]]]:
    """Return what happened by journey, kind and hour, from the hour `since` on."""
    table = HourCountRow
    query = select(table.__table__).join(JourneyRow, JourneyRow.id == table.journey_id)
    query = query.where(table.hour >= since, table.what.not_like("sent:%"))
    found: dict[str, dict[str, dict[datetime, int]]] = {}
    for row in await _all(connection, _within(query, JourneyRow.tenant_id, tenants)):
        found.setdefault(row["journey_id"], {}).setdefault(row["what"], {})[row["hour"]] = row["number"]
    return found
