"""A disk without room holds its partition up, and nothing else."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pytest

from streams.engine.journeys import Journeys
from streams.kafka.fetch import SeekResult
from streams.kafka.records import Commit
from streams.partition import task as module
from streams.partition.processor import Processor
from streams.partition.task import PartitionTask
from streams.state.errors import FullError
from streams.state.memory import MemoryMap
from streams.state.ordered_map import Change
from tests.partition.model import Broker, ModelChangelog, ModelProducer, decide


class SmallDisk(MemoryMap):
    """A map on a disk that is full until someone makes room."""

    is_full = True
    attempts = 0

    def write(self, changes: Iterable[Change]) -> None:
        self.attempts += 1
        if self.is_full:
            raise FullError("the disk is full")
        super().write(changes)


async def seek(topic: str, number: int, offset: int) -> SeekResult:
    return SeekResult(offset, 1)


async def test_a_partition_whose_disk_is_full_goes_on_once_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FULL_SECONDS", 0.01)
    broker, disk, journeys = Broker(), SmallDisk(), Journeys()
    broker.commit(Commit({b"pinehurst:c-1": b"{}"}, {}, {}))
    task = PartitionTask(
        Processor(0, 1, decide),
        ModelProducer(broker),
        ModelChangelog(broker),
        lambda: disk,
        lambda: journeys,
        timedelta(milliseconds=10),
    )
    task.queue.assign(0, seek)
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
