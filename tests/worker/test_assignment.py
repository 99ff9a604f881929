"""A worker has a task for each of its partitions, keeps those that come back, and closes those that go."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any, cast

import pytest

from streams.kafka.fetch import Fetch
from streams.partition.task import PartitionTask
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.worker.assignment import Assignment
from tests.partition.model import Broker, Source, event, make_task, seek
from tests.worker.copies import NoCopies

TOPIC = "customer.updated"


class Case:
    """An assignment whose tasks stand at brokers of their own, in memory."""

    def __init__(self, wrong: Exception | None = None, *, has_copy: bool = False) -> None:
        self.crashed: list[BaseException] = []
        self.made: list[int] = []
        self.wrong = wrong
        self.standbys = Standbys(self, has_copy=has_copy)
        self.assignment = Assignment((TOPIC,), 4, self.make, self.crashed.append, cast("Any", self.standbys))

    def make(self, partition: int) -> PartitionTask:
        self.made.append(partition)
        task = make_task(Broker())
        task.partition = partition
        if self.wrong is not None:
            task.open = self.fail  # type: ignore[method-assign]
        return task

    async def fail(self) -> None:  # type: ignore[misc]
        assert self.wrong is not None
        raise self.wrong


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.001)


async def test_a_partition_that_stays_keeps_its_task_and_one_that_goes_is_closed() -> None:
    case = Case()
    assert not case.assignment.is_open
    await case.assignment.assign([0, 1], 1, seek)
    await until(lambda: case.assignment.is_open)
    first, second = case.assignment
    await case.assignment.assign([1, 2], 2, seek)
    assert (case.made, first.stage, first.store) == ([0, 1, 2], "closed", None)
    assert case.assignment.tasks[1] is second
    await case.assignment.close()
    assert not case.assignment.tasks


async def test_fetches_go_to_their_partition_s_task_and_what_is_done_is_committed_at_the_end() -> None:
    case = Case()
    await case.assignment.assign([1], 1, seek)
    await until(lambda: case.assignment.is_open)
    assert case.assignment.wants(TOPIC, 1)
    assert not case.assignment.wants(TOPIC, 0)
    for partition in (0, 1):
        case.assignment.take(Fetch(TOPIC, partition, 0, 1, [Source(0, event(0, "a"))], 1, 0))
    (task,) = case.assignment
    await until(lambda: not task.queue)
    await case.assignment.finish()
    assert task.counts.commits >= 1
    assert task.stage == "running"
    await case.assignment.assign([0, 1], 2, seek)
    assert list(case.assignment) == [task]
    await case.assignment.close()
    assert task.stage == "closed"


class Standbys(NoCopies):
    """Notes in which order it is asked, and may have the open store of partition 1."""

    def __init__(self, case: "Case", *, has_copy: bool = False) -> None:
        self.case = case
        self.told: list[Any] = []
        self.store = Store(MemoryMap()) if has_copy else None

    async def release(self, own: Collection[int]) -> None:
        self.told.append(("release", sorted(own), len(self.case.assignment.tasks)))

    def take(self, partition: int) -> Store | None:
        return self.store if partition == 1 else None

    async def follow(self) -> None:
        self.told.append(("follow", sorted(self.case.assignment.tasks)))

    async def finish(self) -> None:
        self.told.append("finish")

    async def close(self) -> None:
        self.told.append("close")


async def test_a_task_begins_with_the_store_of_the_copy_and_copies_are_kept_of_what_others_have_by_then() -> None:
    case = Case(has_copy=True)
    standbys = case.standbys
    await case.assignment.assign([0, 1], 1, seek)
    assert standbys.find_opening() == [0]
    await until(lambda: case.assignment.is_open)
    assert standbys.find_opening() == []
    assert case.assignment.tasks[1].store is standbys.store
    assert case.assignment.tasks[0].store is not standbys.store
    await case.assignment.assign([1], 2, seek)
    await case.assignment.finish()
    await case.assignment.close()
    assert standbys.told == [
        ("release", [0, 1], 0), ("follow", [0, 1]), ("release", [1], 2), ("follow", [1]), "finish", "close",
    ]  # fmt: skip


async def test_a_worker_without_partitions_is_open_unless_it_is_about_to_have_some() -> None:
    case = Case()
    await case.assignment.assign([], 1, seek)
    assert case.assignment.is_open
    case.standbys.warming = frozenset({0})
    assert not case.assignment.is_open
    await case.assignment.assign([0], 2, seek)
    await until(lambda: case.assignment.is_open)
    await case.assignment.close()


async def test_a_task_that_ends_as_cancelled_ends_the_worker_unless_the_partition_goes() -> None:
    case = Case()
    await case.assignment.assign([0, 1], 1, seek)
    await case.assignment.assign([0], 2, seek)
    assert not case.crashed
    case.assignment._running[0].cancel()
    await until(lambda: bool(case.crashed))
    assert str(case.crashed[0]) == "the work on partition-0 was cancelled"
    await case.assignment.close()


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError("no file")])
async def test_an_error_of_a_task_is_the_worker_s(error: Exception) -> None:
    case = Case(error)
    await case.assignment.assign([0], 1, seek)
    await until(lambda: bool(case.crashed))
    assert case.crashed == [error]
    await case.assignment.close()
