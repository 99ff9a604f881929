"""A worker has a task for each of its partitions, keeps those that come back, and closes those that go."""

import asyncio
from collections.abc import Callable

import pytest

from streams.kafka.fetch import Fetch
from streams.partition.task import PartitionTask
from streams.worker.assignment import Assignment
from tests.partition.model import Broker, Source, event, make_task, seek

TOPIC = "customer.updated"


class Case:
    """An assignment whose tasks stand at brokers of their own, in memory."""

    def __init__(self, wrong: Exception | None = None) -> None:
        self.crashed: list[BaseException] = []
        self.made: list[int] = []
        self.wrong = wrong
        self.assignment = Assignment((TOPIC,), 4, self.make, self.crashed.append)

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


async def test_a_worker_without_partitions_is_open() -> None:
    case = Case()
    await case.assignment.assign([], 1, seek)
    assert case.assignment.is_open


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError("no file")])
async def test_an_error_of_a_task_is_the_worker_s(error: Exception) -> None:
    case = Case(error)
    await case.assignment.assign([0], 1, seek)
    await until(lambda: bool(case.crashed))
    assert case.crashed == [error]
    await case.assignment.close()
