"""A worker keeps the copies that the group tells it to, and a task that begins is handed the store of one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from models.customer import Customer, encode
from streams.kafka.changelog import Page
from streams.kafka.errors import MigratedError
from streams.partition.restore import Progress, restore
from streams.state.errors import CorruptedError, FullError
from streams.state.memory import MemoryMap
from streams.state.ordered_map import Change
from streams.state.store import Store
from streams.worker import standbys as module
from streams.worker.disk import Disk
from streams.worker.sharing import Share
from streams.worker.standbys import LAG, Standbys
from tests.partition.model import START, Broker, ModelChangelog, place


def row(number: int) -> bytes:
    waiting = place(str(number), START, START + timedelta(seconds=number))
    return encode(Customer("pinehurst", "c", enrollments={waiting.id: waiting}))


class Changelogs(ModelChangelog):
    """The changelogs of four partitions, in memory, which can be away."""

    def __init__(self) -> None:
        super().__init__(Broker())
        self.brokers = {number: Broker() for number in range(4)}
        self.is_away = False
        self.looks = 0

    def add(self, partition: int, *rows: tuple[bytes, bytes | None]) -> None:
        broker = self.brokers[partition]
        for key, value in rows:
            broker.changelog.append((broker.changelog_end, key, value))
            broker.changelog_end += 1

    def beside(self, partition: int) -> ModelChangelog:
        return ModelChangelog(self.brokers[partition])

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        self.looks += 1
        if self.is_away:
            raise MigratedError("its changelog can't be read")
        return {number: self.brokers[number].changelog_end for number in partitions}


class Map(MemoryMap):
    """A map that knows whether it is open, and what it was after each write; it fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = True
        self.error: Exception | None = None
        self.moments: list[dict[bytes, bytes]] = []

    def write(self, changes: Iterable[Change]) -> None:
        if self.error is not None:
            raise self.error
        super().write(changes)
        self.moments.append(dict(self._values))

    def close(self) -> None:
        self.is_open = False

    def set_aside(self, reason: str) -> None:
        self.close()
        super().set_aside(reason)


class Case:
    """Standbys of a group that says what it is told to say."""

    def __init__(self) -> None:
        self.changelogs = Changelogs()
        self.share = Share()
        self.rejoined = 0
        self.maps: list[Map] = []
        self.crashed: list[BaseException] = []
        self.standbys = Standbys(1, self.changelogs, self.open_map, self, self.watch, Disk(None))

    async def rejoin(self) -> None:
        self.rejoined += 1

    def open_map(self, _partition: int) -> Map:
        self.maps.append(Map())
        return self.maps[-1]

    def watch(self, task: "asyncio.Task[None]") -> None:
        task.add_done_callback(self._look_at_end)

    def _look_at_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crashed.append(error)

    async def follow(self, *copies: int, warming: Iterable[int] = ()) -> None:
        self.share = Share(copies=frozenset(copies), warming=frozenset(warming))
        await self.standbys.follow()

    async def until(self, is_so: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                await asyncio.sleep(0.001)

    async def look(self) -> None:
        """Return when all was looked at once more."""
        seen = self.changelogs.looks + 2
        await self.until(lambda: self.changelogs.looks >= seen)


@asynccontextmanager
async def a_case(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Case]:
    for name in ("_ROUND_SECONDS", "_AGAIN_SECONDS", "_REST"):
        monkeypatch.setattr(module, name, 0.0)
    case = Case()
    try:
        yield case
    finally:
        await case.standbys.close()
        assert not any(one.is_open for one in case.maps)
        assert not case.crashed
        assert not LAG._metrics


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    return partial(a_case, monkeypatch)


async def test_a_copy_follows_the_changelog_and_its_open_store_is_handed_to_the_task(case: Any) -> None:
    async with case() as it:
        it.changelogs.add(1, *((b"a:%d" % number, row(number)) for number in range(8)))
        await it.follow(1, 2)
        await it.until(lambda: it.standbys.fresh == {1, 2})
        it.changelogs.add(1, (b"a:0", None), (b"a:9", row(9)))
        await it.until(lambda: any(one.get(b"ra:9") for one in it.maps))
        assert it.standbys.introduce() == {"fresh": [1, 2], "copying": [1, 2], "opening": [], "disk": ""}
        assert it.standbys.take(1) is None
        await it.standbys.release({0, 1})
        await it.follow(2)
        store = it.standbys.take(1)
        assert store is not None
        assert (store.offset, len(store.scan(b"", 99)), store.get(b"a:0")) == (10, 8, None)
        assert [one.is_open for one in it.maps] == [True, True]
        assert it.standbys.take(1) is None
        progress = Progress()
        await restore(store, it.changelogs.beside(1), progress, 1)
        assert progress.rows == 0
        store.close()


async def test_a_copy_that_the_group_wants_no_more_is_closed(case: Any) -> None:
    async with case() as it:
        await it.follow(1, 2)
        await it.until(lambda: it.standbys.fresh == {1, 2})
        await it.follow(2)
        assert sorted(one.is_open for one in it.maps) == [False, True]
        assert it.standbys.fresh == {2}


async def test_a_worker_without_copies_looks_at_nothing_until_it_is_to_keep_some(case: Any) -> None:
    async with case() as it:
        with capture_logs() as logs:
            await it.follow(1, warming={1})
        assert [line["event"] for line in logs] == ["The worker copies partitions [1] before it gets them."]
        assert it.standbys.warming == {1}
        await it.until(lambda: it.standbys.fresh)
        await it.standbys.release({1})
        await it.follow()
        assert not it.standbys.warming
        await it.until(it.standbys._following.done)
        await it.follow(2)
        await it.until(lambda: it.standbys.fresh == {2})


async def test_a_store_that_is_handed_over_and_not_taken_is_closed_at_the_end(case: Any) -> None:
    async with case() as it:
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        await it.standbys.release({1})
        assert it.maps[0].is_open


async def test_the_group_is_asked_once_for_what_has_warmed_up(case: Any) -> None:
    async with case() as it:
        it.standbys.introduce()
        await it.follow(1, 2, 3, warming={1, 3})
        await it.until(lambda: it.rejoined)
        assert {1, 3} <= it.standbys.fresh
        assert {1, 3} <= set(it.standbys.introduce()["fresh"])
        asked = it.rejoined
        await it.look()
        assert it.rejoined == asked


async def test_the_group_is_not_asked_where_nothing_has_to_warm_up(case: Any) -> None:
    async with case() as it:
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        await it.look()
        assert it.rejoined == 0


async def test_a_broker_that_is_away_is_tried_again_and_the_copies_go_on(case: Any) -> None:
    async with case() as it:
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        with capture_logs() as logs:
            it.changelogs.is_away = True
            await it.look()
            it.changelogs.add(1, (b"a:1", row(1)))
            it.changelogs.is_away = False
            await it.until(lambda: it.maps[0].get(b"ra:1"))
        assert logs[0]["event"].startswith(
            "The copies of other workers' partitions wait: its changelog can't be read"
        )
        assert len(it.maps) == 1


@pytest.mark.parametrize("error", [CorruptedError("a block is bad"), FullError("no room")])
async def test_a_store_that_can_t_be_used_is_opened_anew(case: Any, error: Exception) -> None:
    async with case() as it:
        it.changelogs.add(1, (b"a:0", row(0)))
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        it.maps[0].error = error
        it.changelogs.add(1, (b"a:1", row(1)))
        await it.until(lambda: len(it.maps) == 2 and it.maps[1].get(b"ra:1"))
        assert not it.maps[0].is_open
        assert bool(it.maps[0].items(b"", b"\xff", 1)) == isinstance(error, FullError)
        assert it.maps[1].get(b"ra:0") == row(0)


async def test_a_store_of_another_changelog_is_set_aside(case: Any) -> None:
    async with case() as it:
        it.changelogs.add(1, (b"a:0", row(0)), (b"a:1", row(1)))
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        it.changelogs.brokers[1] = Broker()
        it.changelogs.add(1, (b"a:2", row(2)))
        await it.until(lambda: len(it.maps) == 2 and it.maps[1].get(b"ra:2"))
        assert it.maps[1].get(b"ra:0") is None


async def test_a_store_that_was_not_up_to_date_for_12_hours_is_opened_anew_which_looks_at_its_age(
    case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with case() as it:
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        it.changelogs.is_away = True
        await it.look()
        later = module.now() + timedelta(hours=13)
        monkeypatch.setattr(module, "now", lambda: later)
        it.changelogs.is_away = False
        await it.until(lambda: len(it.maps) == 2 and it.standbys.fresh)
        assert [one.is_open for one in it.maps] == [False, True]


class Stalling(ModelChangelog):
    """A changelog of whose broker nothing comes any more in the midst of reading."""

    async def read(self, offset: int) -> AsyncGenerator[Page, None]:
        while True:
            yield Page((), offset, offset + 5)


async def test_a_store_that_stops_in_the_midst_of_reading_does_not_look_younger_than_it_is(
    case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with case() as it:
        monkeypatch.setattr(it.changelogs, "beside", lambda number: Stalling(it.changelogs.brokers[number]))
        await it.follow(1)
        await it.until(lambda: LAG._metrics)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(it.maps[0].moments) == 2, "the claim and the first page"
        later = module.now() + timedelta(hours=13)
        monkeypatch.setattr(module, "now", lambda: later)
        await it.until(lambda: len(it.maps) == 2)
        assert not it.maps[0].is_open


async def test_a_store_without_news_notes_now_and_then_that_there_was_none(
    case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with case() as it:
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        await it.look()
        noted = len(it.maps[0].moments)
        await it.look()
        assert len(it.maps[0].moments) == noted
        later = module.now() + timedelta(seconds=61)
        monkeypatch.setattr(module, "now", lambda: later)
        await it.until(lambda: len(it.maps[0].moments) > noted)


async def test_a_store_is_whole_at_whichever_moment_the_worker_is_killed(case: Any) -> None:
    async with case() as it:
        rows = [(b"a:%d" % (number % 5), row(number) if number % 7 else None) for number in range(20)]
        it.changelogs.add(1, *rows[:11])
        await it.follow(1)
        await it.until(lambda: it.standbys.fresh)
        it.changelogs.add(1, *rows[11:])
        await it.until(lambda: it.maps[0].get(b"o") == b"20")
        whole = dict(it.maps[0]._values)
        assert len(it.maps[0].moments) > 7
        for moment in it.maps[0].moments:
            left = MemoryMap()
            left.write(moment.items())
            store, progress = Store(left), Progress()
            done = store.offset
            store.claim(await it.changelogs.identity())
            await restore(store, it.changelogs.beside(1), progress, 1)
            assert (dict(left._values), progress.rows) == (whole, 20 - done)
