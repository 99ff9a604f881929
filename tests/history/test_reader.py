"""The reader of activity: starts where Postgres says, follows a rebuild, goes on when the topic was made anew."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.history import projector as projecting
from streams.history.projector import Projector
from streams.history.reader import HistoryReader
from streams.kafka.fetch import Fetch, SeekResult
from streams.kafka.topics import ACTIVITY
from tests.history.activity import START, record

pytestmark = pytest.mark.database


class Topic:
    """One partition and its consumer: feeds a reader from where it was told to seek."""

    def __init__(self, reader: HistoryReader, start: int, end: int) -> None:
        self.reader = reader
        self.start, self.end = start, end
        self.place = start
        self.seeks = 0

    async def seek(self, topic: str, partition: int, offset: int) -> SeekResult:
        self.place = offset if self.start <= offset <= self.end else self.start
        self.seeks += 1
        return SeekResult(self.place, self.seeks)

    async def feed_until(self, projector: Projector, position: int) -> None:
        """Feed until Postgres has the position, which a reader that waits for its answer has not heard yet."""
        async with asyncio.timeout(30):
            while await projector.position(0) != position:
                if self.reader.wants(ACTIVITY, 0) and self.place < self.end:
                    self._feed()
                await asyncio.sleep(0)

    def _feed(self) -> None:
        end = min(self.place + 7, self.end)
        records: list[Any] = [record(offset=offset, customer=f"c-{offset}") for offset in range(self.place, end)]
        self.reader.take(Fetch(ACTIVITY, 0, self.place, end, records, 1, self.seeks))
        self.place = end


class Away:
    """A projector whose Postgres does not answer."""

    async def position(self, partition: int) -> int:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


class Failing(Away):
    """The same, and it fails once in removing what is old."""

    def __init__(self) -> None:
        self.looks = 0
        self.pruned = 0

    async def positions(self) -> dict[int, int]:
        self.looks += 1
        return {}

    async def prune(self, before: datetime) -> None:
        self.pruned += 1
        if self.pruned == 1:
            raise TypeError("an error of ours")


@pytest.fixture
async def projector(engine: AsyncEngine, database_url: str) -> AsyncIterator[Projector]:
    projector = Projector.connect(database_url)
    yield projector
    await projector.close()


@pytest.fixture
async def reader(projector: Projector) -> AsyncIterator[HistoryReader]:
    reader = HistoryReader(projector, lambda: START)
    yield reader
    await reader.close()


async def offsets(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(text('SELECT "offset" FROM activity ORDER BY 1'))).scalars())


async def until_nothing_waits(reader: HistoryReader) -> None:
    """What is being written waits until its commit was answered: others see it in Postgres before."""
    async with asyncio.timeout(30):
        while reader.lag():
            await asyncio.sleep(0.01)


async def test_each_owner_goes_on_where_the_last_one_stopped(
    engine: AsyncEngine, projector: Projector, reader: HistoryReader
) -> None:
    topic = Topic(reader, 0, 20)
    await reader.assign([0], 1, topic.seek)
    await topic.feed_until(projector, 20)
    await reader.assign([], 2, topic.seek)
    assert not reader.wants(ACTIVITY, 0)
    topic.end = 30
    await reader.assign([0], 2, topic.seek)
    await topic.feed_until(projector, 30)
    await reader.assign([0], 3, topic.seek)  # it stays, and goes on
    topic.end = 40
    await topic.feed_until(projector, 40)
    assert topic.seeks == 2
    assert await offsets(engine) == list(range(40))
    await until_nothing_waits(reader)


async def test_while_postgres_does_not_say_where_to_go_on_the_lag_grows() -> None:
    moment = START
    reader = HistoryReader(Away(), lambda: moment)  # type: ignore[arg-type]
    topic = Topic(reader, 0, 20)
    await reader.assign([0], 1, topic.seek)
    await asyncio.sleep(0)
    moment += timedelta(minutes=5)
    assert (reader.lag(), topic.seeks) == (300, 0)
    await reader.assign([], 2, topic.seek)
    assert reader.lag() == 0


async def test_the_history_is_looked_at_again_after_an_error_of_ours() -> None:
    moment = START
    failing = Failing()
    reader = HistoryReader(failing, lambda: moment, days=1, look_every=0.01)  # type: ignore[arg-type]
    topic = Topic(reader, 0, 20)
    await reader.assign([0], 1, topic.seek)
    async with asyncio.timeout(30):
        while not failing.looks:
            await asyncio.sleep(0.01)
        moment += timedelta(hours=1)
        while failing.pruned < 2:
            await asyncio.sleep(0.01)
    await reader.assign([], 2, topic.seek)


async def test_a_rebuild_is_followed_while_records_come(
    engine: AsyncEngine, projector: Projector, reader: HistoryReader
) -> None:
    topic = Topic(reader, 0, 20)
    await reader.assign([0], 1, topic.seek)
    await topic.feed_until(projector, 20)
    await projector.rebuild()
    assert await offsets(engine) == []
    topic.end = 30
    await topic.feed_until(projector, 30)
    assert await offsets(engine) == list(range(30))


async def test_a_database_that_was_emptied_or_restored_is_noticed_while_nothing_comes(
    engine: AsyncEngine, projector: Projector
) -> None:
    reader = HistoryReader(projector, lambda: START, look_every=0.01)
    topic = Topic(reader, 0, 20)
    await reader.assign([0], 1, topic.seek)
    await topic.feed_until(projector, 20)
    await projector.rebuild()
    await topic.feed_until(projector, 20)
    assert await offsets(engine) == list(range(20))
    await reader.assign([], 2, topic.seek)


@pytest.mark.parametrize(("start", "end"), [(0, 10), (50, 60)], ids=["made anew", "shortened by retention"])
async def test_a_position_that_the_topic_does_not_hold_gives_way_to_what_it_holds(
    engine: AsyncEngine, projector: Projector, reader: HistoryReader, start: int, end: int
) -> None:
    await projector.rewind(0, 20)
    topic = Topic(reader, start, end)
    await reader.assign([0], 1, topic.seek)
    await topic.feed_until(projector, end)
    assert await offsets(engine) == list(range(start, end))


async def test_partitions_that_stand_still_are_looked_at_by_one_statement_for_all(
    engine: AsyncEngine, projector: Projector
) -> None:
    statements: list[str] = []
    event.listen(
        projector.engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2].split()[0])
    )
    reader = HistoryReader(projector, lambda: START, look_every=0.01)
    topics = [Topic(reader, 0, 0) for _ in range(8)]
    await reader.assign(range(8), 1, topics[0].seek)
    async with asyncio.timeout(30):
        while topics[0].seeks < 8:
            await asyncio.sleep(0)
        statements.clear()
        while len(statements) < 3:
            await asyncio.sleep(0)
    assert statements == 3 * ["SELECT"]
    await reader.assign([], 2, topics[0].seek)


async def test_while_postgres_is_away_one_partition_asks_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(projecting, "_LONGEST_PAUSE", 0.001)
    projector = Projector.connect("postgresql://nobody@127.0.0.1:1/none")
    asking, asked, is_away = 0, list[int](), True

    async def ask() -> int:
        nonlocal asking
        asking += 1
        asked.append(asking)
        await asyncio.sleep(0)
        asking -= 1
        if is_away:
            raise OSError("no Postgres")
        return 7

    waiting = [asyncio.create_task(projector._persist(ask)) for _ in range(8)]
    async with asyncio.timeout(30):
        while len(asked) < 20:
            await asyncio.sleep(0)
        is_away = False
        assert await asyncio.gather(*waiting) == 8 * [7]
    assert max(asked[8:]) == 1
    await projector.close()
