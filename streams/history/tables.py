"""Rows of history in Postgres: what a batch continues is read, what it changes is written."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from streams.engine.entries import EnrollmentRefused, EnrollmentStarted, OfEnrollment, OfStep, ProfileUpdated
from streams.history import statements as sql
from streams.history.batch import HistoryBatch, Person
from streams.history.counts import Counts
from streams.history.records import Record
from streams.history.rows import Enrollment, Moment, Step

_TOTALS = ("enrolled", "completed", "exited", "failed", "converted")


async def load(connection: AsyncConnection, records: Sequence[Record], *, is_late: bool = False) -> HistoryBatch:
    """Return a batch that knows what the records continue."""
    enrollment_ids, step_keys, people = _find_mentioned(records, is_late=is_late)
    enrollments: list[Enrollment] = []
    steps: list[Step] = []
    profiles: dict[Person, dict[str, Any]] = {}
    if enrollment_ids:
        wanted = {"ids": list(enrollment_ids), "is_late": is_late}
        rows = await connection.execute(sql.READ_ENROLLMENTS, wanted)
        enrollments = [_read_enrollment(*row) for row in rows]
    if step_keys:
        ids, names = zip(*step_keys, strict=True)
        rows = await connection.execute(sql.READ_STEPS, {"ids": ids, "steps": names})
        steps = [_read_step(*row) for row in rows]
    if people:
        tenants, customers = zip(*people, strict=True)
        rows = await connection.execute(sql.READ_PROFILES, {"tenants": tenants, "customers": customers})
        profiles = {(tenant, customer): attributes for tenant, customer, attributes in rows}
    goals: dict[str, Moment] = {}
    if enrollment_ids and is_late:
        for record in records:
            owner = {"tenant_id": record.tenant_id, "customer_id": record.customer_id}
            goals |= dict((await connection.execute(sql.READ_GOALS, owner | {"ids": list(enrollment_ids)})).all())
    return HistoryBatch(enrollments, steps, profiles, goals)


def _read_enrollment(*row: Any) -> Enrollment:
    enrollment = Enrollment(*row[:-1])
    enrollment.trigger_data = row[-1]
    return enrollment


def _read_step(*row: Any) -> Step:
    step = Step(*row)
    if isinstance(step.result, str):
        step.result = msgspec.Raw(step.result.encode())
    return step


def _find_mentioned(
    records: Iterable[Record], *, is_late: bool
) -> tuple[set[str], set[tuple[str, str]], set[Person]]:
    """Return what must be read before records are folded: enrolments, steps, and profiles that change."""
    started, enrollments, steps, people = set[str](), set[str](), set[tuple[str, str]](), set[Person]()
    for record in records:
        for entry in record.entries:
            if type(entry) is EnrollmentStarted and not is_late:
                started.add(entry.enrollment_id)
            elif type(entry) is ProfileUpdated:
                people.add((record.tenant_id, record.customer_id))
            elif getattr(entry, "enrollment_id", "") not in started and isinstance(entry, OfEnrollment):
                enrollments.add(entry.enrollment_id)
                if isinstance(entry, OfStep):
                    steps.add((entry.enrollment_id, entry.step_id))
    return enrollments, steps, people


async def store(connection: AsyncConnection, batch: HistoryBatch) -> None:
    """Write all that a batch changed; the counts last and in one order, for they are what partitions share."""
    if batch.erased:
        tenants, customers = zip(*batch.erased, strict=True)
        for erase in sql.ERASE:
            await connection.execute(erase, {"tenants": tenants, "customers": customers})
    seen = batch.customers.items()
    await execute(connection, sql.CUSTOMERS, [_person(*key, created_at=at, updated_at=at) for key, at in seen])
    changed = batch.profiled.items()
    profiles = [_person(*key, attributes=batch.profiles[key], updated_at=at) for key, at in changed]
    await execute(connection, sql.PROFILES, profiles)
    rows = batch.enrollments.values()
    await execute(connection, sql.BEGUN, [row for row in rows if row.is_new])
    await execute(connection, sql.MOVED, [row for row in rows if not row.is_new])
    await execute(connection, sql.FOLLOWED, [row for row in rows if not row.is_new and row.trigger_data])
    await execute(connection, sql.STEPS, list(batch.steps.values()))
    if batch.activity:
        await connection.execute(sql.ACTIVITY, _columns(batch.activity))
    await _store_counts(connection, batch.counts)


async def _store_counts(connection: AsyncConnection, counts: Counts) -> None:
    await execute(connection, sql.STEP_COUNTS, counts.steps)
    refusals = [
        {"journey_id": journey, "reason": reason, "refused": count}
        for (journey, reason), count in sorted(counts.refusals.items())
    ]
    await execute(connection, sql.REFUSALS, refusals)
    hours = [
        {"journey_id": journey, "hour": hour, "what": what, "number": number}
        for (journey, hour, what), number in sorted(counts.hours.items())
    ]
    await execute(connection, sql.HOURS, hours)
    journeys = sorted({journey for journey, _ in counts.totals})
    totals = [{"id": id_} | {word: counts.totals[id_, word] for word in _TOTALS} for id_ in journeys]
    await execute(connection, sql.TOTALS, totals)


def _columns(records: Sequence[Record]) -> dict[str, list[Any]]:
    return {
        "tenants": [record.tenant_id for record in records],
        "customers": [record.customer_id for record in records],
        "at": [record.at for record in records],
        "offsets": [record.offset for record in records],
        "ids": [record.activity_id for record in records],
        "clubs": [record.club_id for record in records],
        "causes": [record.cause for record in records],
        "entries": [record.text for record in records],
        "refused": [EnrollmentRefused in map(type, record.entries) for record in records],
    }


def _person(tenant_id: str, customer_id: str, **fields: Any) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "customer_id": customer_id, **fields}


async def execute(connection: AsyncConnection, statement: TextClause, rows: Sequence[Any]) -> None:
    """Execute a statement that takes its rows as one JSON text, if there are any."""
    if rows:
        await connection.execute(statement, {"rows": msgspec.json.encode(rows).decode()})
