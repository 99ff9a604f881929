"""Activity into Postgres, each record exactly once: rows, counts and the position in one database transaction."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog
from sqlalchemy import TextClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from streams.database import UNREACHABLE, create_engine
from streams.history import statements as sql
from streams.history.batch import Enrollment, HistoryBatch, Person, Record, Step, mentioned, read_record
from streams.kafka.topics import ACTIVITY

_log = structlog.get_logger()
_LONGEST_PAUSE = 5.0  # seconds between attempts while Postgres is away
_RECORD_S_FAULT = ("22", "23")  # SQLSTATE classes: data that Postgres can't hold, a broken constraint


class ActivityMessage(Protocol):
    """A record of the activity topic, as aiokafka gives it."""

    offset: int
    value: bytes | None


class Projector:
    """Writes activity to Postgres. It never gives up: while Postgres is away it tries again."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._journeys: set[str] = set()

    @classmethod
    def connect(cls, url: str) -> "Projector":
        """Return a projector with connections of its own to a postgresql:// URL."""
        return cls(create_engine(url, connections=2, session=sql.SESSION))

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()

    async def position(self, partition: int) -> int:
        """Return the offset from which a partition is not projected yet."""
        return await _persist(lambda: self._move(partition, None))

    async def rewind(self, partition: int, offset: int) -> None:
        """Set the position of a partition whose topic is not the one that was projected before."""
        await _persist(lambda: self._move(partition, offset))

    async def project(self, partition: int, records: Sequence[ActivityMessage], start: int, end: int) -> int:
        """Write records from `start` to before `end`, in order of offset; return the next offset.

        What was written before is passed over. If the position lies before `start`, nothing is written and the
        position returned. A record that is none, or that Postgres can't hold, is logged and left out.
        """
        return await _persist(lambda: self._project(partition, records, start, end))

    async def prune(self, before: datetime) -> None:
        """Remove activity, and enrolments that were over, before a moment; totals and profiles stay."""
        for statement in (sql.PRUNE_ACTIVITY, sql.PRUNE_ENROLLMENTS):
            removed = 1
            while removed:  # in small pieces: nobody waits for a lock
                async with self.engine.begin() as connection:
                    removed = (await connection.execute(statement, {"before": before})).rowcount

    async def rebuild(self) -> None:
        """Empty the history, its counts and totals; running workers then project it anew from the topic."""
        async with self.engine.begin() as connection:
            for statement in sql.EMPTY:
                await connection.execute(statement)

    async def _project(self, partition: int, records: Sequence[ActivityMessage], start: int, end: int) -> int:
        try:
            return await self._write(partition, records, start, end)
        except DBAPIError as error:
            if not (getattr(error.orig, "sqlstate", None) or "").startswith(_RECORD_S_FAULT):
                raise
            self._journeys.clear()  # a journey that was deleted meanwhile is not the record's fault
            if len(records) > 1:
                middle = records[len(records) // 2].offset
                await self._project(partition, records[: len(records) // 2], start, middle)
                return await self._project(partition, records[len(records) // 2 :], middle, end)
            try:
                return await self._write(partition, records, start, end)
            except DBAPIError:
                _log.error("an activity record is left out", partition=partition, offset=records[0].offset)
                return await self._move(partition, end)

    async def _move(self, partition: int, offset: int | None) -> int:
        async with self.engine.begin() as connection:
            place = {"topic": ACTIVITY, "partition": partition}
            position = await _lock(connection, place)
            if offset is None:
                return position
            await connection.execute(sql.MOVE_POSITION, {**place, "offset": offset})
            return offset

    async def _write(self, partition: int, messages: Sequence[ActivityMessage], start: int, end: int) -> int:
        place = {"topic": ACTIVITY, "partition": partition}
        async with self.engine.begin() as connection:
            position = await _lock(connection, place)
            if position < start or position >= end:
                return position
            records = list(_read(message for message in messages if message.offset >= position))
            chronicle = await _load(connection, records)
            for record in records:
                chronicle.add(record)
            known = await self._know_journeys(connection, records)
            await _store(connection, chronicle)
            await connection.execute(sql.MOVE_POSITION, {**place, "offset": end})
        self._journeys |= known
        return end

    async def _know_journeys(self, connection: AsyncConnection, records: Iterable[Record]) -> set[str]:
        """Give journeys that this database was never told of a row, so that their history has a place."""
        unknown = {
            entry.journey_id: (record.tenant_id, entry.journey_version, record.at)
            for record in records
            for entry in record.read
            if entry.journey_id and entry.journey_id not in self._journeys
        }
        rows = [
            {"id": id_, "tenant_id": tenant, "name": id_, "trigger_type": "", "version": version, "deleted_at": at}
            for id_, (tenant, version, at) in unknown.items()
        ]
        await _execute(connection, sql.PLACE_HOLDERS, rows)
        return set(unknown)


async def _persist(work: Any) -> int:
    """Do something until Postgres lets it be done."""
    pause = 0.1
    while True:
        try:
            done: int = await work()
        except UNREACHABLE as error:
            _log.warning("history can't be written for now", error=str(error).partition("\n")[0], pause=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            return done


async def _lock(connection: AsyncConnection, place: dict[str, Any]) -> int:
    """Return a partition's position, and keep other projectors off it until the transaction ends."""
    found = (await connection.execute(sql.LOCK_POSITION, place)).scalar()
    if found is None:
        await connection.execute(sql.FIRST_POSITION, place)
        found = (await connection.execute(sql.LOCK_POSITION, place)).scalar_one()
    return int(found)


def _read(messages: Iterable[ActivityMessage]) -> Iterable[Record]:
    for message in messages:
        try:
            yield read_record(message.value or b"", message.offset)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _log.error("a record is no activity and is left out", offset=message.offset, error=str(error))


async def _load(connection: AsyncConnection, records: Sequence[Record]) -> HistoryBatch:
    """Return a chronicle that knows what the records continue."""
    enrollment_ids, step_keys, people = mentioned(records)
    enrollments: list[Enrollment] = []
    steps: list[Step] = []
    profiles: dict[Person, dict[str, Any]] = {}
    if enrollment_ids:
        rows = await connection.execute(sql.READ_ENROLLMENTS, {"ids": list(enrollment_ids)})
        enrollments = [msgspec.structs.replace(Enrollment(*row), is_new=False) for row in rows]
    if step_keys:
        ids, names = zip(*step_keys, strict=True)
        rows = await connection.execute(sql.READ_STEPS, {"ids": ids, "steps": names})
        steps = [
            Step(id_, name, status=status, visits=visits, entered_at=at, before=status, visits_before=visits)
            for id_, name, status, visits, at in rows
        ]
    if people:
        tenants, customers = zip(*people, strict=True)
        rows = await connection.execute(sql.READ_PROFILES, {"tenants": tenants, "customers": customers})
        profiles = {(tenant, customer): attributes for tenant, customer, attributes in rows}
    return HistoryBatch(enrollments, steps, profiles)


async def _store(connection: AsyncConnection, chronicle: HistoryBatch) -> None:
    """Write everything; the counts last and in one order, for they are what partitions share."""
    if chronicle.erased:
        tenants, customers = zip(*chronicle.erased, strict=True)
        for erase in (sql.ERASE_CUSTOMERS, sql.ERASE_ACTIVITY):
            await connection.execute(erase, {"tenants": tenants, "customers": customers})
    seen = chronicle.customers.items()
    await _execute(connection, sql.CUSTOMERS, [_person(*key, created_at=at, updated_at=at) for key, at in seen])
    changed = chronicle.profiled.items()
    profiles = [_person(*key, attributes=chronicle.profiles[key], updated_at=at) for key, at in changed]
    await _execute(connection, sql.PROFILES, profiles)
    rows = chronicle.enrollments.values()
    await _execute(connection, sql.BEGUN, [row for row in rows if row.is_new])
    await _execute(connection, sql.MOVED, [row for row in rows if not row.is_new])
    await _execute(connection, sql.STEPS, list(chronicle.steps.values()))
    if chronicle.activity:
        await connection.execute(sql.ACTIVITY, _columns(chronicle.activity))
    await _store_counts(connection, chronicle)


async def _store_counts(connection: AsyncConnection, chronicle: HistoryBatch) -> None:
    zero = dict.fromkeys(sql.COUNTS.split(", "), 0)
    steps = [
        zero | {"journey_id": journey, "version": version, "step_id": step, "variant": variant} | changes
        for (journey, version, step, variant), changes in sorted(chronicle.step_counts().items())
    ]
    await _execute(connection, sql.STEP_COUNTS, steps)
    refusals = [
        {"journey_id": journey, "reason": reason, "refused": count}
        for (journey, reason), count in sorted(chronicle.refusals.items())
    ]
    await _execute(connection, sql.REFUSALS, refusals)
    hours = [
        {"journey_id": journey, "hour": hour, "what": what, "number": number}
        for (journey, hour, what), number in sorted(chronicle.hours.items())
    ]
    await _execute(connection, sql.HOURS, hours)
    words = ("enrolled", "completed", "exited", "failed")
    journeys = sorted({journey for journey, _ in chronicle.totals})
    totals = [{"id": id_} | {word: chronicle.totals[id_, word] for word in words} for id_ in journeys]
    await _execute(connection, sql.TOTALS, totals)


def _columns(activity: Sequence[tuple[Record, bool]]) -> dict[str, list[Any]]:
    records = [record for record, _ in activity]
    return {
        "tenants": [record.tenant_id for record in records],
        "customers": [record.customer_id for record in records],
        "at": [record.at for record in records],
        "offsets": [record.offset for record in records],
        "ids": [record.activity_id for record in records],
        "clubs": [record.club_id for record in records],
        "causes": [str(record.cause, "utf-8") for record in records],
        "entries": [str(record.entries, "utf-8") for record in records],
        "refused": [refused for _, refused in activity],
    }


def _person(tenant_id: str, customer_id: str, **fields: Any) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "customer_id": customer_id, **fields}


async def _execute(connection: AsyncConnection, statement: TextClause, rows: Sequence[Any]) -> None:
    if rows:
        await connection.execute(statement, {"rows": msgspec.json.encode(rows).decode()})
