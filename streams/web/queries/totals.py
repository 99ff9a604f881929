"""How many: kept totals, so that no page counts enrolments; waits alone are counted, and only up to a limit."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rows import EnrollmentRow, HourCountRow, JourneyRow, RefusalCountRow, StepCountRow
from streams.web.charts.outline import Counts
from streams.web.queries.query import PAGE, Row, Tenants, fetch, within

MOST = 10_000
"""Overdue waits are counted up to here."""


# --- steps ------------------------------------------------------------------------------------------------------


async def count_steps(connection: AsyncConnection, journey_id: str, version: int) -> dict[str, Counts]:
    """Return by step how many enrolments of a version were and are there, and which ways they left."""
    where = StepCountRow.journey_id == journey_id, StepCountRow.version == version
    numbers: dict[str, Row] = {}
    ways: dict[str, dict[str, int]] = {}
    for row in await fetch(connection, select(StepCountRow.__table__).where(*where)):
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
    query = within(query.group_by(RefusalCountRow.reason).order_by(count.desc()), JourneyRow.tenant_id, tenants)
    if journey_id:
        query = query.where(RefusalCountRow.journey_id == journey_id)
    return {row["reason"]: int(row["refused"]) for row in await fetch(connection, query)}


# --- waits ------------------------------------------------------------------------------------------------------


async def count_waiting(connection: AsyncConnection, tenants: Tenants) -> int:
    """Return how many enrolments wait for a moment, also for one that has passed."""
    query = select(func.coalesce(func.sum(StepCountRow.inside), 0))
    query = query.join(JourneyRow, JourneyRow.id == StepCountRow.journey_id)
    return int((await connection.execute(within(query, JourneyRow.tenant_id, tenants))).scalar_one())


async def count_overdue(connection: AsyncConnection, tenants: Tenants, now: datetime, journey_id: str = "") -> int:
    """Return how many waits are overdue, of one journey or of all; MOST stands for more, too."""
    query = select(EnrollmentRow.waiting_until).where(EnrollmentRow.waiting_until < now)
    if journey_id:
        query = query.where(EnrollmentRow.journey_id == journey_id)
    query = within(query, EnrollmentRow.tenant_id, tenants).limit(MOST)
    return int((await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one())


async def count_due(
    connection: AsyncConnection, tenants: Tenants, now: datetime, width: timedelta, bars: int
) -> list[int]:
    """Return how many waits are due in each of so many spans of this width, from now on."""
    due = EnrollmentRow.waiting_until
    start = func.date_bin(width, due, now)
    query = select(start.label("start"), func.count().label("count")).where(due >= now, due < now + bars * width)
    query = within(query, EnrollmentRow.tenant_id, tenants).group_by(text("start"))
    found = {row["start"]: row["count"] for row in await fetch(connection, query)}
    return [found.get(now + bar * width, 0) for bar in range(bars)]


async def list_waits(
    connection: AsyncConnection, tenants: Tenants, start: datetime | None, end: datetime
) -> list[Row]:
    """Return up to 50 enrolments whose wait is due from `start` to before `end`, the first due first."""
    due = EnrollmentRow.waiting_until
    query = select(EnrollmentRow.__table__).where(due < end)
    if start:
        query = query.where(due >= start)
    return await fetch(connection, within(query.order_by(due).limit(PAGE), EnrollmentRow.tenant_id, tenants))


# --- journeys ---------------------------------------------------------------------------------------------------


_STILL_IN = (
    JourneyRow.total_enrolled - JourneyRow.total_completed - JourneyRow.total_exited - JourneyRow.total_failed
)


async def count_active(connection: AsyncConnection, tenants: Tenants) -> int:
    """Return how many enrolments are ACTIVE."""
    query = within(select(func.coalesce(func.sum(_STILL_IN), 0)), JourneyRow.tenant_id, tenants)
    return int((await connection.execute(query)).scalar_one())


async def list_failing(connection: AsyncConnection, tenants: Tenants) -> list[Row]:
    """Return the journeys with failed enrolments, most first."""
    query = select(JourneyRow.__table__).where(JourneyRow.total_failed > 0, JourneyRow.deleted_at.is_(None))
    query = query.order_by(JourneyRow.total_failed.desc()).limit(5)
    return await fetch(connection, within(query, JourneyRow.tenant_id, tenants))


async def count_hours(
    connection: AsyncConnection, journey_ids: Iterable[str], since: datetime
) -> dict[str, dict[str, dict[datetime, int]]]:
    """Return what happened by journey, of these, kind and hour, from the hour `since` on."""
    table = HourCountRow
    query = select(table.__table__).where(table.journey_id.in_(set(journey_ids)))
    query = query.where(table.hour >= since, table.what.not_like("sent:%"))
    found: dict[str, dict[str, dict[datetime, int]]] = {}
    for row in await fetch(connection, query):
        found.setdefault(row["journey_id"], {}).setdefault(row["what"], {})[row["hour"]] = row["number"]
    return found
