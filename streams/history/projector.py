"""Activity into Postgres, each record exactly once: rows, counts and the position in one database transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from streams.database import create_engine, is_outage
from streams.history import statements as sql
from streams.history.batch import HistoryBatch
from streams.history.counts import Counts
from streams.history.failures import count_failures
from streams.history.parking import ActivityMessage, Refused, explain, is_erased, park, report
from streams.history.records import Record, read_record
from streams.history.tables import execute, load, store
from streams.kafka.topics import ACTIVITY
from streams.polling import FAILURES, call

_log = structlog.get_logger()
_KINDS_NOTED = 20  # of entries that are not known; more are no kinds, but noise
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds between attempts while Postgres is away


class Projector:
    """Writes activity to Postgres. It never gives up: while Postgres is away it tries again.

    What Postgres refuses, or is no activity record, is parked, and the rest goes on.
    """

    def __init__(self, engine: AsyncEngine, *, counts_failures: bool = False) -> None:
        """Write to this database; with `counts_failures` also what the breaker looks at."""
        self.engine = engine
        self._counts_failures = counts_failures
        self._journeys: set[str] = set()
        self._unknown: set[str] = set()
        self._trouble = asyncio.Lock()

    @classmethod
    def connect(cls, url: str, *, counts_failures: bool = False) -> "Projector":
        """Return a projector with connections of its own to a postgresql:// URL."""
        engine = create_engine(url, connections=2, session=sql.SESSION)
        return cls(engine, counts_failures=counts_failures)

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()

    async def position(self, partition: int) -> int:
        """Return the offset from which a partition is not projected yet."""
        return await self._persist(lambda: self._move(partition, None))

    async def positions(self) -> dict[int, int]:
        """Return such offsets of all partitions that were ever projected; raises what an absent database raises."""
        async with self.engine.connect() as connection:
            found = await connection.execute(sql.READ_POSITIONS, {"topic": ACTIVITY})
            return {row.partition: row.offset for row in found}

    async def rewind(self, partition: int, offset: int) -> None:
        """Set the position of a partition whose topic is not the one that was projected before."""
        await self._persist(lambda: self._move(partition, offset))

    async def project(self, partition: int, messages: Sequence[ActivityMessage], start: int, end: int) -> int:
        """Write records from `start` to before `end`, in order of offset; return the next offset.

        What was written before is passed over. If the position lies before `start`, nothing is written and the
        position returned.
        """
        return await self._persist(lambda: self._project(partition, messages, start, end))

    async def prune(self, before: datetime) -> None:
        """Remove activity, and enrolments that were over, before a moment; totals and profiles stay."""
        for statement in sql.PRUNE:
            removed = 1
            while removed:  # in small pieces: nobody waits for a lock
                async with self.engine.begin() as connection:
                    removed = (await connection.execute(statement, {"before": before})).rowcount

    async def rebuild(self) -> None:
        """Empty the history, its counts and totals; running workers then project it anew from the topic."""
        async with self.engine.begin() as connection:
            for statement in sql.EMPTY:
                await connection.execute(statement)

    async def _persist(self, work: Callable[[], Awaitable[int]]) -> int:
        """Do something until Postgres lets it be done; while it is away, one partition asks for all of them."""
        try:
            return await work()
        except Exception as error:
            _warn(error, _FIRST_PAUSE)
        await asyncio.sleep(_FIRST_PAUSE)
        async with self._trouble:
            return await _do_patiently(work)

    async def _project(self, partition: int, messages: Sequence[ActivityMessage], start: int, end: int) -> int:
        """Write records; where some are refused, find them by halving, and park each alone."""
        try:
            return await self._write(partition, messages, start, end)
        except Exception as error:
            if is_outage(error):
                raise
        self._journeys.clear()  # a journey that was deleted meanwhile is not the record's fault
        if len(messages) > 1:
            half = len(messages) // 2
            middle = messages[half].offset
            await self._project(partition, messages[:half], start, middle)
            return await self._project(partition, messages[half:], middle, end)
        try:
            return await self._write(partition, messages, start, end)
        except Exception as error:
            if is_outage(error):
                raise
            return await self._write(partition, [], start, end, [Refused(messages[0], error)])

    async def _move(self, partition: int, offset: int | None) -> int:
        async with self.engine.begin() as connection:
            position = await lock(connection, partition)
            if offset is None:
                return position
            await _set_position(connection, partition, offset)
            return offset

    async def _write(
        self,
        partition: int,
        messages: Sequence[ActivityMessage],
        start: int,
        end: int,
        refused: Iterable[Refused] = (),
    ) -> int:
        async with self.engine.begin() as connection:
            position = await lock(connection, partition)
            if position < start or position >= end:
                return position
            records, unread = _read(message for message in messages if message.offset >= position)
            batch = await self._fold(connection, records)
            if self._counts_failures:
                await _count(connection, count_failures(records, messages))
            parked = [one for one in (*refused, *unread) if not is_erased(one.message, batch.erased)]
            await park(connection, partition, parked)
            await _set_position(connection, partition, end)
        self._journeys |= batch.counts.journeys
        report(partition, parked)
        self._note_unknown(batch.counts)
        return end

    async def _fold(
        self, connection: AsyncConnection, records: Sequence[Record], *, is_late: bool = False
    ) -> HistoryBatch:
        """Write what records say."""
        batch = await load(connection, records, is_late=is_late)
        for record in records:
            batch.add(record, is_late=is_late)
        await self._add_journeys(connection, records, batch.counts.journeys - self._journeys)
        await store(connection, batch)
        return batch

    async def unpark(self, partition: int, offset: int) -> str | None:
        """Write a parked record after all; return in a sentence why not, where it is refused again.

        Raises what a database that is away raises.
        """
        place = {"topic": ACTIVITY, "partition": partition, "offset": offset}
        try:
            async with self.engine.begin() as connection:
                await lock(connection, partition)
                value = (await connection.execute(sql.READ_PARKED, place)).scalar()
                if value is None:
                    return None  # somebody else wrote it meanwhile
                record = read_record(value, offset)
                owner = {"tenant_id": record.tenant_id, "customer_id": record.customer_id, "offset": offset}
                is_late = (await connection.execute(sql.IS_LATE, owner)).scalar_one()
                await self._fold(connection, [record], is_late=is_late)
                await connection.execute(sql.SEEN_BEFORE, owner | {"at": record.at})
                await connection.execute(sql.UNPARK, place)
        except Exception as error:
            if is_outage(error):
                raise
            return explain(error)
        return None

    async def _add_journeys(
        self, connection: AsyncConnection, records: Sequence[Record], unknown: set[str]
    ) -> None:
        """Give journeys that this database was never told of a row, so that their history has a place."""
        rows: dict[str, dict[str, Any]] = {}
        for record in records if unknown else ():
            for entry in record.entries:
                id_, version = getattr(entry, "journey_id", None), getattr(entry, "journey_version", None)
                if id_ in unknown:
                    rows[id_] = {
                        "id": id_, "tenant_id": record.tenant_id, "name": id_, "trigger_type": "",
                        "version": version or 0, "deleted_at": record.at,
                    }  # fmt: skip
        await execute(connection, sql.PLACE_HOLDERS, list(rows.values()))

    def _note_unknown(self, counts: Counts) -> None:
        """Log each kind of entry that this version does not know, once."""
        for kind in sorted(counts.unknown.keys() - self._unknown)[: _KINDS_NOTED - len(self._unknown)]:
            self._unknown.add(kind)
            _log.warning(
                "entries of a kind that this version does not know are kept and not counted", type=kind[:100]
            )


async def _count(connection: AsyncConnection, failures: Sequence[Any]) -> None:
    """Count failures, and let the breaker look."""
    if failures:
        await execute(connection, sql.FAILURES, failures)
        await call(connection, FAILURES)


def _read(messages: Iterable[ActivityMessage]) -> tuple[list[Record], list[Refused]]:
    records, refused = [], []
    for message in messages:
        try:
            records.append(read_record(message.value or b"", message.offset))
        except (ValueError, RecursionError) as error:
            refused.append(Refused(message, error))
    return records, refused


async def lock(connection: AsyncConnection, partition: int) -> int:
    """Return a partition's position, and keep other projectors off it until the transaction ends."""
    place = {"topic": ACTIVITY, "partition": partition}
    found = (await connection.execute(sql.LOCK_POSITION, place)).scalar()
    if found is None:
        await connection.execute(sql.FIRST_POSITION, place)
        found = (await connection.execute(sql.LOCK_POSITION, place)).scalar_one()
    return int(found)


async def _set_position(connection: AsyncConnection, partition: int, offset: int) -> None:
    await connection.execute(sql.MOVE_POSITION, {"topic": ACTIVITY, "partition": partition, "offset": offset})


async def _do_patiently(work: Callable[[], Awaitable[int]]) -> int:
    pause = 2 * _FIRST_PAUSE
    while True:
        try:
            return await work()
        except Exception as error:
            _warn(error, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _warn(error: Exception, pause: float) -> None:
    _log.warning("history can't be written for now", error=str(error).partition("\n")[0], pause=pause)
