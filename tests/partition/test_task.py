"""A task goes through its stages in order, and opens its partition anew after whatever loses it."""

import asyncio
from collections.abc import Iterable

import pytest

from streams.kafka.errors import FencedError, MigratedError
from streams.kafka.fetch import Fetch
from streams.kafka.records import Commit
from streams.partition import task as module
from streams.partition.task import STAGES
from streams.state.errors import FullError
from streams.state.memory import MemoryMap
from streams.state.ordered_map import Change
from streams.state.store import Store
from tests.partition.model import Broker, Source, event, make_task


def test_every_stage_can_be_reached_from_the_first_and_only_the_last_has_none_after_it() -> None:
    first, reached = next(iter(STAGES)), set[str]()
    ahead = [first]
    while ahead:
        stage = ahead.pop()
        if stage not in reached:
            reached.add(stage)
            ahead += STAGES[stage]  # type: ignore[index]
    assert reached == STAGES.keys()
    assert [stage for stage, following in STAGES.items() if not following] == ["closed"]


async def test_a_task_does_not_leave_its_order() -> None:
    task = make_task(Broker())
    await task.close(None)
    with pytest.raises(AssertionError, match="from closed to fencing"):
        await task.open()


@pytest.mark.parametrize(
    ("error", "pauses"),
    [(MigratedError("gone"), [0.1, 0.5, 1.0, 2.0, 2.0]), (FencedError("another's"), [1.0] * 5)],
    ids=["lost", "fenced"],
)
async def test_a_partition_that_can_not_be_opened_is_tried_again_ever_less_often(
    error: MigratedError, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    task, paused, sleep = make_task(Broker()), list[float](), asyncio.sleep

    async def fence() -> None:
        raise error

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        await sleep(0)

    monkeypatch.setattr(task._producer, "fence", fence)
    monkeypatch.setattr(module.asyncio, "sleep", pause)
    running = asyncio.create_task(task.run())
    while len(paused) < 5:
        await sleep(0)
    assert (paused[:5], task.stage) == (pauses, "lost")
    assert task.counts.losses >= 5
    await task.close(running)


@pytest.mark.parametrize("name", ["topic 2 of cluster 1", "topic 1 of cluster 2"])
async def test_a_store_that_was_made_from_another_changelog_is_set_aside_and_restored(name: str) -> None:
    broker, other, disk = Broker(), Broker(), MemoryMap()
    other.name = name
    broker.commit(Commit({b"pinehurst:c-1": b"{}"}, {}, {}))
    other.commit(Commit({b"pinehurst:c-2": b"{}"}, {}, {}))
    for each, key in ((broker, b"pinehurst:c-1"), (other, b"pinehurst:c-2"), (broker, b"pinehurst:c-1")):
        task = make_task(each, lambda: disk)
        running = asyncio.create_task(task.run())
        async with asyncio.timeout(30):
            while task.stage != "running":
                await asyncio.sleep(0.01)
        assert Store(disk).scan(b":~", 9) == [(key, b"{}")]  # after the rows of its own
        await task.close(running)


@pytest.mark.parametrize("turns", range(6))
async def test_a_task_that_is_told_to_end_ends_whatever_comes_meanwhile(turns: int) -> None:
    task = make_task(Broker())
    running = asyncio.create_task(task.run())
    for _ in range(50):  # by then it rests
        await asyncio.sleep(0)
    task.take(Fetch("customer.updated", 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 0))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([running])
    assert running.cancelled()


class SmallDisk(MemoryMap):
    """A map on a disk that is full until someone makes room."""

    is_full = True
    attempts = 0

    def write(self, changes: Iterable[Change]) -> None:
        self.attempts += 1
        if self.is_full:
            raise FullError("the disk is full")
        super().write(changes)


async def test_a_partition_whose_disk_is_full_goes_on_once_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FULL_SECONDS", 0.01)
    broker, disk = Broker(), SmallDisk()
    broker.commit(Commit({b"pinehurst:c-1": b"{}"}, {}, {}))
    task = make_task(broker, lambda: disk)
    running = asyncio.create_task(task.run())
    async with asyncio.timeout(30):
        while disk.attempts < 3:
            await asyncio.sleep(0.01)
        assert task.stage != "running"
        disk.is_full = False
        while task.stage != "running":
            await asyncio.sleep(0.01)
    assert task.store is not None
    assert task.store.get(b"pinehurst:c-1") == b"{}"
    await task.close(running)
