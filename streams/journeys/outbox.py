"""The outbox: takes what authoring wrote in its transaction to the definitions topic, many records at a time.

Versions go first, and statuses once it is known which versions are there. A record that Kafka refuses is put aside
and tried again later: the journey's `problem` says why, and those of other journeys go on. A status is put aside
with the version that it names, for workers could not find that.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge
from sqlalchemy import ARRAY, BigInteger, Row, Text, Uuid, bindparam, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.rows import JourneyRow, OutboxRow
from streams.clock import now, steady
from streams.database import OUTBOX_LOCK
from streams.errors import FairwayError
from streams.journeys.records import UnusableError, read_key
from streams.kafka.clients import explain, is_refusal, producing
from streams.kafka.connection import client_arguments
from streams.kafka.readiness import check_writable
from streams.kafka.topics import DEFINITIONS
from streams.polling import OUTBOX, poll_for_ever
from streams.settings import Settings

PARKED = Counter("fairway_outbox_parked_total", "Definitions that Kafka refused and that were put aside.")
REFUSED = Gauge("fairway_outbox_refused", "Definitions that Kafka refuses as of now; tried again every 10 minutes.")
AGE = Gauge("fairway_outbox_age_seconds", "Seconds since this worker last saw that no definition waits to be sent.")

_log = structlog.get_logger()
_AT_ONCE = 200  # records of at most half a megabyte each
_BATCH_BYTES = 128 * 1024
_TIMEOUT_MS = 10_000
_RETRY = timedelta(minutes=10)

_names, _ids = bindparam("names", type_=ARRAY(Text)), bindparam("ids", type_=ARRAY(BigInteger))
_GIVEN = func.unnest(_names, _ids).table_valued("name", "id").render_derived("given")
_journeys, _problems = bindparam("ids", type_=ARRAY(Uuid)), bindparam("problems", type_=ARRAY(Text))
_TOLD = func.unnest(_journeys, _problems).table_valued("id", "problem").render_derived("told")

# Made once: a statement that is made anew at each look costs more than Postgres' answer.
_is_due = or_(OutboxRow.retry_at.is_(None), OutboxRow.retry_at <= bindparam("at"))
_DUE = select(OutboxRow).where(_is_due).order_by(OutboxRow.id).limit(_AT_ONCE)
_COUNTS = select(func.count().filter(_is_due), func.count().filter(OutboxRow.retry_at.is_not(None))).select_from(
    OutboxRow
)

_Rows = Sequence[Row[Any]]


class _Status(msgspec.Struct):
    version: int


async def publish(engine: AsyncEngine, producer: Any, at: datetime) -> int:
    """Send what waits in the outbox and take it out, or put it aside; return how many records that were.

    One publisher at a time, so that order holds. After a crash between the two it is sent again: the records
    are keyed, and of each key only the newest is sent. Raises KafkaError if the broker can't be reached.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": OUTBOX_LOCK})
        rows = (await connection.execute(_DUE, {"at": at})).all()
        newest = sorted({row.key: row for row in rows}.values(), key=lambda row: row.id)
        refused = {row.id: fault for row in newest if (fault := _find_fault(row))}
        versions, others = _split([row for row in newest if row.id not in refused], _is_version)
        refused |= await _send(producer, versions)
        lacking = await _find_lacking(connection, others, {row.key: row.id in refused for row in versions}, at)
        refused |= await _send(producer, [row for row in others if row.id not in lacking])
        await _settle(connection, newest, refused.keys() | lacking, at + _RETRY)
        await _tell(connection, [row for row in newest if row.id not in lacking], refused)
        return len(rows)


def _find_fault(row: Row[Any]) -> str | None:
    """Say what is wrong with a record that authoring did not write: nobody could tell whose it is."""
    try:
        UUID(read_key(row.key.encode()).journey_id)
    except UnusableError as error:
        return str(error)
    except ValueError:
        return "Its key names no journey."
    return None


def _split(rows: _Rows, is_first: Callable[[Row[Any]], bool]) -> tuple[_Rows, _Rows]:
    return [row for row in rows if is_first(row)], [row for row in rows if not is_first(row)]


def _is_version(row: Row[Any]) -> bool:
    return row.value is not None and not _is_of_status(row)


def _is_of_status(row: Row[Any]) -> bool:
    return read_key(row.key.encode()).version is None


async def _find_lacking(
    connection: AsyncConnection, rows: _Rows, is_refused: Mapping[str, bool], at: datetime
) -> set[int]:
    """Return the ids of those that are a status whose version was put aside, just now or before."""
    named = {row.id: key for row in rows if (key := _name_version(row))}
    parked = select(OutboxRow.key).where(OutboxRow.key.in_(named.values()), OutboxRow.retry_at > at)
    before = set((await connection.execute(parked)).scalars())
    return {id_ for id_, key in named.items() if is_refused.get(key, key in before)}


def _name_version(row: Row[Any]) -> str | None:
    """Return the key of the version that a status names."""
    try:
        return f"{row.key}:{msgspec.json.decode(row.value or b'', type=_Status).version}"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


async def _send(producer: Any, rows: _Rows) -> dict[int, str]:
    """Send records together, in order; return by id why Kafka refuses those that it refuses.

    Kafka refuses a batch as a whole: what was refused is tried again alone, to be refused for its own sake only.
    """
    answers = await asyncio.gather(*[await _begin(producer, row) for row in rows], return_exceptions=True)
    again = [row for row, answer in zip(rows, answers, strict=True) if _is_refused(answer)]
    return {row.id: refusal for row in again if (refusal := await _send_alone(producer, row))}


async def _begin(producer: Any, row: Row[Any]) -> "asyncio.Future[Any]":
    """Give a record to the producer; return what will hold the answer."""
    try:
        answer = await producer.send(DEFINITIONS, row.value, key=row.key.encode(), partition=0)
    except KafkaError as error:
        if not is_refusal(error):
            raise
        answer = asyncio.get_running_loop().create_future()
        answer.set_exception(error)
    answer.add_done_callback(_retrieve)
    return answer  # type: ignore[no-any-return]


def _retrieve(answer: "asyncio.Future[Any]") -> None:
    """Let asyncio not warn of an error that nobody waits for any more, after another's."""
    if not answer.cancelled():
        answer.exception()


def _is_refused(answer: object) -> bool:
    """Say whether Kafka refused it; raises what came of anything else."""
    if isinstance(answer, BaseException) and not is_refusal(answer):
        raise answer
    return isinstance(answer, BaseException)


async def _send_alone(producer: Any, row: Row[Any]) -> str | None:
    """Send a record by itself; return why Kafka refuses it, if it does."""
    answer = (await asyncio.gather(await _begin(producer, row), return_exceptions=True))[0]
    if not _is_refused(answer):
        return None
    size = len(row.value or b"")
    return f"Kafka refuses its version {read_key(row.key.encode()).version} of {size} bytes: {answer}."


async def _settle(connection: AsyncConnection, rows: _Rows, parked: Collection[int], retry_at: datetime) -> None:
    """Put records aside, or take out those that were sent; each with those that it is newer than."""
    aside, sent = _split(rows, lambda row: row.id in parked)
    same = (OutboxRow.key == _GIVEN.c.name, OutboxRow.id <= _GIVEN.c.id)
    await connection.execute(update(OutboxRow).where(*same).values(retry_at=retry_at), _name(aside))
    await connection.execute(delete(OutboxRow).where(*same), _name(sent))
    # Versions that were put aside before the one that is now in force: nobody ever entered them.
    older = (func.starts_with(OutboxRow.key, _GIVEN.c.name + ":"), OutboxRow.id < _GIVEN.c.id)
    forget = delete(OutboxRow).where(*older, OutboxRow.retry_at.is_not(None))
    await connection.execute(forget, _name([row for row in sent if _is_of_status(row)]))


def _name(rows: _Rows) -> dict[str, Any]:
    return {"names": [row.key for row in rows], "ids": [row.id for row in rows]}


async def _tell(connection: AsyncConnection, rows: _Rows, refused: Mapping[int, str]) -> None:
    """Log what was refused, and let each journey say what is wrong with it, or that nothing is any more."""
    problems: dict[UUID, str | None] = {}
    for row in rows:
        refusal = refused.get(row.id)
        if refusal and row.retry_at is None:
            PARKED.inc()
            _log.error("a definition can't be published and is put aside", key=row.key, reason=refusal)
        if _find_fault(row) is None and (refusal or _is_of_status(row)):
            problems[UUID(read_key(row.key.encode()).journey_id)] = refusal
    told = update(JourneyRow).where(
        JourneyRow.id == _TOLD.c.id, JourneyRow.problem.is_distinct_from(_TOLD.c.problem)
    )
    given = {"ids": list(problems), "problems": list(problems.values())}
    await connection.execute(told.values(problem=_TOLD.c.problem), given)


async def publish_now(engine: AsyncEngine, settings: Settings) -> None:
    """Send what waits in the outbox; raises KafkaError, or FairwayError where the topic is missing."""
    # Not idempotent, for then aiokafka would try for ever; it has one batch on its way at a time, so order holds.
    made = AIOKafkaProducer(
        **client_arguments(settings), acks="all", request_timeout_ms=_TIMEOUT_MS, max_batch_size=_BATCH_BYTES
    )
    async with producing(made) as producer:
        await check_writable(producer, DEFINITIONS)
        while await publish(engine, producer, now()) == _AT_ONCE:
            pass


async def publish_soon(engine: AsyncEngine, settings: Settings) -> FairwayError | None:
    """Send what waits in the outbox, or leave it to the next worker that can; return what was in the way."""
    try:
        await publish_now(engine, settings)
    except KafkaError as error:
        return await explain(settings, error)
    except FairwayError as error:
        return error
    return None


async def publish_for_ever(settings: Settings) -> None:
    """Send what waits as soon as it does; Postgres or Kafka may be away meanwhile."""
    empty = steady()  # when nothing waited
    AGE.set_function(lambda: steady() - empty)

    async def look(engine: AsyncEngine) -> None:
        nonlocal empty
        waiting, refused = await _count(engine, now())
        REFUSED.set(refused)
        if waiting:
            await publish_now(engine, settings)
        empty = steady()

    await poll_for_ever(settings.database_url, look, OUTBOX, "the outbox can't be sent for now")


async def _count(engine: AsyncEngine, at: datetime) -> tuple[int, int]:
    """Return how many records are to be sent now, and how many were put aside."""
    async with engine.connect() as connection:
        row = (await connection.execute(_COUNTS, {"at": at})).one()
        return row[0], row[1]
