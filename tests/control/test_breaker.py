"""The breaker (R68): pauses a journey of whose enrolments more fail than may, once, and no other."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from models.journey import Journey, JourneyStatus
from models.rates import Rate
from models.rows import AuditRow, FailureCountRow, JourneyRow, OutboxRow
from streams.control.breaker import trip, watch_for_ever
from streams.database import create_engine, upgrade
from streams.engine.transitions import Move
from streams.history.projector import Projector
from streams.journeys.authoring import Author, apply, move
from streams.kafka.topics import ACTIVITY
from streams.settings import Settings
from tests import client
from tests.broker import workers
from tests.history.activity import Message, record

LIMIT = Rate(3, "minute")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MORNING = Author("ann", NOON - timedelta(hours=2))
SECOND = timedelta(seconds=1)
WHY = "The breaker paused it: 4 enrolments failed within one minute, and FAIRWAY_MAX_FAILURES allows 3."
WITHOUT_DATE = {"duration": None, "until": {"field": "trigger.teeTime"}}


def journey(name: str = "Welcome", tenant: str = "pinehurst", **config: Any) -> Journey:
    steps = [{"type": "TRIGGER"}, {"type": "WAIT", "config": {"duration": "1 day"} | config}, {"type": "END"}]
    given = {"tenantId": tenant, "name": name, "triggerType": "teetime.booked", "allowReentry": True}
    return Journey.model_validate(given | {"steps": steps, "status": "ACTIVE"})


class Stage:
    """Journeys in Postgres, and what history is told of them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.projector = Projector(engine, counts_failures=True)
        self.messages: list[Message] = []

    async def make(self, *journeys: Journey) -> list[str]:
        async with self.engine.begin() as connection:
            return [(await apply(connection, one, MORNING)).id for one in journeys]

    async def fail(self, journey_id: str, number: int, at: datetime) -> None:
        """Let so many enrolments fail, written at a moment."""
        start = len(self.messages)
        for offset in range(start, start + number):
            failed = {
                "type": "enrollment.failed", "journeyId": journey_id, "journeyVersion": 1, "stepId": "step-2",
                "enrollmentId": f"00000000-0000-0000-0000-{offset:012}", "at": MORNING.now, "error": "It broke.",
                "exitReason": "error",
            }  # fmt: skip
            message = record(failed, offset=offset, customer=f"c-{offset}")
            self.messages.append(message._replace(timestamp=round(at.timestamp() * 1000)))
        await self.project(start)

    async def project(self, start: int = 0) -> None:
        await self.projector.project(0, self.messages[start:], start, len(self.messages))

    async def move(self, journey_id: str, by: Move, at: datetime) -> None:
        async with self.engine.begin() as connection:
            await move(connection, "pinehurst", journey_id, by, Author("ann", at))

    async def statuses(self) -> dict[str, tuple[str, str | None]]:
        query = select(JourneyRow.id, JourneyRow.status, JourneyRow.paused_because)
        async with self.engine.connect() as connection:
            return {row.id: (row.status, row.paused_because) for row in await connection.execute(query)}

    async def scalar(self, query: Any) -> Any:
        async with self.engine.connect() as connection:
            return (await connection.execute(query)).scalar()


@pytest.fixture
def stage(engine: AsyncEngine) -> Stage:
    return Stage(engine)


def trips() -> float:
    return REGISTRY.get_sample_value("fairway_breaker_trips_total") or 0.0


@pytest.mark.database
async def test_R68_a_journey_with_too_many_failures_is_paused_and_says_so_and_no_other_is(stage: Stage) -> None:
    bad, other, elsewhere = await stage.make(journey(), journey("Other"), journey(tenant="augusta"))
    before, announced = trips(), await stage.scalar(select(func.max(OutboxRow.id)))
    await stage.fail(bad, 4, NOON)
    await stage.fail(other, 3, NOON)
    with capture_logs() as logs:
        assert await trip(stage.engine, LIMIT, NOON + SECOND) == [bad]
    active = (JourneyStatus.ACTIVE, None)
    assert await stage.statuses() == {bad: ("PAUSED", WHY), other: active, elsewhere: active}
    audit = select(AuditRow.after).where(AuditRow.actor == "breaker", AuditRow.subject == f"journey {bad}")
    assert await stage.scalar(audit) == {"status": "PAUSED", "because": WHY}
    keys = select(func.string_agg(OutboxRow.key, " ")).where(OutboxRow.id > announced)
    assert await stage.scalar(keys) == f"pinehurst:{bad}"
    assert trips() == before + 1
    assert [(log["journey"], log["why"]) for log in logs] == [("Welcome", WHY)]


@pytest.mark.database
async def test_R68_failures_that_come_slowly_are_none_of_its_business(stage: Stage) -> None:
    (id_,) = await stage.make(journey())
    for number in range(12):
        at = NOON + 25 * number * SECOND
        await stage.fail(id_, 1, at)
        assert await trip(stage.engine, LIMIT, at) == []
    kept = await stage.scalar(select(func.count()).select_from(FailureCountRow))
    assert kept == 3, "what is older than the window goes"


@pytest.mark.database
async def test_R68_a_journey_that_was_resumed_is_not_paused_for_what_had_failed_before(stage: Stage) -> None:
    (id_,) = await stage.make(journey())
    await stage.fail(id_, 9, NOON)
    assert await trip(stage.engine, LIMIT, NOON + SECOND) == [id_]
    await stage.fail(id_, 9, NOON + 2 * SECOND)  # until the workers knew
    assert await trip(stage.engine, LIMIT, NOON + 3 * SECOND) == []
    await stage.move(id_, "activate", NOON + 4 * SECOND)
    assert await stage.statuses() == {id_: ("ACTIVE", None)}
    assert await trip(stage.engine, LIMIT, NOON + 5 * SECOND) == []
    await stage.fail(id_, 4, NOON + 6 * SECOND)
    assert await trip(stage.engine, LIMIT, NOON + 7 * SECOND) == [id_]


@pytest.mark.database
async def test_R68_of_all_workers_that_look_one_pauses(stage: Stage) -> None:
    (id_,) = await stage.make(journey())
    await stage.fail(id_, 4, NOON)
    found = await asyncio.gather(*(trip(stage.engine, LIMIT, NOON + SECOND) for _ in range(5)))
    assert sorted(found) == [[], [], [], [], [id_]]
    paused = select(func.count()).where(AuditRow.actor == "breaker")
    assert await stage.scalar(paused) == 1


@pytest.mark.database
async def test_R68_only_a_journey_that_is_ACTIVE_is_paused(stage: Stage) -> None:
    (id_,) = await stage.make(journey())
    await stage.fail(id_, 9, NOON)
    await stage.move(id_, "archive", NOON)
    assert await trip(stage.engine, LIMIT, NOON + SECOND) == []


@pytest.mark.database
async def test_R68_what_is_projected_once_more_counts_once(stage: Stage) -> None:
    (id_,) = await stage.make(journey())
    await stage.fail(id_, 3, NOON)
    await stage.project()
    await stage.projector.rebuild()
    await stage.project()
    assert await trip(stage.engine, LIMIT, NOON + SECOND) == []
    await stage.fail(id_, 1, NOON)
    assert await trip(stage.engine, LIMIT, NOON + SECOND) == [id_]


async def test_R68_without_the_setting_nobody_looks() -> None:
    await watch_for_ever(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))


@pytest.mark.broker
@pytest.mark.database
def test_R68_workers_pause_a_journey_that_fails_and_go_on_when_it_is_resumed(
    settings: Settings, database_url: str
) -> None:
    bad, good = journey("Bad", **WITHOUT_DATE), journey("Good")

    async def do(action: str) -> dict[str, str]:
        engine = create_engine(database_url)
        if action == "make":
            await upgrade(engine)
        async with engine.begin() as connection:
            for one in (bad, good) if action == "make" else ():
                await apply(connection, one, Author("ann", datetime.now(UTC)))
            if action == "activate":
                await move(connection, "pinehurst", bad.id, "activate", Author("ann", datetime.now(UTC)))
            rows = await connection.execute(select(JourneyRow.name, JourneyRow.status))
            found = {row.name: row.status for row in rows}
        await engine.dispose()
        return found

    def told() -> list[str]:
        records = client.read_committed(settings.brokers, ACTIVITY)
        return [str(record.value) for record in records]

    numbers = count()

    def book() -> None:  # again and again: workers hear of a journey, and of its pause, within a second or two
        client.produce(settings.brokers, [workers.event(n := next(numbers), f"c-{n}") for _ in range(3)])

    def is_paused() -> bool:
        book()
        return asyncio.run(do("look"))["Bad"] == "PAUSED"

    def is_refused() -> bool:
        book()
        return any('"reason":"paused"' in text for text in told())

    asyncio.run(do("make"))
    with workers.running(settings, FAIRWAY_DATABASE_URL=database_url, FAIRWAY_MAX_FAILURES="2/hour"):
        client.wait_until(is_paused, 2 * client.PATIENCE)
        client.wait_until(is_refused)
        assert asyncio.run(do("activate")) == {"Bad": "ACTIVE", "Good": "ACTIVE"}
