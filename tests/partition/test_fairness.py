"""Nobody is held up by others' floods: counted in turns and records, so that it holds at whatever speed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Self

import msgspec
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
SLICE = timedelta(milliseconds=2)  # what a portion takes, by the worker's clock


class Noted(Pace):
    """Notes how much had been handled when each commit began."""

    def __init__(self, pacing: Pacing, handled: list[str]) -> None:
        super().__init__(pacing, START)
        self._handled = handled
        self.begun = [0]

    def begin(self, now: datetime) -> None:
        super().begin(now)
        self.begun.append(len(self._handled))


class Worker:
    """The partitions of one worker, which share its event loop; it notes whose event was handled when."""

    def __init__(self, partitions: int, pacing: Pacing = ONE_PORTION) -> None:
        self.handled: list[str] = []
        self.pace = Noted(pacing, self.handled)
        self.tasks = [self._make() for _ in range(partitions)]

    def _make(self) -> PartitionTask:
        return make_task(Broker(), pace=self.pace, decide=self._decide, clock=self._clock)

    def _clock(self) -> datetime:
        return START + len(self.handled) / PORTION * SLICE

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
    worker = Worker(4, msgspec.structs.replace(ONE_PORTION, some=PORTION))
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


@pytest.mark.parametrize(
    ("records", "seconds", "goes_along"),
    [
        pytest.param(2 * PORTION, 0.5, False, id="it has only begun"),
        pytest.param(6 * PORTION, 0.5, True, id="it has some"),
        pytest.param(2 * PORTION, 1.0, True, id="it began long ago"),
    ],
)
@pytest.mark.parametrize("is_fetched", [True, False], ids=["more is fetched", "the broker has more"])
async def test_a_partition_with_more_to_do_goes_along_with_others_commit_where_it_is_worth_it(
    records: int, seconds: float, is_fetched: bool, goes_along: bool
) -> None:
    now, pace = START, Pace(Pacing(most_slice_records=PORTION, slice_time=timedelta()), START)
    busy, other = (make_task(Broker(), pace=pace, clock=lambda: now) for _ in range(2))
    sessions = [await task.open() for task in (busy, other)]
    for session in sessions:
        await session.commit()
    before = busy.counts.commits
    come(busy, FLOOD, flood(records + 9 * PORTION if is_fetched else records))
    busy.queue.ends[FLOOD] = records + 2000
    while sessions[0].positions.get(FLOOD, 0) < records:
        await sessions[0].step()
    come(other, QUIET, iter(["quiet"]))
    now += timedelta(seconds=seconds)
    await sessions[1].step()
    for session in (*sessions, *sessions):
        await session.step()
        await asyncio.sleep(0)
    assert busy.counts.commits - before == goes_along


class Flooded:
    """A worker of which each partition has a flood; `give` brings an event of another topic to one of them."""

    def __init__(self, partitions: int, pacing: Pacing = ONE_PORTION) -> None:
        self.worker = Worker(partitions, pacing)
        self.tasks = self.worker.tasks
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        sessions = [await task.open() for task in self.tasks]
        for task in self.tasks:
            come(task, FLOOD, flood(1900))
        self._running = [asyncio.create_task(session.run()) for session in sessions]
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._running:
            one.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def go_on(self, is_done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_done():
                await asyncio.sleep(0)

    async def give(self, task: PartitionTask) -> tuple[int, int]:
        """Return how much had been handled when the event came, and before it."""
        assert task.session is not None
        handled, at, name = self.worker.handled, task.session.positions.get(QUIET, 0), f"quiet-{next(_numbers)}"
        came = len(handled)
        task.take(Fetch(QUIET, 0, at, at + 1, [Source(at, event(next(_numbers), name))], 0, 0, at + 1))
        await self.go_on(lambda: name in handled)
        return came, handled.index(name)


@pytest.mark.parametrize("partitions", [2, 8])
async def test_beside_floods_of_all_partitions_an_event_of_another_topic_waits_for_a_slice(partitions: int) -> None:
    async with Flooded(partitions) as flooded:
        for number, task in enumerate(flooded.tasks * 3):
            await flooded.go_on(lambda to=(number + 1) * 3 * PORTION: len(flooded.worker.handled) >= to)
            came, before = await flooded.give(task)
            # A partition that had such an event just now comes after the one whose turn it is.
            assert before - came <= 2 * PORTION


async def test_when_the_time_has_come_what_is_fresh_is_committed_whoever_has_the_next_turn() -> None:
    pacing = Pacing(timedelta(milliseconds=50), most_slice_records=50, slice_time=timedelta())
    async with Flooded(8, pacing) as flooded:
        begun = flooded.worker.pace.begun
        for task in flooded.tasks * 2:
            _, handled = await flooded.give(task)
            commits = len(begun)
            await flooded.go_on(lambda commits=commits: len(begun) > commits)
            due = begun[commits - 1] + pacing.fresh * pacing.interval / SLICE * PORTION
            assert begun[commits] <= max(due, handled) + 2 * PORTION
