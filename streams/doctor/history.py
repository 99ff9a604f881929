"""Checks of Postgres: reached, its tables up to date, its clock, and what waits or was put aside in it."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.rows import EnrollmentRow, JourneyRow, ParkedRow
from streams.clock import now
from streams.database import create_engine, find_revisions, reach
from streams.doctor.finding import Findings, name_some
from streams.errors import FairwayError
from streams.health.wording import count_of
from streams.settings import Settings
from streams.web.queries.outbox import count_unsent

_OLDEST = 14  # of Postgres
_APART, _FAR_APART = timedelta(seconds=1), timedelta(seconds=30)
_LATE = timedelta(minutes=1)


async def check_postgres(findings: Findings, settings: Settings) -> None:
    """Note whether Postgres can be used, and what stands still in it."""
    try:
        async with reach(create_engine(settings.database_url)) as engine:
            if await _check_schema(findings, engine):
                async with engine.connect() as connection:
                    await _check_clock(findings, connection)
                    await _check_waits(findings, connection)
                    await _check_outbox(findings, connection)
                    await _check_parked(findings, connection)
                    await _check_breaker(findings, connection)
    except FairwayError as error:
        findings.fail(
            "postgres", str(error), "Journeys run on without it; pages, authoring and history wait for it."
        )


async def _check_schema(findings: Findings, engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        version = str((await connection.execute(text("SHOW server_version"))).scalar_one())
    if int(version.split(".")[0]) < _OLDEST:
        findings.fail("postgres", f"Postgres {version} answers; Fairway needs {_OLDEST}.", "Upgrade it.")
    else:
        findings.ok("postgres", f"Postgres {version} answers.")
    found, newest = await find_revisions(engine)
    if found != newest:
        text_ = f"The tables are at {found or 'nothing'}, this Fairway's are at {newest}."
        findings.fail("tables", text_, "Run 'fairway db upgrade', or use the Fairway that the tables are of.")
    else:
        findings.ok("tables", f"The tables are up to date ({newest}).")
    return bool(found == newest)


async def _check_clock(findings: Findings, connection: AsyncConnection) -> None:
    before = now()
    theirs: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    after = now()
    asking = (after - before) / 2  # by so much the answer may be late
    apart = max(timedelta(), abs(theirs - (before + asking)) - asking)
    seconds = f"The clock here and that of Postgres' machine are {apart.total_seconds():.1f} seconds apart."
    if apart > _FAR_APART:
        findings.fail(
            "clock", seconds, "Let both machines set their clocks by NTP: waits fire by the worker's clock."
        )
    elif apart > _APART:
        findings.warn("clock", seconds, "Let both machines set their clocks by NTP.")
    else:
        findings.ok("clock", seconds)


async def _check_waits(findings: Findings, connection: AsyncConnection) -> None:
    row = EnrollmentRow
    late = (
        select(func.count())
        .select_from(row)
        .join(JourneyRow, JourneyRow.id == row.journey_id)
        .where(row.waiting_until < now() - _LATE, row.status == "ACTIVE", JourneyRow.status == "ACTIVE")
    )
    count = int((await connection.execute(late)).scalar_one())
    if count:
        text_ = f"{count_of(count, 'wait')} of ACTIVE journeys overdue by more than a minute."
        findings.fail(
            "waits", text_, "See that every partition has a worker; 'fairway waits list --overdue' names them."
        )
    else:
        findings.ok("waits", "No wait is overdue.")


async def _check_outbox(findings: Findings, connection: AsyncConnection) -> None:
    count = await count_unsent(connection, now() - _LATE)
    refused = select(JourneyRow.name).where(JourneyRow.problem.is_not(None), JourneyRow.deleted_at.is_(None))
    names = list((await connection.execute(refused.order_by(JourneyRow.name))).scalars())
    if count:
        text_ = f"{count_of(count, 'change')} of journeys not sent to the workers for more than a minute."
        findings.fail("outbox", text_, "Start a worker that reaches both Kafka and Postgres.")
    if names:
        text_ = f"Kafka refuses {count_of(len(names), 'journey')}: {name_some(names)}."
        findings.fail("outbox", text_, "'fairway journeys list' says why for each.")
    if not count and not names:
        findings.ok("outbox", "Every change of a journey has reached the workers.")


async def _check_parked(findings: Findings, connection: AsyncConnection) -> None:
    count = int((await connection.execute(select(func.count()).select_from(ParkedRow))).scalar_one())
    if count:
        todo = "'fairway history list' says why; 'fairway history unpark' tries them again."
        findings.warn(
            "parked", f"{count_of(count, 'activity record')} put aside, for Postgres would not take them.", todo
        )
    else:
        findings.ok("parked", "No activity record was put aside.")


async def _check_breaker(findings: Findings, connection: AsyncConnection) -> None:
    paused = select(JourneyRow.name).where(JourneyRow.status == "PAUSED", JourneyRow.paused_because.is_not(None))
    names = list((await connection.execute(paused.order_by(JourneyRow.name))).scalars())
    if names:
        todo = "See on its page what failed, mend it, then 'fairway journeys activate'."
        findings.warn("breaker", f"The breaker paused {count_of(len(names), 'journey')}: {name_some(names)}.", todo)
    else:
        findings.ok("breaker", "The breaker has paused no journey.")
