"""A task whose surroundings changed: a topic no longer read, another changelog, the end of the worker."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from streams import cancellation
from streams.cancellation import end_tasks
from streams.engine.journeys import Journeys
from streams.errors import FairwayError
from streams.kafka.errors import MigratedError, UnreadError
from streams.kafka.fetch import Fetch, SeekResult
from streams.kafka.records import Commit
from streams.kafka.topics import COMMANDS
from streams.partition.processor import Processor
from streams.partition.task import PartitionTask
from streams.partition.transaction import POSITION
from streams.state.memory import MemoryMap
from streams.state.ordered_map import OrderedMap
from streams.state.store import Store
from tests.partition.model import START, Broker, ModelChangelog, ModelProducer, Source, decide, event

GONE, READ = "customer.unsubscribed", "customer.updated"


async def seek(topic: str, number: int, offset: int) -> SeekResult:
    if topic == GONE:
        raise UnreadError(f"'{topic}' is not read")
    return SeekResult(offset, 0)


def make_task(
    broker: Broker, open_map: Callable[[], OrderedMap] = MemoryMap, partitions: int = 1, **more: Any
) -> PartitionTask:
    journeys = Journeys()
    task = PartitionTask(
        Processor(0, partitions, decide), ModelProducer(broker), ModelChangelog(broker), open_map,
        lambda: journeys, timedelta(0), **more,
    )  # fmt: skip
    task.queue.assign(0, seek)
    return task


async def test_a_topic_that_is_not_read_keeps_its_position_until_it_is_read_again() -> None:
    broker = Broker()
    broker.commit(Commit({POSITION: msgspec.json.encode({GONE: 7, READ: 0})}, {}, {}))
    seconds = count()
    task = make_task(broker, clock=lambda: START + timedelta(seconds=next(seconds)))
    await task.open()
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 0))
    await task.step()
    await task.commit()
    assert broker.group == {READ: 1}
    assert msgspec.json.decode(broker.rows(99)[POSITION]) == {GONE: 7, READ: 1}
    task.take(Fetch(GONE, 0, 6, 8, [Source(number, event(number, "c-1")) for number in (6, 7)], 0, 0))
    await task.step()
    await task.commit()
    assert broker.group == {READ: 1, GONE: 8}
    sent = [msgspec.json.decode(record.value or b"")["commandId"] for record in broker.emitted[COMMANDS, 0]]
    assert sent == ["e-0", "e-7"]


async def test_a_partition_whose_state_was_made_with_another_number_of_partitions_is_refused() -> None:
    broker = Broker()

    async def open_one_of(partitions: int) -> PartitionTask:
        task = make_task(broker, partitions=partitions)
        await task.open()
        await task.commit()
        return task

    for _ in range(2):
        await (await open_one_of(4)).close(None)
    with pytest.raises(FairwayError) as refusal:
        await open_one_of(8)
    assert str(refusal.value) == (
        "The state of partition 0 was made when there were 4 partitions, and now there are 8: most customers' "
        "events would come to one that does not know them. Make the topics anew with the first number, "
        "or start afresh with another FAIRWAY_APP_ID."
    )


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
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 0))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([running])
    assert running.cancelled()


async def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancellation, "_AGAIN_SECONDS", 0.0)
    swallowed = []

    async def work() -> None:
        for _ in range(3):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(True)
        await asyncio.Event().wait()

    async def fail() -> None:
        raise MigratedError

    running, failed = asyncio.create_task(work()), asyncio.create_task(fail())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks(running, failed)
    assert (running.cancelled(), len(swallowed)) == (True, 3)
    assert isinstance(failed.exception(), MigratedError)  # whoever watches it tells
