"""What looks for ever: when it is called, now and then where nobody calls, and later where something is away."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from structlog.testing import capture_logs

from streams import polling
from streams.cancellation import end_tasks
from streams.errors import FairwayError

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


_KILL_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()"
)


class DoneError(Exception):
    """What nobody expects ends the polling."""


async def poll(*outcomes: Exception | None) -> list[tuple[str, float]]:
    ahead = list(outcomes)

    async def look(_: AsyncEngine) -> None:
        if not ahead:
            raise DoneError
        outcome = ahead.pop(0)
        if outcome is not None:
            raise outcome

    with capture_logs() as logs, pytest.raises(DoneError):
        await polling.poll_for_ever(NOWHERE, look, "words", "away")
    return [(log["error"], log["pause"]) for log in logs]


async def test_where_something_is_away_it_looks_less_and_less_often_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(polling, "_QUIET", 0)
    away = [
        KafkaConnectionError("no broker"),
        OSError("no Postgres\nand more"),
        FairwayError("no topic"),
        *[TimeoutError("?")] * 3,
    ]
    told = await poll(None, *away, None, OSError("again"))
    assert [pause for _, pause in told] == [2, 4, 8, 16, 30, 30, 2]
    assert [error for error, _ in told[:2]] == ["KafkaConnectionError: no broker", "no Postgres"]
    assert slept == [1, 2, 4, 8, 16, 30, 30, 1, 2]


class Looks:
    """Counts looks, which connect to Postgres as all do."""

    def __init__(self) -> None:
        self.number = 0
        self.changed = asyncio.Event()

    async def look(self, engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        self.number += 1
        self.changed.set()

    async def reach(self, number: int) -> None:
        while self.number < number:
            self.changed.clear()
            await self.changed.wait()


@pytest.mark.database
async def test_a_call_is_heard_when_it_is_committed_also_after_the_connection_broke(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "_PAUSE", 0)
    monkeypatch.setattr(polling, "_QUIET", 3600)
    looks = Looks()
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    polls = asyncio.create_task(polling.poll_for_ever(database_url, looks.look, "words", "away"))
    try:
        async with asyncio.timeout(30):
            await looks.reach(1)
            async with engine.begin() as caller:
                await polling.call(caller, "other words")
                await polling.call(caller, "words")
            await looks.reach(2)
            async with engine.begin() as killer:
                await killer.execute(_KILL_OTHERS)
            await looks.reach(3)
            async with engine.begin() as caller:
                await polling.call(caller, "words")
            await looks.reach(4)
        assert looks.number == 4
    finally:
        await end_tasks(polls)
        await engine.dispose()
