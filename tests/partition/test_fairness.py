"""Nobody is held up by others' floods: counted in turns and records, so that it holds at whatever speed."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest

from models.customer import Customer
from models.ids import CustomerKey
from streams.engine.effects import Outcome
from streams.engine.inputs import Arrived, CustomerInput
from streams.engine.journeys import Journeys
from streams.kafka.fetch import Fetch
from streams.kafka.topics import COMMANDS
from streams.partition.pacing import Pace, Pacing
from streams.partition.task import PartitionTask
from tests.partition.model import START, Broker, Source, decide, event, make_task

QUIET, FLOOD = "customer.updated", "scl.member.created"
ONE_PORTION = Pacing(
    timedelta(seconds=9), most_slice_records=50, slice_time=timedelta()
)  # a turn, and a commit only when it is full
PORTION = ONE_PORTION.slice_records


class Noted(Pace):
    """Notes how much had been handled when each commit began."""

    def __init__(self, handled: list[str]) -> None:
        super().__init__(ONE_PORTION, START)
        self._handled = handled
        self.begun: list[int] = []

    def begin(self, now: datetime) -> None:
        super().begin(now)
        self.begun.append(len(self._handled))


class Worker:
    """The partitions of one worker, which share its event loop; it notes whose event was handled when."""

    def __init__(self, partitions: int) -> None:
        self.handled: list[str] = []
        self.pace = Noted(self.handled)
        self.tasks = [self._make() for _ in range(partitions)]

    def _make(self) -> PartitionTask:
        return make_task(Broker(), pace=self.pace, decide=self._decide, clock=lambda: START)

    def _decide(
        self, customer: Customer | None, key: CustomerKey, given: CustomerInput, now: datetime, journeys: Journeys
    ) -> Outcome:
        assert isinstance(given, Arrived)
        self.handled.append(given.event.customer_id)
        return decide(customer, key, given, now, journeys)


_numbers = count()


def come(task: PartitionTask, topic: str, customers: Iterator[str]) -> None:
    """Let a fetch with an event of each of these customers come."""
    source = [Source(offset, event(next(_numbers), customer)) for offset, customer in enumerate(customers)]
    task.take(Fetch(topic, 0, 0, len(source), source, 0, 0, len(source)))


def flood(size: int, customers: int = 1) -> Iterator[str]:
    return (f"hot-{number % customers}" for number in range(size))


@pytest.mark.parametrize("customers", [1, 500])
async def test_a_flood_in_one_topic_holds_up_an_event_of_another_by_a_portion(customers: int) -> None:
    worker = Worker(1)
    (task,) = worker.tasks
    session = await task.open()
    come(task, FLOOD, flood(2000, customers))
    for _ in range(3):
        await session.step()
    come(task, QUIET, iter(["quiet"]))
    while "quiet" not in worker.handled:
        await session.step()
    assert worker.handled.index("quiet") <= (3 + 1) * PORTION


@pytest.mark.parametrize("partitions", [2, 4, 8])
async def test_partitions_with_floods_take_turns_with_one_that_has_a_few_events(partitions: int) -> None:
    worker = Worker(partitions)
    running = [asyncio.create_task(task.run()) for task in worker.tasks]
    async with asyncio.timeout(60):
        while not all(task.stage == "running" for task in worker.tasks):
            await asyncio.sleep(0)
        for number, task in enumerate(worker.tasks[1:]):
            come(task, FLOOD, (f"hot-{number}" for _ in range(1900)))
        await asyncio.sleep(0)
        come(worker.tasks[0], QUIET, iter(["quiet"] * 3 * PORTION))
        while worker.handled.count("quiet") < 3 * PORTION:
            await asyncio.sleep(0)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    others = Counter(worker.handled[: len(worker.handled) - worker.handled[::-1].index("quiet")])
    del others["quiet"]
    # Of its three turns each comes after at most one of every other partition, and they may have had two before.
    assert max(others.values(), default=0) <= (3 + 2) * PORTION


@pytest.mark.parametrize("ends", [1, 9])
async def test_an_event_of_a_topic_without_a_backlog_is_committed_within_the_interval(ends: int) -> None:
    """Each turn takes 10 ms, as where a worker has several partitions; of the other topic 2,000 events wait."""
    now, interval = START, timedelta(milliseconds=50)
    pacing, broker = Pacing(interval, most_slice_records=50, slice_time=timedelta()), Broker()
    task = make_task(broker, pacing=pacing, clock=lambda: now)
    session = await task.open()
    await session.commit()
    come(task, FLOOD, flood(2000))
    come(task, QUIET, iter(["quiet"]))
    task.queue.ends[QUIET] = ends
    begun, is_committed = now, False
    while not is_committed:
        await session.step()
        now += timedelta(milliseconds=10)
        is_committed = any(record.key == b"pinehurst:quiet" for record in broker.emitted[COMMANDS, 0])
    took = now - begun
    assert took <= interval + timedelta(milliseconds=20) if ends == 1 else took > 3 * interval


async def test_busy_partitions_commit_together_before_any_of_them_does_another_slice() -> None:
    worker = Worker(4)
    sessions = [await task.open() for task in worker.tasks]
    for task, session in zip(worker.tasks, sessions, strict=True):
        await session.commit()
        come(task, FLOOD, flood(1900))
    commits = {task: task.counts.commits for task in worker.tasks}
    before = sum(task.counts.inputs for task in worker.tasks)
    worker.pace.begun.clear()
    running = [asyncio.create_task(session.run()) for session in sessions]
    async with asyncio.timeout(60):
        while len(worker.handled) < 8 * PORTION:
            await asyncio.sleep(0)
        flushing = asyncio.create_task(sessions[0].flush())
        while any(task.counts.commits == commits[task] for task in worker.tasks):
            await asyncio.sleep(0)
    for one in (*running, flushing):
        one.cancel()
    await asyncio.gather(*running, flushing, return_exceptions=True)
    assert sum(task.counts.inputs for task in worker.tasks) - before == worker.pace.begun[0]
