"""How many: kept totals, so that no page counts enrolments; waits alone are counted, and only up to a limit."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Text, cast, func, or_, select, text

from models.rows import EnrollmentRow, HourCountRow, JourneyRow, RefusalCountRow, StepCountRow
from streams.web.queries.query import PAGE, Reader, Row
from streams.web.queries.statistics import Conversions, StepCounts

MOST = 10_000
"""Overdue waits are counted up to here."""

_SENT = "sent:"


# --- steps ------------------------------------------------------------------------------------------------------


_COUNTS = "entered", "enrollments", "inside", "completed", "skipped", "failed", "converted"


class VersionCounts(msgspec.Struct, frozen=True):
    """What a version of a journey has seen: as a whole, and step by step."""

    whole: Conversions
    steps: dict[str, StepCounts]


async def count_version(reader: Reader, journey_id: str, version: int) -> VersionCounts:
    """Return what a version and each of its steps have seen, and which ways were taken."""
    where = StepCountRow.journey_id == journey_id, StepCountRow.version == version
    whole, numbers, ways = Conversions(), dict[str, Row](), dict[str, dict[str, Row]]()
    for row in await reader.fetch(select(StepCountRow.__table__).where(*where)):
        if not row["step_id"]:
            whole = _read_conversions(row)
        elif row["variant"]:
            ways.setdefault(row["step_id"], {})[row["variant"]] = row
        else:
            numbers[row["step_id"]] = row
    steps = {id_: _read_counts(row, ways.get(id_, {})) for id_, row in numbers.items()}
    return VersionCounts(whole, steps)


def _read_conversions(row: Row) -> Conversions:
    return Conversions(row["enrollments"], row["converted"])


def _read_counts(row: Row, ways: Mapping[str, Row]) -> StepCounts:
    return StepCounts(
        **{name: row[name] for name in _COUNTS},
        ways={way: counted["completed"] for way, counted in ways.items()},
        conversions={way: _read_conversions(counted) for way, counted in ways.items() if counted["enrollments"]},
    )


async def count_refusals(reader: Reader, journey_id: str = "") -> dict[str, int]:
    """Return how many entries were refused, by reason, most frequent first; of one journey or of all."""
    count = func.sum(RefusalCountRow.refused).label("refused")
    query = select(RefusalCountRow.reason, count).join(JourneyRow, JourneyRow.id == RefusalCountRow.journey_id)
    query = reader.within(
        query.group_by(RefusalCountRow.reason).order_by(count.desc(), RefusalCountRow.reason), JourneyRow.tenant_id
    )
    if journey_id:
        query = query.where(RefusalCountRow.journey_id == journey_id)
    return {row["reason"]: int(row["refused"]) for row in await reader.fetch(query)}


# --- waits ------------------------------------------------------------------------------------------------------


async def count_waiting(reader: Reader) -> int:
    """Return how many enrolments wait for a moment, also for one that has passed."""
    query = select(func.coalesce(func.sum(StepCountRow.inside), 0))
    query = query.join(JourneyRow, JourneyRow.id == StepCountRow.journey_id)
    return int(await reader.scalar(reader.within(query, JourneyRow.tenant_id)))


async def count_overdue(reader: Reader, now: datetime, journey_id: str = "") -> int:
    """Return how many waits are overdue, of one journey or of all; MOST stands for more, too."""
    query = select(EnrollmentRow.waiting_until).where(EnrollmentRow.waiting_until < now)
    if journey_id:
        query = query.where(EnrollmentRow.journey_id == journey_id)
    query = reader.within(query, EnrollmentRow.tenant_id).limit(MOST)
    return int(await reader.scalar(select(func.count()).select_from(query.subquery())))


async def count_due(reader: Reader, now: datetime, width: timedelta, bars: int) -> list[int]:
    """Return how many waits are due in each of so many spans of this width, from now on."""
    due = EnrollmentRow.waiting_until
    start = func.date_bin(width, due, now)
    query = select(start.label("start"), func.count().label("count")).where(due >= now, due < now + bars * width)
    query = reader.within(query, EnrollmentRow.tenant_id).group_by(text("start"))
    found = {row["start"]: row["count"] for row in await reader.fetch(query)}
    return [found.get(now + bar * width, 0) for bar in range(bars)]


async def list_waits(
    reader: Reader, start: datetime | None, end: datetime | None, *, journey: str | None = None, limit: int = PAGE
) -> list[Row]:
    """Return enrolments whose wait is due from `start` to before `end`, the first due first.

    `journey` is the name or id of the one that is asked for.
    """
    due = EnrollmentRow.waiting_until
    query = select(EnrollmentRow.__table__).where(due.is_not(None))
    if start:
        query = query.where(due >= start)
    if end:
        query = query.where(due < end)
    if journey is not None:
        named = or_(JourneyRow.name == journey, cast(JourneyRow.id, Text) == journey)
        query = query.where(EnrollmentRow.journey_id.in_(select(JourneyRow.id).where(named)))
    return await reader.fetch(reader.within(query.order_by(due).limit(limit), EnrollmentRow.tenant_id))


# --- journeys ---------------------------------------------------------------------------------------------------


_STILL_IN = (
    JourneyRow.total_enrolled - JourneyRow.total_completed - JourneyRow.total_exited - JourneyRow.total_failed
)


def still_in(row: Row) -> int:
    """Return how many enrolments of a journey are ACTIVE."""
    ended = sum(row[f"total_{word}"] for word in ("completed", "exited", "failed"))
    return max(0, int(row["total_enrolled"] - ended))


async def count_active(reader: Reader) -> int:
    """Return how many enrolments are ACTIVE."""
    query = reader.within(select(func.coalesce(func.sum(_STILL_IN), 0)), JourneyRow.tenant_id)
    return int(await reader.scalar(query))


async def list_failing(reader: Reader) -> list[Row]:
    """Return the journeys with failed enrolments, most first."""
    query = select(JourneyRow.__table__).where(JourneyRow.total_failed > 0, JourneyRow.deleted_at.is_(None))
    query = query.order_by(JourneyRow.total_failed.desc(), JourneyRow.id).limit(5)
    return await reader.fetch(reader.within(query, JourneyRow.tenant_id))


async def count_hours(
    reader: Reader, journey_ids: Iterable[str], since: datetime
) -> dict[str, dict[str, dict[datetime, int]]]:
    """Return what happened by journey, of these, kind and hour, from the hour `since` on."""
    table = HourCountRow
    query = select(table.__table__).where(table.journey_id.in_(set(journey_ids)))
    query = query.where(table.hour >= since, table.what.not_like(f"{_SENT}%"))
    found: dict[str, dict[str, dict[datetime, int]]] = {}
    for row in await reader.fetch(query):
        found.setdefault(row["journey_id"], {}).setdefault(row["what"], {})[row["hour"]] = row["number"]
    return found


async def count_sent(reader: Reader, since: datetime) -> dict[tuple[str, str], int]:
    """Return how many commands were sent by tenant and channel, from the hour `since` on."""
    table, tenant = HourCountRow, JourneyRow.tenant_id
    query = select(tenant, table.what, func.sum(table.number).label("count"))
    query = query.join(JourneyRow, JourneyRow.id == table.journey_id).group_by(tenant, table.what)
    query = query.where(table.hour >= since, table.what.like(f"{_SENT}%"))
    rows = await reader.fetch(reader.within(query, tenant))
    return {(row["tenant_id"], row["what"].removeprefix(_SENT)): int(row["count"]) for row in rows}
